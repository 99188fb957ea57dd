// Functions of one float over runs, for registers V of any width.
#pragma once

#include "kernel/functions.h"
#include "kernel/kernel.h"

namespace fw {
namespace {

// One loop for whole registers and, through a register in memory, for the rest: the function's code stands here once.
template <class V, class Fn>
FW_ALWAYS_INLINE void map_run(const float* x, int64_t count, float* out, Fn fn) {
    constexpr int64_t kLanes = sizeof(V) / sizeof(float);
    if (count <= 0) {
        return;
    }
    float rest[kLanes] = {};
    const int64_t left = count % kLanes;
    std::memcpy(rest, x + (count - left), static_cast<size_t>(left) * sizeof(float));
    float* const end = out + (count - left);
    for (int64_t whole = count - left;; whole = kLanes) {
        for (int64_t i = 0; i < whole; i += kLanes) {
            V v;
            std::memcpy(&v, x + i, sizeof(V));
            v = fn(v);
            std::memcpy(out + i, &v, sizeof(V));
        }
        if (left == 0 || out == rest) {
            break;
        }
        x = rest;
        out = rest;
    }
    std::memcpy(end, rest, static_cast<size_t>(left) * sizeof(float));
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
        case FloatFunction::kSwish: map_run<V>(x, count, out, [](V v) FW_INLINE_LAMBDA { return swish_of(v); }); break;
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
