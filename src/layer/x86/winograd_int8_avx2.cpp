// Transforms of Winograd's convolution in int8: 16-bit planes, which hold the transformed bytes exactly, and 32-bit
// sums.
#include "kernel/winograd_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Transforms {
    using Pixel = int8_t;
    using In = int16_t __attribute__((vector_size(32)));
    using Out = uint32_t __attribute__((vector_size(32)));
    static constexpr bool kInt8 = true;

    static FW_ALWAYS_INLINE In load(const int8_t* pixel) {
        using Bytes = int8_t __attribute__((vector_size(16)));
        return __builtin_convertvector(load_lanes<Bytes>(pixel), In);
    }
    /// The sum is 576 times the convolution's, modulo 2^32; that is below 2^25, so 64 times it has all of it.
    static FW_ALWAYS_INLINE void store(const WinogradOutputArgs& args, int64_t c, Out sum, void* pixel, int64_t count) {
        using Int = int32_t __attribute__((vector_size(32)));
        constexpr uint32_t kNinth = 0x38e38e39U;  // 9 * kNinth = 1 modulo 2^32
        sum = sum * kNinth;
        const Int acc = (load_lanes<Int>(&sum) >> 6) + load_lanes<Int>(static_cast<const int32_t*>(args.bias) + c);
        store_accumulators8(args.epilogue, load_lanes<__m256i>(&acc), args.multiplier + c,
                            static_cast<char*>(pixel) + c * (args.epilogue.float_output ? 4 : 1), count);
    }
};

}  // namespace

FW_DEFINE_WINOGRAD(winograd_int8_4x4_avx2, kAvx2, Transforms, 4)

}  // namespace fw
