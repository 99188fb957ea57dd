// Winograd's F(2x2, 3x3) for float convolutions (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks,
// 2015): 16 products of matrices, one a number of the transformed tiles, take 4/9 of the multiplications. They are
// groups of a 1x1 convolution. Transformed tiles are float32, in float16 networks too.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/half.h"
#include "layer/vulkan/conv_push.h"
#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

namespace {

constexpr int kTile = 2;                              // pixels of an output tile each way
constexpr int kNumbers = 16;                          // of a transformed tile
constexpr int64_t kMostWeights = int64_t{1} << 22;    // of a tap: all offsets fit an int
constexpr float kGrowth = 2.25F;                      // of the largest weight, at most
constexpr int kPixels = 4;                            // of an invocation of conv.comp
constexpr int64_t kScratchBytes = int64_t{16} << 20;  // of transformed tiles at a time

// Rows and columns of tiles.
struct Tiles {
    int h, w;
    explicit Tiles(const ConvGeometry& g) : h((g.out_h + kTile - 1) / kTile), w((g.out_w + kTile - 1) / kTile) {}
};

// G g G^T of a filter.
std::array<float, kNumbers> transformed(const std::array<float, 9>& g) {
    std::array<float, 12> rows = {};  // G g
    for (size_t x = 0; x < 3; ++x) {
        const float even = g[x] + g[6 + x];
        rows[x] = g[x];
        rows[3 + x] = (even + g[3 + x]) * 0.5F;
        rows[6 + x] = (even - g[3 + x]) * 0.5F;
        rows[9 + x] = g[6 + x];
    }
    std::array<float, kNumbers> u = {};
    for (size_t y = 0; y < 4; ++y) {
        const float even = rows[3 * y] + rows[3 * y + 2];
        u[4 * y] = rows[3 * y];
        u[4 * y + 1] = (even + rows[3 * y + 1]) * 0.5F;
        u[4 * y + 2] = (even - rows[3 * y + 1]) * 0.5F;
        u[4 * y + 3] = rows[3 * y + 2];
    }
    return u;
}

// Where parts of the constants are, in words: weights, [number][channel][output], a bias of zeros for the products, the
// convolution's own.
struct Parts {
    int depth, columns;  // of a number's matrix
    int zeros, bias, end;
    Parts(const ConvOperation& op, bool half)
        : depth(rounded_up(op.channels, kConvDepth)),
          columns(rounded_up(op.outputs, kConvColumns)),
          zeros(kNumbers * depth * columns / (half ? 2 : 1)),
          bias(zeros + kNumbers * op.outputs + 4),
          end(bias + rounded_up(op.outputs, 4)) {}
};

std::vector<uint32_t> pack(const ConvOperation& op, const Parts& parts, bool half) {
    std::vector<uint32_t> words(static_cast<size_t>(parts.end), 0);
    for (int output = 0; output < op.outputs; ++output) {
        for (int channel = 0; channel < op.channels; ++channel) {
            std::array<float, 9> filter = {};
            for (int tap = 0; tap < 9; ++tap) {
                filter[static_cast<size_t>(tap)] =
                    op.rows->floats[(static_cast<size_t>(output) * 9 + static_cast<size_t>(tap)) *
                                        static_cast<size_t>(op.channels) +
                                    static_cast<size_t>(channel)];
            }
            const std::array<float, kNumbers> u = transformed(filter);
            for (int number = 0; number < kNumbers; ++number) {
                const int row = number * parts.depth + channel;
                const size_t at =
                    static_cast<size_t>(row) * static_cast<size_t>(parts.columns) + static_cast<size_t>(output);
                const float value = u[static_cast<size_t>(number)];
                if (half) {
                    words[at / 2] |= static_cast<uint32_t>(float_to_half(value)) << (16 * (at % 2));
                } else {
                    words[at] = word(value);
                }
            }
        }
        words[static_cast<size_t>(parts.bias) + static_cast<size_t>(output)] =
            word(op.rows->bias[static_cast<size_t>(output)]);
    }
    return words;
}

}  // namespace

// Where it is possible, and the multiplications saved are worth the transforms: enough of them for each number that is
// transformed, and tiles that fill the rows of the products. Cooperative matrices (float16) multiply faster than that.
bool Recorder::takes_winograd(const ConvOperation& op, const Tensor& in, const Tensor& out) const {
    const ConvGeometry& g = op.geometry;
    const Tiles tiles(g);
    const int64_t rows = kConvRowsAtOnce * kPixels;
    const int64_t tile_rows = (int64_t{tiles.h} * tiles.w + rows - 1) / rows;
    const int64_t pixel_rows = (g.pixels() + rows - 1) / rows;
    const auto fits_half = [](float w) { return std::fabs(w) <= kLargestHalf / kGrowth; };
    return in.dtype == DType::kFloat32 && out.dtype == DType::kFloat32 && g.kernel_h == 3 && g.kernel_w == 3 &&
           g.stride_h == 1 && g.stride_w == 1 && g.dilation_h == 1 && g.dilation_w == 1 && !g.transposed &&
           op.group == 1 && !op.channels_first && !conv_tiles(op, false) &&
           int64_t{op.channels} * op.outputs <= kMostWeights &&
           int64_t{op.channels} * op.outputs >= int64_t{16} * (op.channels + op.outputs) &&
           3 * kNumbers * tile_rows <= 2 * 9 * pixel_rows &&
           int64_t{kNumbers} * tiles.w * (op.channels + op.outputs) * int64_t{sizeof(float)} <= kScratchBytes &&
           static_cast<uint64_t>(Parts(op, half_).end) * sizeof(uint32_t) <= device_.limits().maxStorageBufferRange &&
           (!half_ || std::all_of(op.rows->floats.begin(), op.rows->floats.end(), fits_half));
}

