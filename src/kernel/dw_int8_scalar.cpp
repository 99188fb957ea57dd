#include "kernel/dw_driver.h"
#include "kernel/portable.h"

namespace fw {

namespace {

struct ScalarInt8 {
    using Element = int8_t;
    using Acc = Int4;
    using Weights = Int4;
    static constexpr int kLanes = 4, kKr = 1;
    static constexpr bool kInt8 = true, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return load_as<Int4>(p); }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return load_bytes(p); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const int8_t* const* a, int64_t c, Weights w) {
        return acc + load_bytes(a[0] + c) * w;
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        store_accumulators(e, acc, multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_int8_4_scalar, kScalar, ScalarInt8)

}  // namespace fw
