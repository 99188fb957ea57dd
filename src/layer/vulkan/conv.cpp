// Convolution, deconvolution, inner product and depthwise convolution.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "base/half.h"
#include "layer/vulkan/conv_push.h"
#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"
#include "layer/vulkan/steps.h"

namespace fw::vulkan {

namespace {

// As in epilogue.glsl.
enum class Weights : uint8_t { kFloat, kHalf, kInt8 };

enum Flag : uint32_t { kAlignedIn = 1, kTransposed = 2, kTable = 4, kAlignedOut = 8, kBytesOut = 16, kSteps = 32 };

// Offsets, in words, of the parts of the constants.
struct Parts {
    int outputs = 0;  // of a group in a row of packed weights
    int weights = 0;  // words
    int bias() const { return weights; }
    int multiplier() const { return bias() + all_outputs; }
    int table() const { return multiplier() + all_outputs; }
    int all_outputs = 0;
};

class Packer {
public:
    Packer(const ConvOperation& op, Weights type, bool depthwise, bool steps)
        : op_(op),
          type_(type),
          steps_(steps),
          int8_(type == Weights::kInt8),
          depthwise_(depthwise),
          taps_(static_cast<int>(op.geometry.taps())),
          channels_(op.channels / op.group),
          outputs_(op.outputs / op.group) {
        const int words = int8_ ? (channels_ + 3) / 4 : channels_;
        const int in_word = int8_ && depthwise ? 4 : type == Weights::kHalf ? 2 : 1;
        parts_.outputs = depthwise ? rounded_up(op.channels, 4) : rounded_up(outputs_, kConvColumns);
        const int64_t rows = depthwise ? taps_ : int64_t{op.group} * rounded_up(taps_ * words, kConvDepth);
        weights_ = rows * parts_.outputs / in_word;
        parts_.weights = static_cast<int>(weights_);
        parts_.all_outputs = rounded_up(op.outputs, 4);
    }
    /// More than `parts` can count where it does not fit a storage buffer.
    uint64_t words() const { return static_cast<uint64_t>(weights_ + 2 * int64_t{parts_.all_outputs}); }

    const Parts& parts() const { return parts_; }

    std::vector<uint32_t> pack() const {
        std::vector<uint32_t> words(static_cast<size_t>(parts_.table()), 0);
        const WeightRows& rows = *op_.rows;
        for (int output = 0; output < op_.outputs; ++output) {
            for (int tap = 0; tap < taps_; ++tap) {
                for (int channel = 0; channel < channels_; ++channel) {
                    put(output, tap, channel, &words);
                }
            }
            const auto o = static_cast<size_t>(output);
            words[static_cast<size_t>(parts_.bias()) + o] = int8_ ? word(rows.requant.bias[o]) : word(rows.bias[o]);
            words[static_cast<size_t>(parts_.multiplier()) + o] = int8_ ? word(rows.requant.multiplier[o]) : 0;
        }
        const std::vector<uint32_t> table = steps_ ? packed_steps() : packed_bytes(op_.table);
        words.insert(words.end(), table.begin(), table.end());
        return words;
    }

private:
    void put(int output, int tap, int channel, std::vector<uint32_t>* words) const {
        const int64_t row = int64_t{output} * taps_ * channels_;
        const auto from = static_cast<size_t>(
            row + (op_.channels_first ? int64_t{channel} * taps_ + tap : int64_t{tap} * channels_ + channel));
        if (depthwise_) {
            const auto at =
                static_cast<size_t>(tap) * static_cast<size_t>(parts_.outputs) + static_cast<size_t>(output);
            add(from, int8_ ? at / 4 : at, output % 4, words);
            return;
        }
        const int group = output / outputs_;
        const int in_group = output % outputs_;
        const int tap_words = int8_ ? (channels_ + 3) / 4 : channels_;
        const int64_t depth = int64_t{tap} * tap_words + (int8_ ? channel / 4 : channel);
        const int64_t k = int64_t{group} * rounded_up(taps_ * tap_words, kConvDepth) + depth;
        add(from, static_cast<size_t>(k * parts_.outputs + in_group), channel % 4, words);
    }
    void add(size_t from, size_t to, int byte, std::vector<uint32_t>* words) const {
        if (int8_) {
            (*words)[to] |= static_cast<uint32_t>(static_cast<uint8_t>(op_.rows->bytes[from])) << (8 * byte);
        } else if (type_ == Weights::kHalf) {
            (*words)[to / 2] |= static_cast<uint32_t>(float_to_half(op_.rows->floats[from])) << (16 * (to % 2));
        } else {
            (*words)[to] = word(op_.rows->floats[from]);
        }
    }

