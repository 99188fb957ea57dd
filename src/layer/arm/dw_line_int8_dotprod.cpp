// The rows of a column are interleaved, so that each group of four bytes holds four taps of one channel for sdot.
#include "kernel/dw_line_driver.h"
#include "layer/arm/dw_line_5x5.h"
#include "layer/arm/gemm_words.h"

namespace fw {

namespace {

struct DotprodInt8 : ByteLanes16 {
    struct Bytes {
        int8x16_t v[4];
    };
    template <int kSize>
    using Column = Bytes;
    static constexpr int kKr = 4;
    static constexpr bool kInterleaved = true;
    template <int kSize>
    static constexpr int kParts = (kSize + 3) / 4;

    /// Of a window of several parts, where they are: an instruction loads them before they are used.
    template <int kSize, int kPart = 0>
    static FW_ALWAYS_INLINE auto load_weights(const void* p) {
        const auto* from = static_cast<const int8_t*>(p);
        if constexpr (kParts < kSize >> 1) {
            return from + 64 * kPart;
        } else {
            return Bytes{{vld1q_s8(from), vld1q_s8(from + 16), vld1q_s8(from + 32), vld1q_s8(from + 48)}};
        }
    }
    /// Missing rows repeat the last one; their weights are zero.
    template <int kSize, int kPart = 0>
    static FW_ALWAYS_INLINE Bytes load_column(const int8_t* const* rows, int64_t /*count*/) {
        int8x16_t row[4];
        unroll<4>([&](auto i) FW_INLINE_LAMBDA {
            if constexpr (4 * kPart + i < kSize) {
                row[i] = vld1q_s8(rows[4 * kPart + i]);
            } else {
                row[i] = row[i - 1];
            }
        });
        const auto pairs = [](int8x16_t x) FW_INLINE_LAMBDA { return vreinterpretq_s16_s8(x); };
        const int16x8_t low01 = pairs(vzip1q_s8(row[0], row[1])), high01 = pairs(vzip2q_s8(row[0], row[1]));
        const int16x8_t low23 = pairs(vzip1q_s8(row[2], row[3])), high23 = pairs(vzip2q_s8(row[2], row[3]));
        return {{vreinterpretq_s8_s16(vzip1q_s16(low01, low23)), vreinterpretq_s8_s16(vzip2q_s16(low01, low23)),
                 vreinterpretq_s8_s16(vzip1q_s16(high01, high23)), vreinterpretq_s8_s16(vzip2q_s16(high01, high23))}};
    }
    template <int kSize, int kPart = 0>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Bytes& x, const Bytes& w) {
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { acc.v[q] = vdotq_s32(acc.v[q], x.v[q], w.v[q]); });
        return acc;
    }
    // GCC 12 would load the weights of later columns first, for which there are no registers.
    template <int kSize, int kPart = 0>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Bytes& x, const int8_t* w) {
        __asm__(
            "ld1 {v0.16b-v3.16b}, [%[w]]\n"
            "sdot %0.4s, %[x0].16b, v0.16b\n sdot %1.4s, %[x1].16b, v1.16b\n"
            "sdot %2.4s, %[x2].16b, v2.16b\n sdot %3.4s, %[x3].16b, v3.16b\n"
            : "+w"(acc.v[0]), "+w"(acc.v[1]), "+w"(acc.v[2]), "+w"(acc.v[3])
            : [x0] "w"(x.v[0]), [x1] "w"(x.v[1]), [x2] "w"(x.v[2]), [x3] "w"(x.v[3]), [w] "r"(w),
              "m"(*reinterpret_cast<const int8_t(*)[64]>(w))
            : "v0", "v1", "v2", "v3");
        return acc;
    }
};

template <UpperByteOutput::Kind kKind>
struct WithWholeLines : WithUpperBytes<DotprodInt8, kKind> {
    template <int kSize, int kStride>
    static FW_ALWAYS_INLINE bool run_block(const DwLineArgs& args, const UpperByteOutput& output, const char* block,
                                           int64_t c) {
        if constexpr (kSize == 3) {
            return run_line_3x3<kStride, kKind == UpperByteOutput::Kind::kSigned>(args, output, block, c);
        } else {
            return run_line_5x5<kStride, kKind == UpperByteOutput::Kind::kSigned>(args, output, block, c);
        }
    }
};

/// The ways of storing apart: a choice for each pixel would cost more than its branch.
template <int kSize, int kStride>
void run_by_output(const DwLineArgs& args) {
    using Kind = UpperByteOutput::Kind;
    switch (args.epilogue.float_output ? Kind::kOther : UpperByteOutput(args.epilogue).kind) {
        case Kind::kPositive:
        case Kind::kBounded: return dw_line_run<WithWholeLines<Kind::kBounded>, kSize, kStride>(args);
        case Kind::kSigned: return dw_line_run<WithWholeLines<Kind::kSigned>, kSize, kStride>(args);
        case Kind::kOther: break;
    }
    dw_line_run<DotprodInt8, kSize, kStride>(args);
}

}  // namespace

FW_DEFINE_DW_LINE_RUN(dw_line_int8_3x3s1_16c4_dotprod, kDotprod, DotprodInt8, 3, 1, (run_by_output<3, 1>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_3x3s2_16c4_dotprod, kDotprod, DotprodInt8, 3, 2, (run_by_output<3, 2>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_5x5s1_16c4_dotprod, kDotprod, DotprodInt8, 5, 1, (run_by_output<5, 1>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_5x5s2_16c4_dotprod, kDotprod, DotprodInt8, 5, 2, (run_by_output<5, 2>))

}  // namespace fw
