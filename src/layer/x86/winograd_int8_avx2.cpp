// Transforms of Winograd's convolution in int8: 16-bit planes, which hold the transformed bytes exactly, and 32-bit
// sums.
#include "kernel/winograd_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Transforms {
    using Pixel = int8_t;
    using In = int16_t __attribute__((vector_size(32)));
    using Words = uint16_t __attribute__((vector_size(32)));
    using Out = uint32_t __attribute__((vector_size(32)));
    using Output = Epilogue;
    static constexpr bool kInt8 = true;

    static FW_ALWAYS_INLINE In load(const int8_t* pixel) {
        using Bytes = int8_t __attribute__((vector_size(16)));
        return __builtin_convertvector(load_lanes<Bytes>(pixel), In);
    }
    template <int kSize>
    static FW_ALWAYS_INLINE void store(const Epilogue& epilogue, const WinogradOutputArgs& args, int64_t c,
                                       const Out (&sum)[kSize], void* const* pixels, int64_t count) {
        using Int = int32_t __attribute__((vector_size(32)));
        const Int bias = load_lanes<Int>(static_cast<const int32_t*>(args.bias) + c);
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            if (pixels[y] != nullptr) {
                const Out sum64 = sum[y] * kWinogradNinth;
                const Int acc = (load_lanes<Int>(&sum64) >> kWinogradShift) + bias;
                store_accumulators8(epilogue, load_lanes<__m256i>(&acc), args.multiplier + c,
                                    static_cast<char*>(pixels[y]) + c * (epilogue.float_output ? 4 : 1), count);
            }
        });
    }
};

}  // namespace

FW_DEFINE_WINOGRAD(winograd_int8_4x4_avx2, kAvx2, Transforms, 4)

}  // namespace fw
