// What works on parts of a blob: softmax, normalisations, reductions, the largest elements. As parts.glsl.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

namespace {

constexpr size_t kLoops = 6;
constexpr int kMostPlaces = 64;                    // of the largest elements: each takes a round over all
constexpr int kMostInHalf = 2048;                  // float16 has all whole numbers up to it
constexpr int64_t kMostLevels = int64_t{1} << 23;  // of a part: their sum fits an int

// As LoopNest; loops that follow each other in all three operands are one.
struct MergedLoops {
    std::vector<int64_t> extent;
    std::vector<LoopNest::Steps> step;
    int64_t count = 1;

    void add(int64_t size, const LoopNest::Steps& steps) {
        count *= size;
        if (!step.empty() && std::equal(steps.begin(), steps.end(), step.back().begin(),
                                        [&](int64_t inner, int64_t outer) { return outer == inner * size; })) {
            extent.back() *= size;
            step.back() = steps;
            return;
        }
        extent.push_back(size);
        step.push_back(steps);
    }
};

void add_double(double x, std::vector<uint32_t>* words) {
    uint64_t bits = 0;
    std::memcpy(&bits, &x, sizeof(bits));
    words->push_back(static_cast<uint32_t>(bits));
    words->push_back(static_cast<uint32_t>(bits >> 32U));
}

// The bounds of levels without the zero point.
std::vector<uint32_t> bounds(const QuantParams& quant) {
    return {word(static_cast<float>(quant_min(quant) - quant.zero_point)),
            word(static_cast<float>(kQuantMax - quant.zero_point))};
}

}  // namespace

Status Recorder::parts(const LoopNest& nest, const LoopNest& inner, const Tensor& in, const Tensor& out,
                       const std::vector<uint32_t>& specialization, size_t given, Dispatch* dispatch) {
    FW_ASSIGN_OR_RETURN(const Place from, place(in));
    FW_ASSIGN_OR_RETURN(const Place to, place(out));
    LoopNest sorted = inner;
    sorted.sort_by_input();
    std::array<MergedLoops, 3> loops;  // parts, parameters, repeats
    for (size_t i = 0; i < static_cast<size_t>(nest.rank); ++i) {
        loops[0].add(nest.extent[i], nest.step[i]);
    }
    for (size_t i = 0; i < static_cast<size_t>(sorted.rank); ++i) {
        loops[sorted.step[i][2] != 0 ? 1 : 2].add(sorted.extent[i], sorted.step[i]);
    }
    if (in.dtype == DType::kInt8 && loops[1].count * loops[2].count > kMostLevels) {
        return Status::error(Code::kUnsupported, "sums of more than %lld levels have no shader",
                             static_cast<long long>(kMostLevels));
    }
    std::array<std::vector<uint32_t>, 4> columns;  // extent, step of input, output, parameter
    for (const MergedLoops& part : loops) {
        dispatch->specialization.push_back(static_cast<uint32_t>(part.extent.size()));
        for (size_t i = 0; i < part.extent.size(); ++i) {
            columns[0].push_back(word(static_cast<int>(part.extent[i])));
            for (size_t k = 0; k < part.step[i].size(); ++k) {
                columns[k + 1].push_back(word(static_cast<int>(part.step[i][k])));
            }
        }
    }
    if (columns[0].size() > kLoops) {
        return Status::error(Code::kUnsupported, "%zu nested loops, the shader has %zu", columns[0].size(), kLoops);
    }
    dispatch->specialization.insert(dispatch->specialization.end(), specialization.begin(), specialization.end());
    for (std::vector<uint32_t>& column : columns) {
        column.resize(kLoops, 0);
        dispatch->push.insert(dispatch->push.end(), column.begin(), column.end());
    }
    dispatch->push.insert(dispatch->push.end(), {word(from.element), word(to.element)});
    for (const MergedLoops& part : loops) {
        dispatch->push.push_back(word(static_cast<int>(part.count)));
    }
    dispatch->push.push_back(static_cast<uint32_t>(given));
    dispatch->arena_offset = {from.offset, from.offset, to.offset};
    dispatch->groups = linear_groups(loops[0].count, 1);
    return {};
}

