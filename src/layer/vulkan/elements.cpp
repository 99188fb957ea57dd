// Everything that works element by element: copies, functions of one number, operations on two, factors a channel.
#include <algorithm>
#include <iterator>

#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

namespace {

constexpr size_t kLoops = 6;  // of elements.comp
constexpr size_t kTableBytes = 256;

// As elements.comp numbers them.
enum class Kind : uint32_t {
    kCopy,
    kTable,
    kClampBytes,
    kQuantize,
    kDequantize,
    kCall,
    kClamp,
    kAffine,
    kSum,
    kProduct,
    kQuotient,
    kMaximum,
    kMinimum,
    kCopyFloats,
    kSlope,
    kConstant,
    kElementary,
    kPower,
    kAtan2,
    kRow,
};

// zero point, lo and hi without it, factor: what to_level() takes.
std::vector<uint32_t> level_parameters(const QuantParams& quant, float factor) {
    return {word(quant.zero_point), word(static_cast<float>(quant_min(quant) - quant.zero_point)),
            word(static_cast<float>(kQuantMax - quant.zero_point)), word(factor)};
}

}  // namespace

/// Strides of the output and two inputs along each loop.
struct Recorder::Loops {
    struct Loop {
        int64_t extent;
        std::array<int64_t, 3> step;  // out, a, b
    };
    bool int8 = false;  ///< the variant that sees bytes
    Kind kind = Kind::kCopy;
    uint32_t function = 0;
    std::vector<Loop> loops;
    std::array<Place, 3> places;

