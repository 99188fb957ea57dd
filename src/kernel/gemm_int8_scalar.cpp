#include "kernel/gemm_driver.h"
#include "kernel/portable.h"

namespace fw {

namespace {

struct ScalarInt8 {
    using Element = int8_t;
    using Acc = Int4;
    using Vec = Int4;
    static constexpr int kMr = 4, kVectors = 2, kLanes = 4, kKr = 1;
    static constexpr bool kInt8 = true, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return load_as<Int4>(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return load_bytes(p); }
    static FW_ALWAYS_INLINE Vec load_a(const int8_t* a) { return Int4{*a, *a, *a, *a}; }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return acc + a * b; }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        store_accumulators(e, acc, multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_int8_4x8_scalar, kScalar, ScalarInt8)

}  // namespace fw
