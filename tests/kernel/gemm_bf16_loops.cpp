#include "kernel/gemm_bf16_loops.h"

#include <algorithm>
#include <cstring>

#include "base/half.h"
#include "kernel/gemm_driver.h"

namespace fw::test {
namespace {

struct Four {
    float lane[4];
};

float widen(uint16_t bits) {
    const uint32_t wide = uint32_t{bits} << 16;
    float value = 0.0F;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

struct Loops {
    using Element = float;
    using Packed = uint16_t;
    using Weight = uint16_t;
    using Acc = Four;
    struct Vec {
        uint16_t pair[4][2];
    };
    static constexpr int kMr = 5, kVectors = 2, kLanes = 4, kKr = 2;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    template <int kCount>
    static void copy_row(const float* from, uint16_t* to) {
        std::transform(from, from + kCount, to, float_to_bfloat16);
    }
    static Acc load_bias(const void* p) {
        Acc acc;
        std::memcpy(&acc, p, sizeof acc);
        return acc;
    }
    static Vec load_b(const void* p) {
        Vec b;
        std::memcpy(&b, p, sizeof b);
        return b;
    }
    static Vec load_a(const uint16_t* a) {
        Vec repeated;
        for (auto& pair : repeated.pair) {
            std::copy_n(a, 2, pair);
        }
        return repeated;
    }
    static Acc multiply_add(Acc acc, Vec a, Vec b) {
        for (int i = 0; i < 4; ++i) {
            acc.lane[i] += widen(a.pair[i][1]) * widen(b.pair[i][1]);
            acc.lane[i] += widen(a.pair[i][0]) * widen(b.pair[i][0]);
        }
        return acc;
    }
    static void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
            const float x = acc.lane[i] < e.lo ? e.lo : acc.lane[i];
            static_cast<float*>(out)[i] = x > e.hi ? e.hi : x;
        }
    }
};

}  // namespace

FW_DEFINE_GEMM(kGemmBf16Loops, kScalar, Loops)

}  // namespace fw::test
