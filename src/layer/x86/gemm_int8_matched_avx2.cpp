// Bytes are multiplied as they are (vpmaddubsw) and four products a lane are added in 16 bits: kernel/matched.h has why
// that is exact. 64 products take five instructions where vpmaddwd's pairs take eight and conversions.
#include <cstring>

#include "kernel/gemm_driver.h"
#include "kernel/matched.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2Bytes {
    using Element = int8_t;
    using Packed = int8_t;
    using Acc = __m256i;
    using Vec = __m256i;
    using ByteStore = ByteStore8;
    static constexpr int kMr = 6, kVectors = 2, kLanes = 8, kKr = 8;
    static constexpr bool kInt8 = true, kInlinesTiles = true;

    template <int kCount>
    static FW_ALWAYS_INLINE void copy_row(const int8_t* from, int8_t* to) {
        unroll<kCount / 16>([&](auto i) FW_INLINE_LAMBDA {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + i,
                             _mm_loadu_si128(reinterpret_cast<const __m128i*>(from) + i));
        });
    }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_a(const void* four) {
        int32_t bytes = 0;
        std::memcpy(&bytes, four, sizeof(bytes));
        return _mm256_set1_epi32(bytes);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        if (count > 0) {
            store_accumulators8(e, acc, multiplier, out, count);
        }
    }
};

// What activations of a tile are beyond the window, of one group of four: above it, or below.
struct Rest {
    int32_t group;
    int32_t sign;  // 1 or -1 in both halves
    uint8_t rows[Avx2Bytes::kMr][kGroup];
};

// The memory of a tile's rows: GemmArgs::scratch.
struct TileRows {
    uint8_t* rows = nullptr;  // [kMr][pitch]: min(q - window, 127), 0 below it
    int64_t pitch = 0;
    Rest* rests = nullptr;
    int64_t rest_count = 0;
};
constexpr int kScratchSize = 4;  // of an element of the rows: itself, and two rests a group
static_assert(kScratchSize * Avx2Bytes::kMr * kGroup >= Avx2Bytes::kMr * kGroup + 2 * static_cast<int>(sizeof(Rest)),
              "rests fit behind the rows");

// Takes down the rests of 32 elements from `first` on; `groups` of them are within the rows.
__attribute__((noinline)) void add_rests(const __m256i* rests, int64_t rows, int64_t first, int64_t groups,
                                         int32_t sign, TileRows* tile) {
    constexpr int64_t kGroups = 32 / kGroup;
    alignas(32) uint8_t bytes[Avx2Bytes::kMr][32] = {};
    __m256i all = _mm256_setzero_si256();
    for (int64_t r = 0; r < rows; ++r) {
        all = _mm256_or_si256(all, rests[r]);
        _mm256_store_si256(reinterpret_cast<__m256i*>(bytes[r]), rests[r]);
    }
    const __m256i none = _mm256_cmpeq_epi32(all, _mm256_setzero_si256());
    unsigned mask = ~static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(none)));
    mask &= groups < kGroups ? (1U << groups) - 1 : (1U << kGroups) - 1;
    for (; mask != 0; mask &= mask - 1) {
        const int g = __builtin_ctz(mask);
        Rest& rest = tile->rests[tile->rest_count++];
        rest.group = static_cast<int32_t>(first / kGroup) + g;
        rest.sign = sign;
        for (int r = 0; r < Avx2Bytes::kMr; ++r) {
            std::memcpy(rest.rows[r], bytes[r] + g * kGroup, kGroup);
        }
    }
}