    void add(int64_t extent, int64_t out, int64_t a, int64_t b) {
        if (extent > 1) {
            loops.push_back({extent, {out, a, b}});
        }
    }
    /// The densest axis of the output last, neighbours that follow each other in memory merged.
    void simplify() {
        std::stable_sort(loops.begin(), loops.end(),
                         [](const Loop& x, const Loop& y) { return x.step[0] > y.step[0]; });
        for (size_t i = loops.size(); i-- > 1;) {
            const Loop& inner = loops[i];
            Loop& outer = loops[i - 1];
            bool follows = true;
            for (size_t k = 0; k < inner.step.size(); ++k) {
                follows = follows && outer.step[k] == inner.step[k] * inner.extent;
            }
            if (follows) {
                outer = {outer.extent * inner.extent, inner.step};
                loops.erase(loops.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
    }
};

Status Recorder::elements(const Loops& given, const std::vector<uint32_t>& parameters, Dispatch* dispatch) {
    Loops loops = given;
    loops.simplify();
    if (loops.loops.size() > kLoops) {
        return Status::error(Code::kUnsupported, "%zu nested loops, the shader has %zu", loops.loops.size(), kLoops);
    }
    if (loops.int8) {
        FW_RETURN_IF_ERROR(check_type(DType::kInt8));
    }
    int64_t count = 1;
    while (loops.loops.size() < kLoops) {
        loops.loops.insert(loops.loops.begin(), {1, {0, 0, 0}});
    }
    for (const Loops::Loop& loop : loops.loops) {
        dispatch->push.push_back(word(static_cast<int>(loop.extent)));
        count *= loop.extent;
    }
    for (size_t k = 0; k < loops.places.size(); ++k) {
        for (const Loops::Loop& loop : loops.loops) {
            dispatch->push.push_back(word(static_cast<int>(loop.step[k])));
        }
    }
    for (const Place& place : loops.places) {
        dispatch->push.push_back(word(place.element));
    }
    dispatch->push.push_back(word(static_cast<int>(count)));
    dispatch->push.push_back(0);
    FW_ASSIGN_OR_RETURN(dispatch->constants,
                        constants_->add(parameters.empty() ? std::vector<uint32_t>(1, 0) : parameters));
    dispatch->shader = loops.int8 ? &shader::elements_int8 : of_floats(shader::elements_float, shader::elements_half);
    dispatch->specialization = {static_cast<uint32_t>(loops.kind), loops.function};
    dispatch->arena_offset = {loops.places[1].offset, loops.places[2].offset, loops.places[0].offset};
    dispatch->groups = linear_groups(count);
    return {};
}

Status Recorder::copy(const CopyOperation::Part& part, DType type, Dispatch* dispatch) {
    FW_RETURN_IF_ERROR(check_type(type));
    Loops loops;
    loops.int8 = type == DType::kInt8;
    loops.kind = !part.table.empty() ? Kind::kTable : loops.int8 ? Kind::kCopy : Kind::kCopyFloats;
    int64_t from_span = 0;
    int64_t to_span = 0;
    for (const CopyDim& dim : part.dims) {
        loops.add(dim.extent, dim.to, dim.from, 0);
        from_span += (dim.extent - 1) * dim.from;
        to_span += (dim.extent - 1) * dim.to;
    }
    FW_ASSIGN_OR_RETURN(loops.places[0], place(part.to, to_span, type));
    FW_ASSIGN_OR_RETURN(loops.places[1], place(part.from, from_span, type));
    loops.places[2] = {loops.places[1].offset, 0};  // the table's index
    return elements(loops, packed_bytes(part.table), dispatch);
}

Status Recorder::map(const MapOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    Loops loops;
    std::vector<uint32_t> parameters;
    bool by_channel = false;
    loops.int8 = in.dtype == DType::kInt8 || out.dtype == DType::kInt8;
    switch (op.kind) {
        case MapOperation::Kind::kTable:
            loops.kind = Kind::kTable;
            parameters = packed_bytes(op.table);
            by_channel = op.table.size() > kTableBytes;
            break;
        case MapOperation::Kind::kClampBytes:
            loops.kind = Kind::kClampBytes;
            parameters = {word(op.bounds.lo), word(op.bounds.hi)};
            break;
        case MapOperation::Kind::kQuantize:
            loops.kind = Kind::kQuantize;
            parameters = level_parameters(out.quant, out.quant.scale);
            break;
        case MapOperation::Kind::kDequantize:
            loops.kind = Kind::kDequantize;
            parameters = {word(in.quant.zero_point), word(inverse_scale(in.quant))};
            break;
        case MapOperation::Kind::kFunction:
            if (op.function.function == FloatFunction::kRoot34) {
                return Status::error(Code::kUnsupported, "a function of floats that has no shader");
            }
            loops.kind = Kind::kCall;
            loops.function = static_cast<uint32_t>(op.function.function);
            parameters = {word(op.function.a), word(op.function.b)};
            break;
        case MapOperation::Kind::kClamp:
            loops.kind = Kind::kClamp;
            parameters = {word(op.clamp.lo), word(op.clamp.hi)};
            break;
        case MapOperation::Kind::kSlope:
            loops.kind = Kind::kSlope;
            for (const float slope : op.slope) {
                parameters.push_back(word(slope));
            }
            by_channel = op.slope.size() > 1;
            break;
        case MapOperation::Kind::kElementary: {
            const Elementary& f = op.elementary;
            loops.kind = Kind::kElementary;
            loops.function = static_cast<uint32_t>(f.function);
            parameters = {word(f.a), word(f.b), word(f.c), word(f.p), word(f.q)};
            break;
        }
    }
    if (loops.int8 && loops.kind > Kind::kDequantize) {
        return Status::error(Code::kUnsupported, "a function of floats");
    }
    for (int axis = 0; axis < out.rank(); ++axis) {
        loops.add(out.shape[axis], out.stride[axis], in.stride[axis], by_channel && axis == 0 ? 1 : 0);
    }
    FW_ASSIGN_OR_RETURN(loops.places[0], place(out));
    FW_ASSIGN_OR_RETURN(loops.places[1], place(in));
    loops.places[2] = {loops.places[1].offset, 0};  // the channel's index, or 0
    return elements(loops, parameters, dispatch);
}

Status Recorder::combine(const CombineOperation& op, const Tensor& out, Dispatch* dispatch) {
    Loops loops;
    loops.int8 = out.dtype == DType::kInt8;
    switch (op.kind) {
        case CombineOperation::Kind::kSum: loops.kind = Kind::kSum; break;
        case CombineOperation::Kind::kProduct: loops.kind = Kind::kProduct; break;
        case CombineOperation::Kind::kQuotient: loops.kind = Kind::kQuotient; break;
        case CombineOperation::Kind::kMax: loops.kind = Kind::kMaximum; break;
        case CombineOperation::Kind::kMin: loops.kind = Kind::kMinimum; break;
        case CombineOperation::Kind::kPower: loops.kind = Kind::kPower; break;
        case CombineOperation::Kind::kAtan2: loops.kind = Kind::kAtan2; break;
    }
    std::vector<uint32_t> parameters = {word(op.coefficient[0]), word(op.coefficient[1])};
    if (loops.int8) {
        const bool sum = loops.kind == Kind::kSum;
        QuantParams quant = op.result;
        parameters = level_parameters(quant, quant.scale);
        if (sum) {
            quant.zero_point = op.sum.zero_point_out;
            parameters = {word(quant.zero_point), word(static_cast<float>(op.sum.lo - quant.zero_point)),
                          word(static_cast<float>(op.sum.hi - quant.zero_point)), 0};
        }
        for (size_t i = 0; i < 2; ++i) {
            parameters.push_back(word(op.zero_point[i]));
        }
        for (size_t i = 0; i < 2; ++i) {
            parameters.push_back(sum ? word(op.sum.multiplier[i]) : word(op.factor[i]));
        }
        parameters.push_back(word(op.sum.shift));
    }
    for (int axis = 0; axis < out.rank(); ++axis) {
        loops.add(out.shape[axis], out.stride[axis], op.from[0].stride[axis], op.from[1].stride[axis]);
    }
    FW_ASSIGN_OR_RETURN(loops.places[0], place(out));
    // The strides are those of the output's shape: the last element is where they lead.
    for (size_t i = 0; i < op.from.size(); ++i) {
        Tensor seen = op.from[i];
        seen.shape = out.shape;
        FW_ASSIGN_OR_RETURN(loops.places[i + 1], place(seen));
    }
    return elements(loops, parameters, dispatch);
}

Status Recorder::constant(const ConstantOperation& op, const Tensor& out, Dispatch* dispatch) {
    Loops loops;
    loops.int8 = out.dtype == DType::kInt8;
    loops.kind = Kind::kConstant;
    int64_t step = 1;
    for (int axis = out.rank() - 1; axis >= 0; --axis) {
        loops.add(out.shape[axis], out.stride[axis], 0, step);
        step *= out.shape[axis];
    }
    std::vector<uint32_t> values = packed_bytes(op.bytes);
    values.reserve(op.values.size());
    for (const float value : op.values) {  // of floats
        values.push_back(word(value));
    }
    FW_ASSIGN_OR_RETURN(loops.places[0], place(out));
    loops.places[1] = loops.places[0];              // not read
    loops.places[2] = {loops.places[0].offset, 0};  // the index of the value
    return elements(loops, values, dispatch);
}

// Parameters: the last row, floats of a row, where the bias begins, the table, the bias.
Status Recorder::embed(const EmbedOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    if (half_) {
        return Status::error(Code::kUnsupported, "float16 has not all indices");
    }
    Loops loops;
    loops.kind = Kind::kRow;
    loops.add(out.shape[0], out.stride[0], in.stride[0], 0);
    loops.add(out.shape[1], out.stride[1], 0, 1);
    FW_ASSIGN_OR_RETURN(loops.places[0], place(out));
    FW_ASSIGN_OR_RETURN(loops.places[1], place(in));
    loops.places[2] = {loops.places[1].offset, 0};  // the index in the row
    FW_RETURN_IF_ERROR(elements(loops, {}, dispatch));
    FW_ASSIGN_OR_RETURN(dispatch->constants, weights_->add_once({step_}, [&] {
        std::vector<uint32_t> words = {word(op.rows - 1), word(out.shape[1]),
                                       op.bias.empty() ? 0U : static_cast<uint32_t>(3 + op.table.size())};
        for (const Span<const float>& values : {op.table, op.bias}) {
            std::transform(values.begin(), values.end(), std::back_inserter(words), [](float x) { return word(x); });
        }
        return words;
    }));
    return {};
}

Status Recorder::affine(const AffineOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    Loops loops;
    loops.int8 = in.dtype == DType::kInt8;
    loops.kind = Kind::kAffine;
    const int channels = in.shape[0];
    std::vector<uint32_t> parameters = {0, 0, 0};
    if (loops.int8) {
        parameters = level_parameters(out.quant, 0.0F);
        parameters.pop_back();
    }
    parameters.push_back(word(op.zero_point_in));
    parameters.push_back(word(channels));
    for (const Span<const float>& factors : {op.a, op.b}) {
        for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
            parameters.push_back(word(c < factors.size() ? factors[c] : 0.0F));
        }
    }
    for (int axis = 0; axis < out.rank(); ++axis) {
        loops.add(out.shape[axis], out.stride[axis], in.stride[axis], axis == 0 ? 1 : 0);
    }
    FW_ASSIGN_OR_RETURN(loops.places[0], place(out));
    FW_ASSIGN_OR_RETURN(loops.places[1], place(in));
    loops.places[2] = {loops.places[1].offset, 0};  // the channel's index
    return elements(loops, parameters, dispatch);
}

}  // namespace fw::vulkan
