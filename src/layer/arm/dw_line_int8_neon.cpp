// Rows are multiplied as bytes: two products fit 16 bits.
#include "kernel/dw_line_driver.h"
#if defined(__aarch64__)
#include "layer/arm/dw_line_bytes.h"
#else
#include "layer/arm/dw_int8.h"
#endif

namespace fw {

namespace {

struct NeonInt8 : ByteLanes16 {
    template <int kSize>
    struct Rows {
        int8x16_t v[kSize];
    };
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    static constexpr int kKr = 1;
    static constexpr bool kInterleaved = false;

    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        Rows<kSize> weights;
        unroll<kSize>([&](auto y)
                          FW_INLINE_LAMBDA { weights.v[y] = vld1q_s8(static_cast<const int8_t*>(p) + 16 * y); });
        return weights;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const int8_t* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { column.v[y] = vld1q_s8(rows[y]); });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<kSize / 2>([&](auto i) FW_INLINE_LAMBDA {
            acc = add_products(acc, x.v[2 * i], w.v[2 * i], x.v[2 * i + 1], w.v[2 * i + 1]);
        });
        return add_product(acc, x.v[kSize - 1], w.v[kSize - 1]);
    }
};

#if defined(__aarch64__)

template <int kSize, int kStride, bool kSigned>
void run_blocks(const DwLineArgs& args) {
    constexpr int64_t kBlockBytes = 16 * (8 + kSize * kSize);
    const ByteSegments<kSize> segments(args, kStride);
    const LoadedOutput output(args.epilogue);
    const char* block = static_cast<const char*>(args.packed);
    for (int64_t c = 0; c < args.channels; c += 16, block += kBlockBytes) {
        if (args.channels - c >= 16 || args.channels - c == 8) {
            run_line_block<kSize, kStride, kSigned>(args, segments.at, output, block, c);
        } else {
            dw_line_block<NeonInt8, kSize, kStride>(args, block, c);
        }
    }
}

template <int kSize, int kStride>
void run_by_output(const DwLineArgs& args) {
    using Kind = UpperByteOutput::Kind;
    switch (args.epilogue.float_output ? Kind::kOther : UpperByteOutput(args.epilogue).kind) {
        case Kind::kPositive:
        case Kind::kBounded: return run_blocks<kSize, kStride, false>(args);
        case Kind::kSigned: return run_blocks<kSize, kStride, true>(args);
        case Kind::kOther: break;
    }
    dw_line_run<NeonInt8, kSize, kStride>(args);
}

#else

template <int kSize, int kStride>
void run_by_output(const DwLineArgs& args) {
    dw_line_run<NeonInt8, kSize, kStride>(args);
}

#endif

}  // namespace

FW_DEFINE_DW_LINE_RUN(dw_line_int8_3x3s1_16_neon, kNeon, NeonInt8, 3, 1, (run_by_output<3, 1>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_3x3s2_16_neon, kNeon, NeonInt8, 3, 2, (run_by_output<3, 2>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_5x5s1_16_neon, kNeon, NeonInt8, 5, 1, (run_by_output<5, 1>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_5x5s2_16_neon, kNeon, NeonInt8, 5, 2, (run_by_output<5, 2>))

}  // namespace fw