Status Recorder::winograd(const ConvOperation& op, const Tensor& in, const Tensor& out,
                          std::vector<Dispatch>* dispatches) {
    const ConvGeometry& g = op.geometry;
    const Tiles tiles(g);
    const Parts parts(op, half_);
    FW_ASSIGN_OR_RETURN(const Place from, place(in));
    FW_ASSIGN_OR_RETURN(const Place to, place(out));
    FW_ASSIGN_OR_RETURN(const BufferRange constants, weights_->add_once({step_, op.channels, kNumbers, half_ ? 1 : 0},
                                                                        [&] { return pack(op, parts, half_); }));
    // Bands of tiles' rows, so that little scratch memory is used and stays in a cache.
    const int64_t row_bytes = int64_t{kNumbers} * tiles.w * int64_t{sizeof(float)};
    const int band =
        static_cast<int>(std::min<int64_t>(tiles.h, kScratchBytes / (row_bytes * (op.channels + op.outputs))));
    const uint64_t transformed_at = scratch(0);
    const uint64_t products_at = scratch(static_cast<uint64_t>(row_bytes * band * op.channels));
    const uint64_t end = scratch(products_at - transformed_at + static_cast<uint64_t>(row_bytes * band * op.outputs));
    scratch_bytes_ = std::max(scratch_bytes_, end - transformed_at);

    const RealClamp clamp = op.activation.clamp();
    for (int first = 0; first < tiles.h; first += band) {
        const int tile_rows = std::min(band, tiles.h - first);
        const int count = tile_rows * tiles.w;
        Dispatch input;
        input.shader = of_floats(shader::winograd_input_float, shader::winograd_input_half);
        input.push = {word(from.element),
                      word(static_cast<int>(g.in_h_stride)),
                      word(static_cast<int>(g.in_w_stride)),
                      word(g.in_h),
                      word(g.in_w),
                      word(g.pad_top - first * kTile),
                      word(g.pad_left),
                      word(tile_rows),
                      word(tiles.w),
                      word(op.channels),
                      word(op.pad_value)};
        input.arena_offset = {from.offset, from.offset, transformed_at};
        input.constants = constants;
        input.groups = linear_groups(int64_t{count} * op.channels);
        dispatches->push_back(std::move(input));

        Dispatch products;
        products.shader = half_ ? &shader::conv_half_wide : &shader::conv_float;
        products.specialization = {1, 1, 0, 0, kPixels};
        ConvPush push;
        push.in_w = push.out_w = count;
        push.in_col = kNumbers * op.channels;
        push.out_col = kNumbers * op.outputs;
        push.channels = op.channels;
        push.outputs = op.outputs;
        push.bias = parts.zeros;
        push.lo = -std::numeric_limits<float>::infinity();
        push.hi = std::numeric_limits<float>::infinity();
        push.n = parts.columns;
        products.push = push.words();
        products.arena_offset = {transformed_at, transformed_at, products_at};
        products.constants = constants;
        products.groups = {
            static_cast<uint32_t>(parts.columns / kConvColumns),
            static_cast<uint32_t>(rounded_up(count, kConvRowsAtOnce * kPixels) / (kConvRowsAtOnce * kPixels)),
            kNumbers};
        dispatches->push_back(std::move(products));

        Dispatch output;
        output.shader = of_floats(shader::winograd_output_float, shader::winograd_output_half);
        output.specialization = {1, 1, 0, static_cast<uint32_t>(op.activation.type)};
        push.in_h = tile_rows;
        push.in_w = tiles.w;
        push.in_col = kNumbers * op.outputs;
        push.out_row = static_cast<int>(g.out_h_stride);
        push.out_col = static_cast<int>(g.out_w_stride);
        push.out_base = to.element + first * kTile * push.out_row;
        push.out_h = g.out_h - first * kTile;
        push.out_w = g.out_w;
        push.bias = parts.bias;
        push.lo = clamp.lo;
        push.hi = clamp.hi;
        push.a = op.activation.a;
        push.b = op.activation.b;
        output.push = push.words();
        output.arena_offset = {products_at, products_at, to.offset};
        output.constants = constants;
        output.groups = linear_groups(int64_t{count} * ((op.outputs + 3) / 4));
        dispatches->push_back(std::move(output));
    }
    return {};
}

}  // namespace fw::vulkan
