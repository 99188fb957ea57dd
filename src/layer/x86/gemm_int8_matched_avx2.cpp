// Bytes are multiplied as they are (vpmaddubsw) and four products a lane are added in 16 bits: kernel/matched.h has why
// that is exact. 64 products take five instructions where vpmaddwd's pairs take eight and conversions.
#include <cstring>

#include "kernel/gemm_driver.h"
#include "kernel/matched.h"
#include "layer/x86/matched_rows.h"

namespace fw {

namespace {

struct PanelOrder {
    const uint16_t* steps;  // [count][2]
    int64_t count;
    const uint16_t* place;  // [groups]
};

constexpr int64_t kVectorBytes = sizeof(__m256i);
template <int kVectors>
constexpr int64_t kGroupBytes = kVectors* kVectorBytes;

// Products of a tile's rests, times `sign`.
template <int kRows, int kVectors>
FW_ALWAYS_INLINE void add_rests(const TileRows& from, TileRows::Kind kind, int sign, const uint16_t* place,
                                const char* weights, Tile<Avx2Bytes, kRows, kVectors>* tile) {
    const __m256i signs = _mm256_set1_epi16(static_cast<short>(sign));
    const int64_t length = from.length(kind);
    for (int64_t i = 0; i < length; ++i) {
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            const char* group = weights + place[from.groups(kind, r)[i]] * kGroupBytes<kVectors>;
            const __m256i x = Avx2Bytes::load_a(from.bytes(kind, r) + i);
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const __m256i sum = _mm256_maddubs_epi16(x, Avx2Bytes::load_b(group + v * kVectorBytes));
                tile->acc[r][v] = _mm256_add_epi32(tile->acc[r][v], _mm256_madd_epi16(sum, signs));
            });
        });
    }
}

// A function for each shape, so that accumulators have all registers.
template <int kRows, int kVectors>
__attribute__((noinline)) void matched_tile(const GemmArgs& args, const TileRows& from, const PanelOrder& order,
                                            const char* panel, int64_t column) {
    using K = Avx2Bytes;
    const __m256i ones = _mm256_set1_epi16(1);
    Tile<K, kRows, kVectors> tile(panel);
    const char* b = panel + 2 * kGroupBytes<kVectors>;
    add_rests(from, TileRows::kAbove, 1, order.place, b, &tile);
    add_rests(from, TileRows::kBelow, -1, order.place, b, &tile);
    const int64_t pitch = from.pitch();
    constexpr int64_t kStep = 2 * kGroupBytes<kVectors>;
    const uint16_t* const end = order.steps + 2 * order.count;
    for (const uint16_t* step = order.steps; step != end; step += 2, b += kStep) {
        const uint8_t* first = from.rows() + step[0] * kGroup;
        const uint8_t* second = from.rows() + step[1] * kGroup;
        __m256i vb[2][kVectors];
        unroll<2 * kVectors>(
            [&](auto i) FW_INLINE_LAMBDA { vb[i / kVectors][i % kVectors] = K::load_b(b + i * kVectorBytes); });
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            const __m256i x = K::load_a(first + r * pitch);
            const __m256i y = K::load_a(second + r * pitch);
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const __m256i sum =
                    _mm256_add_epi16(_mm256_maddubs_epi16(x, vb[0][v]), _mm256_maddubs_epi16(y, vb[1][v]));
                tile.acc[r][v] = _mm256_add_epi32(tile.acc[r][v], _mm256_madd_epi16(sum, ones));
            });
        });
    }
    tile.store(args, panel, column);
}

template <int kVectors>
void matched_rows(const GemmArgs& args, const TileRows& from, const PanelOrder& order, const char* panel,
                  int64_t column) {
    if (args.m > 1) {
        matched_tile<Avx2Bytes::kMr, kVectors>(args, from, order, panel, column);
    } else {
        matched_tile<1, kVectors>(args, from, order, panel, column);
    }
}

void run_matched(const GemmArgs& args) {
    using K = Avx2Bytes;
    MatchedHeader header;
    std::memcpy(&header, args.packed, sizeof(header));
    const char* const panels = static_cast<const char*>(args.packed) + sizeof(header);
    const int64_t column_bytes = 8 + 2 * kGroup * header.steps;
    const int64_t order_size = group_order_size(header.steps, group_count(args.taps * args.k));
    const auto* const orders =
        reinterpret_cast<const uint16_t*>(panels + div_up(args.n, K::kLanes) * K::kLanes * column_bytes);
    GemmArgs tile = args;
    for (int64_t left = args.m; left > 0; left -= K::kMr) {
        tile.m = left < K::kMr ? left : K::kMr;
        const TileRows rows(tile, header.offset);
        for (int64_t i = args.panel_begin; i < args.panel_end; ++i) {
            const Panel at = panel_at(i, args.n, K::kLanes, K::kVectors);
            const uint16_t* numbers = orders + i * order_size;
            const PanelOrder order = {numbers + 1, numbers[0], numbers + 1 + 2 * int64_t{header.steps}};
            const char* panel = panels + at.column * column_bytes;
            if (at.vectors == 2) {
                matched_rows<2>(tile, rows, order, panel, at.column);
            } else {
                matched_rows<1>(tile, rows, order, panel, at.column);
            }
        }
        tile.rows += tile.taps * K::kMr;
        tile.out += K::kMr;
    }
}

}  // namespace

extern const GemmKernel gemm_int8_4x16c8_avx2 = {"gemm_int8_4x16c8_avx2",
                                                 Isa::kAvx2,
                                                 true,
                                                 HalfFormat::kFloat32,
                                                 false,
                                                 kScratchSize,
                                                 Avx2Bytes::kMr,
                                                 Avx2Bytes::kLanes,
                                                 Avx2Bytes::kVectors,
                                                 Avx2Bytes::kKr,
                                                 false,
                                                 false,
                                                 kBends<Avx2Bytes>,
                                                 run_matched,
                                                 false,
                                                 false,
                                                 true};

}  // namespace fw
