// fmla by element: a register of A holds four rows. 24 accumulators; on ARMv7, which has half the registers, eight.
#include "kernel/gemm_block_driver.h"
#include "layer/arm/gemm_words.h"

namespace fw {

namespace {

/// acc + b * a[kLane]; fused where the architecture promises that.
template <int kLane>
FW_ALWAYS_INLINE float32x4_t add_product(float32x4_t acc, float32x4_t b, float32x4_t a) {
#if defined(__aarch64__)
    return vfmaq_laneq_f32(acc, b, a, kLane);
#else
    return vmlaq_lane_f32(acc, b, kLane < 2 ? vget_low_f32(a) : vget_high_f32(a), kLane % 2);
#endif
}

#if defined(__aarch64__)

// acc = the bias and the sums of `steps` steps of eight rows by three vectors, instruction by instruction: by one load
// for four vectors of A, the rows of two steps. A v0 to v3, B v4 to v6.
// clang-format off
#define FW_FMLA_ROWS(b, low, high, c0, c1, c2, c3, c4, c5, c6, c7)                                                 \
    "fmla %" c0 ".4s, v" b ".4s, v" low ".s[0]\n fmla %" c1 ".4s, v" b ".4s, v" low ".s[1]\n"                      \
    "fmla %" c2 ".4s, v" b ".4s, v" low ".s[2]\n fmla %" c3 ".4s, v" b ".4s, v" low ".s[3]\n"                      \
    "fmla %" c4 ".4s, v" b ".4s, v" high ".s[0]\n fmla %" c5 ".4s, v" b ".4s, v" high ".s[1]\n"                    \
    "fmla %" c6 ".4s, v" b ".4s, v" high ".s[2]\n fmla %" c7 ".4s, v" b ".4s, v" high ".s[3]\n"
#define FW_FMLA_STEP(low, high)                                                                                    \
    "ld1 {v4.4s-v6.4s}, [%[b]], #48\n"                                                                             \
    FW_FMLA_ROWS("4", low, high, "0", "3", "6", "9", "12", "15", "18", "21")                                       \
    FW_FMLA_ROWS("5", low, high, "1", "4", "7", "10", "13", "16", "19", "22")                                      \
    FW_FMLA_ROWS("6", low, high, "2", "5", "8", "11", "14", "17", "20", "23")
#define FW_FMLA_TWO_STEPS "ld1 {v0.4s-v3.4s}, [%[a]], #64\n" FW_FMLA_STEP("0", "1") FW_FMLA_STEP("2", "3")
#define FW_COPIES(c0, c1, c2)                                                                                      \
    "mov %" c0 ".16b, v4.16b\n mov %" c1 ".16b, v5.16b\n mov %" c2 ".16b, v6.16b\n"
#define FW_SUMS(r) "=w"(acc[r][0]), "=w"(acc[r][1]), "=w"(acc[r][2])
FW_ALWAYS_INLINE void sum_steps(const float* a, const void* b, int64_t steps, float32x4_t (&acc)[8][3]) {
    __asm__(
        "ld1 {v4.4s-v6.4s}, [%[b]], #48\n"
        FW_COPIES("0", "1", "2") FW_COPIES("3", "4", "5") FW_COPIES("6", "7", "8") FW_COPIES("9", "10", "11")
        FW_COPIES("12", "13", "14") FW_COPIES("15", "16", "17") FW_COPIES("18", "19", "20") FW_COPIES("21", "22", "23")
        "subs %[steps], %[steps], #8\n b.lt 2f\n"
        "1:\n" FW_FMLA_TWO_STEPS FW_FMLA_TWO_STEPS FW_FMLA_TWO_STEPS FW_FMLA_TWO_STEPS
        "subs %[steps], %[steps], #8\n b.ge 1b\n"
        "2:\n adds %[steps], %[steps], #8\n b.eq 4f\n"
        "3:\n ld1 {v0.4s-v1.4s}, [%[a]], #32\n" FW_FMLA_STEP("0", "1")
        "subs %[steps], %[steps], #1\n b.ne 3b\n"
        "4:\n"
        : FW_SUMS(0), FW_SUMS(1), FW_SUMS(2), FW_SUMS(3), FW_SUMS(4), FW_SUMS(5), FW_SUMS(6), FW_SUMS(7),
          [a] "+r"(a), [b] "+r"(b), [steps] "+r"(steps)
        :
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6");
}
// clang-format on

#endif

template <int kTileRows, int kTileVectors>
struct NeonF32 {
    using Element = float;
    using Packed = float;
    using Output = Epilogue;
    static constexpr int kMr = kTileRows, kLanes = 4, kVectors = kTileVectors, kKr = 1, kAdjacent = 1, kUnroll = 4,
                         kRows1 = 1;
    static constexpr bool kMarked = false;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = kRows == 8 && kVectors == 3;

    static FW_ALWAYS_INLINE void interleave(const float* const* rows, int64_t length, float* out) {
        const float* at[kMr];  // in registers: what is written might be rows[...]
        unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { at[r] = rows[r]; });
        for (int64_t p = 0; p < length; p += 4, out += 4 * kMr) {
            interleave_words<kMr>(at, p, out);
        }
    }

    template <int kRows, int kWide>
    struct Tile {
        float32x4_t acc[kRows][kWide];

        FW_ALWAYS_INLINE void start(const void* bias) {
            unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                const float32x4_t b = vld1q_f32(static_cast<const float*>(bias) + 4 * v);
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[r][v] = b; });
            });
        }
        FW_ALWAYS_INLINE void step(const float* a, const float* b) {
            float32x4_t va[(kRows + 3) / 4];
            float32x4_t vb[kWide];
            load_adjacent(a, va);
            load_adjacent(b, vb);
            unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                unroll<kRows>(
                    [&](auto r) FW_INLINE_LAMBDA { acc[r][v] = add_product<int(r) % 4>(acc[r][v], vb[v], va[r / 4]); });
            });
        }
#if defined(__aarch64__)
        FW_ALWAYS_INLINE void multiply(const float* a, const char* panel, int64_t length, const uint8_t* /*marks*/) {
            sum_steps(a, panel, length, acc);
        }
#endif
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Epilogue& e, const float* /*multiplier*/,
                                    int64_t column) const {
            const float32x4_t lo = vdupq_n_f32(e.lo);
            const float32x4_t hi = vdupq_n_f32(e.hi);
            const auto result = [&](auto r, float32x4_t(&row)[kWide]) FW_INLINE_LAMBDA {
                unroll<kWide>([&](auto v) FW_INLINE_LAMBDA { row[v] = clamp4(acc[r][v], lo, hi); });
            };
            store_tile<kRows, kWide>(args, column, args.n - column, result);
        }
    };
};

#if defined(__aarch64__)
using Rows = NeonF32<8, 3>;
#else
using Rows = NeonF32<4, 2>;
#endif

}  // namespace

#if defined(__aarch64__)
FW_DEFINE_GEMM_BLOCK(gemm_f32_8x12_neon, kNeon, Rows)
#else
FW_DEFINE_GEMM_BLOCK(gemm_f32_4x8_neon, kNeon, Rows)
#endif

}  // namespace fw