Status Recorder::softmax(const SoftmaxOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    LoopNest along;
    LoopNest others;
    split_axes(in, out, 1U << static_cast<unsigned>(op.axis), &along, &others);
    std::vector<uint32_t> words = {0};
    const bool int8 = in.dtype == DType::kInt8;
    const bool bytes = out.dtype == DType::kInt8;
    if (int8) {
        words.clear();
        for (const float value : op.table->value) {
            words.push_back(word(value));
        }
        words.insert(words.end(), std::begin(op.table->weight), std::end(op.table->weight));
        add_double((bytes ? static_cast<double>(out.quant.scale) : 1.0) * std::ldexp(1.0, 30), &words);
        words.push_back(word(out.quant.zero_point));
        for (const uint32_t bound : bounds(out.quant)) {
            words.push_back(bound);
        }
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(words));
    dispatch->shader = int8 ? &shader::softmax_int8 : of_floats(shader::softmax_float, shader::softmax_half);
    return parts(others, along, in, out, {bytes ? 1U : 0U}, 0, dispatch);
}

Status Recorder::norm(const NormOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    const bool int8 = in.dtype == DType::kInt8;
    if (int8 && !std::isfinite(op.eps)) {
        return Status::error(Code::kUnsupported, "eps is not finite");
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, weights_->add_once({step_}, [&] {
        std::vector<uint32_t> words;
        add_double(static_cast<double>(op.eps), &words);
        add_double(static_cast<double>(in.quant.scale), &words);
        add_double(static_cast<double>(out.quant.scale), &words);
        add_double(static_cast<double>(out.quant.scale) / static_cast<double>(in.quant.scale), &words);
        words.push_back(word(in.quant.zero_point));
        words.push_back(word(out.quant.zero_point));
        for (const uint32_t bound : bounds(out.quant)) {
            words.push_back(bound);
        }
        words.push_back(word(op.eps));
        for (const Span<const float>& values : {op.gamma, op.beta}) {
            for (const float value : values) {
                words.push_back(word(value));
            }
        }
        return words;
    }));
    dispatch->shader = int8 ? &shader::norm_int8 : of_floats(shader::norm_float, shader::norm_half);
    return parts(op.parts, op.inner, in, out,
                 {op.centred ? 1U : 0U, static_cast<uint32_t>(op.deviation), op.gamma.empty() ? 0U : 1U,
                  op.beta.empty() ? 0U : 1U},
                 op.gamma.size(), dispatch);
}

Status Recorder::reduce(const ReduceOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    std::vector<uint32_t> words = {word(op.factor), word(in.quant.zero_point), word(out.quant.zero_point)};
    for (const uint32_t bound : bounds(out.quant)) {
        words.push_back(bound);
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(words));
    dispatch->shader =
        in.dtype == DType::kInt8 ? &shader::reduce_int8 : of_floats(shader::reduce_float, shader::reduce_half);
    return parts(op.kept, op.reduced, in, out,
                 {static_cast<uint32_t>(op.fold), static_cast<uint32_t>(op.of), static_cast<uint32_t>(op.finish)}, 0,
                 dispatch);
}

Status Recorder::argmax(const ArgMaxOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    if (op.count > kMostPlaces) {
        return Status::error(Code::kUnsupported, "topk is %d, the shader finds %d", op.count, kMostPlaces);
    }
    if (half_ && op.searched.count() > kMostInHalf + 1) {
        return Status::error(Code::kUnsupported, "float16 has not all whole numbers beyond %d", kMostInHalf);
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(std::vector<uint32_t>(1, 0)));
    dispatch->shader = of_floats(shader::argmax_float, shader::argmax_half);
    return parts(op.kept, op.searched, in, out,
                 {word(op.count), op.last ? 1U : 0U, op.values ? 1U : 0U, word(static_cast<int>(op.step)),
                  word(static_cast<int>(op.indices))},
                 0, dispatch);
}

}  // namespace fw::vulkan