// Copies the rows and takes them apart.
TileRows make_rows(const GemmArgs& args, int window) {
    const int64_t length = args.taps * args.k;
    TileRows tile;
    tile.rows = static_cast<uint8_t*>(args.scratch);
    tile.pitch = packed_row_pitch(length);
    tile.rests = reinterpret_cast<Rest*>(tile.rows + Avx2Bytes::kMr * tile.pitch);
    pack_rows<Avx2Bytes>(args, tile.pitch);
    const __m256i flip = _mm256_set1_epi8(-128);  // q + 128
    const __m256i most = _mm256_set1_epi8(127);
    const __m256i begin = _mm256_set1_epi8(static_cast<char>(window + 128));
    const __m256i end = _mm256_set1_epi8(static_cast<char>(window + 255));
    for (int64_t p = 0; p < length; p += 32) {
        __m256i above[Avx2Bytes::kMr];
        __m256i below[Avx2Bytes::kMr];
        __m256i any_above = _mm256_setzero_si256();
        __m256i any_below = _mm256_setzero_si256();
        for (int64_t r = 0; r < args.m; ++r) {
            auto* at = reinterpret_cast<__m256i*>(tile.rows + r * tile.pitch + p);
            const __m256i x = _mm256_xor_si256(_mm256_loadu_si256(at), flip);
            _mm256_storeu_si256(at, _mm256_min_epu8(_mm256_subs_epu8(x, begin), most));
            above[r] = _mm256_subs_epu8(x, end);
            below[r] = _mm256_subs_epu8(begin, x);
            any_above = _mm256_or_si256(any_above, above[r]);
            any_below = _mm256_or_si256(any_below, below[r]);
        }
        const int64_t groups = group_count(length - p);
        if (_mm256_testz_si256(any_above, any_above) == 0) {
            add_rests(above, args.m, p, groups, 0x00010001, &tile);
        }
        if (_mm256_testz_si256(any_below, any_below) == 0) {
            add_rests(below, args.m, p, groups, -1, &tile);
        }
    }
    return tile;
}

struct PanelOrder {
    const uint16_t* steps;  // [count][2]
    int64_t count;
    const uint16_t* place;  // [groups]
};

template <int kRows, int kVectors>
FW_ALWAYS_INLINE void matched_tile(const GemmArgs& args, const TileRows& from, const PanelOrder& order,
                                   const char* panel, int64_t column) {
    using K = Avx2Bytes;
    constexpr int64_t kVectorBytes = sizeof(__m256i);
    constexpr int64_t kGroupBytes = kVectors * kVectorBytes;
    const __m256i ones = _mm256_set1_epi16(1);
    Tile<K, kRows, kVectors> tile(panel);
    const char* const weights = panel + 2 * kGroupBytes;
    const char* b = weights;
    const uint16_t* const end = order.steps + 2 * order.count;
    for (const uint16_t* step = order.steps; step != end; step += 2, b += 2 * kGroupBytes) {
        const uint8_t* first = from.rows + step[0] * kGroup;
        const uint8_t* second = from.rows + step[1] * kGroup;
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            const __m256i x = K::load_a(first + r * from.pitch);
            const __m256i y = K::load_a(second + r * from.pitch);
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const __m256i sum = _mm256_add_epi16(
                    _mm256_maddubs_epi16(x, K::load_b(b + v * kVectorBytes)),
                    _mm256_maddubs_epi16(y, K::load_b(b + kGroupBytes + v * kVectorBytes)));
                tile.acc[r][v] = _mm256_add_epi32(tile.acc[r][v], _mm256_madd_epi16(sum, ones));
            });
        });
    }
    for (int64_t i = 0; i < from.rest_count; ++i) {
        const Rest& rest = from.rests[i];
        const char* group = weights + order.place[rest.group] * kGroupBytes;
        const __m256i sign = _mm256_set1_epi32(rest.sign);
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            const __m256i x = K::load_a(rest.rows[r]);
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const __m256i sum = _mm256_maddubs_epi16(x, K::load_b(group + v * kVectorBytes));
                tile.acc[r][v] = _mm256_add_epi32(tile.acc[r][v], _mm256_madd_epi16(sum, sign));
            });
        });
    }
    tile.store(args, panel, column);
}

template <int kVectors>
void matched_rows(const GemmArgs& args, const TileRows& from, const PanelOrder& order, const char* panel,
                  int64_t column) {
    if (args.m > 4) {
        matched_tile<Avx2Bytes::kMr, kVectors>(args, from, order, panel, column);
    } else if (args.m > 1) {
        matched_tile<4, kVectors>(args, from, order, panel, column);
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
        const TileRows rows = make_rows(tile, header.window);
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

extern const GemmKernel gemm_int8_6x16c8_avx2 = {"gemm_int8_6x16c8_avx2",
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
