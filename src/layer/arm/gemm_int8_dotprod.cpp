// sdot by element: a lane of A holds four products' worth of one row, a vector of B those of four columns. 24
// accumulators; two registers of A hold eight rows.
#include "layer/arm/gemm_int8.h"

namespace fw {

namespace {

struct DotprodInt8 {
    using Element = int8_t;
    using Output = ByteOutput;
    static constexpr int kMr = 8, kVectors = 3, kKr = 4, kUnroll = 4, kRows1 = 1;
    static constexpr bool kMarked = false;

    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        for (int64_t p = 0; p < length; p += 16, out += 128) {
            interleave_words<8>(rows, p, out);
        }
    }

    template <int kRows, int kVectors>
    struct Tile {
        int32x4_t acc[kRows][kVectors];

        explicit FW_ALWAYS_INLINE Tile(const void* bias) {
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int32x4_t b = vld1q_s32(static_cast<const int32_t*>(bias) + 4 * v);
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[r][v] = b; });
            });
        }
        FW_ALWAYS_INLINE void step(const int8_t* a, const int8_t* b) {
            int8x16_t va[(kRows + 3) / 4];
            load_adjacent(a, va);
            int8x16_t vb[kVectors];
            load_adjacent(b, vb);
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                    acc[r][v] = vdotq_laneq_s32(acc[r][v], vb[v], va[r / 4], int(r) % 4);
                });
            });
        }
        template <int kRow>
        FW_ALWAYS_INLINE void row(int32x4_t* x) const {
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { x[v] = acc[kRow][v]; });
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Output& output, const float* multiplier,
                                    int64_t column) const {
            store_tile<kRows, kVectors>(*this, args, output, multiplier, column);
        }
    };
};

}  // namespace

FW_DEFINE_GEMM_BLOCK(gemm_int8_8x12c4_dotprod, kDotprod, DotprodInt8)

}  // namespace fw
