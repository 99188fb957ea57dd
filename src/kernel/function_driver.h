// Functions of one float over runs, for registers V of any width.
#pragma once

#include "kernel/functions.h"
#include "kernel/kernel.h"

namespace fw {
namespace {

// One loop for whole registers and for the rest: the function's code stands here once.
template <class V, class Fn>
FW_ALWAYS_INLINE void map_run(const float* x, int64_t count, float* out, Fn fn) {
    constexpr int64_t kLanes = sizeof(V) / sizeof(float);
    for (int64_t i = 0; i < count; i += kLanes) {
        const bool whole = count - i >= kLanes;
        const auto rest = static_cast<size_t>(count - i) * sizeof(float);
        V v{};
        if (whole) {
            std::memcpy(&v, x + i, sizeof(V));
        } else {
            std::memcpy(&v, x + i, rest);
        }
        v = fn(v);
        if (whole) {
            std::memcpy(out + i, &v, sizeof(V));
        } else {
            std::memcpy(out + i, &v, rest);
        }
    }
}

template <class V>
void apply_function(const FunctionArgs& f, const float* x, int64_t count, float* out) {
    const float a = f.a;
    const float b = f.b;
    switch (f.function) {
        case FloatFunction::kExp: map_run<V>(x, count, out, [=](V v) FW_INLINE_LAMBDA { return exp_of(v - a); }); break;
        case FloatFunction::kSigmoid:
            map_run<V>(x, count, out, [](V v) FW_INLINE_LAMBDA { return sigmoid_of(v); });
            break;
        case FloatFunction::kTanh: map_run<V>(x, count, out, [](V v) FW_INLINE_LAMBDA { return tanh_of(v); }); break;
        case FloatFunction::kSwish:
            map_run<V>(x, count, out, [](V v) FW_INLINE_LAMBDA { return v / (1.0F + exp_of(-v)); });
            break;
        case FloatFunction::kMish: map_run<V>(x, count, out, [](V v) FW_INLINE_LAMBDA { return mish_of(v); }); break;
        case FloatFunction::kGelu: map_run<V>(x, count, out, [](V v) FW_INLINE_LAMBDA { return gelu_of(v); }); break;
        case FloatFunction::kGeluTanh:
            map_run<V>(x, count, out, [](V v) FW_INLINE_LAMBDA { return gelu_tanh_of(v); });
            break;
        case FloatFunction::kHardSigmoid:
            map_run<V>(x, count, out, [=](V v) FW_INLINE_LAMBDA { return hard_sigmoid_of(v, a, b); });
            break;
        case FloatFunction::kHardSwish:
            map_run<V>(x, count, out, [=](V v) FW_INLINE_LAMBDA { return v * hard_sigmoid_of(v, a, b); });
            break;
        case FloatFunction::kRoot34:
            map_run<V>(x, count, out, [](V v) FW_INLINE_LAMBDA { return root34_of(v); });
            break;
        case FloatFunction::kLeakyRelu:
            map_run<V>(x, count, out, [=](V v) FW_INLINE_LAMBDA { return v > 0.0F ? v : v * a; });
            break;
    }
}

}  // namespace
}  // namespace fw