    // Their number, where they begin, the level of each, with the table's entry in its place.
    std::vector<uint32_t> packed_steps() const {
        LevelSteps steps = level_steps(op_.activation, op_.quant);
        for (int8_t& level : steps.level) {
            level = op_.table.empty() ? level : op_.table[static_cast<size_t>(level + 128)];
        }
        std::vector<uint32_t> words = {static_cast<uint32_t>(steps.from.size())};
        std::transform(steps.from.begin(), steps.from.end(), std::back_inserter(words),
                       [](float x) { return word(x); });
        const std::vector<uint32_t> levels = packed_bytes(steps.level);
        words.insert(words.end(), levels.begin(), levels.end());
        return words;
    }

    const ConvOperation& op_;
    Weights type_;
    bool steps_;
    bool int8_;
    bool depthwise_;
    int taps_;
    int channels_;
    int outputs_;
    int64_t weights_;
    Parts parts_;
};

}  // namespace

std::vector<uint32_t> ConvPush::words() const {
    static_assert(sizeof(ConvPush) % sizeof(uint32_t) == 0 && sizeof(ConvPush) <= kPushBytes);
    std::vector<uint32_t> words(sizeof(*this) / sizeof(uint32_t));
    std::memcpy(words.data(), this, sizeof(*this));
    return words;
}

Status Recorder::check_conv(const ConvOperation& op, const Tensor& out) const {
    if (out.rank() >= 3 ? !out.has_adjacent_channels() : out.stride[out.rank() - 1] != 1) {
        return Status::error(Code::kUnsupported, "writes channels that are not adjacent");
    }
    if (half_ && std::any_of(op.rows->floats.begin(), op.rows->floats.end(),
                             [](float w) { return !(std::fabs(w) <= kLargestHalf); })) {
        return Status::error(Code::kUnsupported, "a weight is beyond float16's 65504");
    }
    return {};
}

// Float32 blobs have no such products; a value beside the image must be a float16.
std::optional<MatrixTiles> Recorder::conv_tiles(const ConvOperation& op, bool int8) const {
    const MatrixShapes& shapes = device_.features().matrices;
    if (!int8 &&
        (!half_ || !device_.features().float16 || half_to_float(float_to_half(op.pad_value)) != op.pad_value)) {
        return std::nullopt;
    }
    return matrix_tiles(int8 ? shapes.int8 : shapes.float16, shapes.subgroup_size, device_.limits(),
                        op.geometry.pixels(), op.outputs / op.group, op.group);
}

Status Recorder::conv(const ConvOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    const ConvGeometry& g = op.geometry;
    const bool int8 = in.dtype == DType::kInt8;
    const bool to_int8 = out.dtype == DType::kInt8;
    const bool depthwise = op.group > 1 && op.group == op.channels && op.group == op.outputs;
    const int channels = op.channels / op.group;
    const int outputs = depthwise ? op.outputs : op.outputs / op.group;
    // Defined in double precision.
    const bool steps = to_int8 && (op.activation.type == FusedActivation::Type::kSigmoid ||
                                   op.activation.type == FusedActivation::Type::kMish);
    const Packer packer(op, int8 ? Weights::kInt8 : half_ ? Weights::kHalf : Weights::kFloat, depthwise, steps);
    const Parts& parts = packer.parts();
    FW_ASSIGN_OR_RETURN(const Place from, place(in));
    FW_ASSIGN_OR_RETURN(const Place to, place(out));
    FW_RETURN_IF_ERROR(weights_->check(packer.words()));
    FW_ASSIGN_OR_RETURN(dispatch->constants,
                        weights_->add_once({step_, part_, channels, g.kernel_h}, [&] { return packer.pack(); }));

    const bool aligned_in = is_aligned(in, from.element, depthwise ? op.channels : channels);
    const bool aligned_out = to_int8 && is_aligned(out, to.element, outputs);
    uint32_t flags = (aligned_in ? kAlignedIn : 0U) | (g.transposed ? kTransposed : 0U) |
                     (op.table.empty() || steps ? 0U : kTable) | (aligned_out ? kAlignedOut : 0U) |
                     (to_int8 ? kBytesOut : 0U) | (steps ? kSteps : 0U);
    RealClamp clamp = op.activation.clamp();
    if (to_int8) {
        const RealClamp real = op.activation.is_clamp() ? clamp : RealClamp();
        const QuantBounds bounds = quant_bounds(op.quant, real);
        clamp.lo = static_cast<float>(bounds.lo - op.quant.zero_point);
        clamp.hi = static_cast<float>(bounds.hi - op.quant.zero_point);
    }
    const int64_t rows = g.pixels();
    // Few pixels would leave most of a tile empty.
    const int pixels = rows <= kConvRowsAtOnce ? 1 : 4;
    dispatch->specialization = {word(g.kernel_h), word(g.kernel_w), flags,
                                steps ? 0U : static_cast<uint32_t>(op.activation.type)};
    ConvPush push;
    push.in_base = from.element;
    push.in_row = static_cast<int>(g.in_h_stride);
    push.in_col = static_cast<int>(g.in_w_stride);
    push.in_h = g.in_h;
    push.in_w = g.in_w;
    push.out_base = to.element;
    push.out_row = static_cast<int>(g.out_h_stride);
    push.out_col = static_cast<int>(g.out_w_stride);
    push.out_h = g.out_h;
    push.out_w = g.out_w;
    push.channels = channels;
    push.outputs = outputs;
    push.stride_h = g.stride_h;
    push.stride_w = g.stride_w;
    push.dilation_h = g.dilation_h;
    push.dilation_w = g.dilation_w;
    push.pad_top = g.pad_top;
    push.pad_left = g.pad_left;
    push.bias = parts.bias();
    push.multiplier = parts.multiplier();
    push.table = parts.table();
    push.pad = int8 ? 0x01010101U * static_cast<uint8_t>(op.pad_byte) : word(op.pad_value);
    push.zero_point = op.quant.zero_point;
    push.lo = clamp.lo;
    push.hi = clamp.hi;
    push.a = op.activation.a;
    push.b = op.activation.b;
    push.scale = op.quant.scale;
    push.n = parts.outputs;
    dispatch->push = push.words();
    dispatch->arena_offset = {from.offset, from.offset, to.offset};
    if (depthwise) {
        dispatch->shader = int8               ? &shader::depthwise_int8
                           : half_arithmetic_ ? &shader::depthwise_half_arithmetic
                                              : of_floats(shader::depthwise_float, shader::depthwise_half);
        dispatch->groups = linear_groups(rows * ((outputs + 3) / 4));
        return {};
    }
    const std::optional<MatrixTiles> tiles = conv_tiles(op, int8);
    int64_t tile_rows = int64_t{kConvRowsAtOnce} * pixels;
    int64_t tile_columns = kConvColumns;
    if (tiles) {
        dispatch->shader = int8 ? &shader::conv_int8_matrix : &shader::conv_half_matrix;
        dispatch->subgroup_size = device_.features().matrices.subgroup_size;
        const std::vector<uint32_t> constants = tiles->constants();
        dispatch->specialization.insert(dispatch->specialization.end(), constants.begin(), constants.end());
        tile_rows = tiles->rows();
        tile_columns = tiles->columns();
    } else {
        dispatch->specialization.push_back(word(pixels));
        dispatch->shader = half_arithmetic_                 ? &shader::conv_half_arithmetic
                           : !int8                          ? of_floats(shader::conv_float, shader::conv_half)
                           : device_.features().integer_dot ? &shader::conv_int8_dot
                                                            : &shader::conv_int8;
    }
    const int64_t row_groups = (rows + tile_rows - 1) / tile_rows;
    if (row_groups > device_.limits().maxComputeWorkGroupCount[1] ||
        op.group > static_cast<int>(device_.limits().maxComputeWorkGroupCount[2])) {
        return Status::error(Code::kUnsupported, "%lld pixels are more than a dispatch takes",
                             static_cast<long long>(rows));
    }
    dispatch->groups = {static_cast<uint32_t>((outputs + tile_columns - 1) / tile_columns),
                        static_cast<uint32_t>(row_groups), static_cast<uint32_t>(op.group)};
    return {};
}

}  // namespace fw::vulkan
