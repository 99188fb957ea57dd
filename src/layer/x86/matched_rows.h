// Rows of a `matched` kernel (kernel/matched.h) at AVX2: the dense part of a tile's activations, and their rests.
#pragma once

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
    static constexpr int kMr = 4, kVectors = 2, kLanes = 8, kKr = 8;
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

// The memory of a tile's rows, GemmArgs::scratch: the dense part, then lists of the groups that have a rest, one of
// what is above the dense part and one of what is below it for each row. Lists of a kind are as long as the longest:
// zeros follow.
class TileRows {
public:
    TileRows(const GemmArgs& args, int offset);

    enum Kind { kAbove, kBelow, kKinds };
    const uint8_t* rows() const { return rows_; }
    int64_t pitch() const { return pitch_; }
    int64_t length(Kind kind) const { return longest_[kind]; }
    const uint32_t* bytes(Kind kind, int64_t row) const { return lists_ + (kind * kMr + row) * 2 * list_size_; }
    const uint32_t* groups(Kind kind, int64_t row) const { return bytes(kind, row) + list_size_; }

private:
    static constexpr int kMr = Avx2Bytes::kMr;
    template <bool kHasBelow>
    void split(const void* const* from, int64_t count, int64_t to);
    template <bool kHasBelow>
    void split_taps(const GemmArgs& args);
    FW_ALWAYS_INLINE void add(const __m256i& rest, Kind kind, int64_t row, int64_t first, int64_t groups);
    void end_lists(Kind kind);

    uint8_t* rows_;
    int64_t pitch_;
    uint32_t* lists_;    // [kind][row][bytes or groups][list_size_]
    int64_t list_size_;  // groups of a row, and two vectors more
    int64_t counts_[kKinds][kMr];
    int64_t longest_[kKinds];
    __m256i begin_, end_;
};
// Bytes of scratch memory of an element of the rows: itself and a quarter of two times two numbers.
constexpr int kScratchSize = 5;

// Which of eight numbers a mask leaves, in front.
struct Compaction {
    uint8_t index[256][8] = {};
    constexpr Compaction() {
        for (int mask = 0; mask < 256; ++mask) {
            int count = 0;
            for (int i = 0; i < 8; ++i) {
                if ((mask >> i & 1) != 0) {
                    index[mask][count++] = static_cast<uint8_t>(i);
                }
            }
        }
    }
};
constexpr Compaction kCompaction;

// The first `groups` of 32 rests, from element `first` of the row on.
FW_ALWAYS_INLINE void TileRows::add(const __m256i& rest, Kind kind, int64_t row, int64_t first, int64_t groups) {
    const __m256i none = _mm256_cmpeq_epi32(rest, _mm256_setzero_si256());
    unsigned mask = ~static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(none))) & 0xffU;
    mask &= groups < 8 ? (1U << groups) - 1 : 0xffU;
    const __m256i index = _mm256_cvtepu8_epi32(
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(static_cast<const void*>(kCompaction.index[mask]))));
    uint32_t* to = lists_ + (kind * kMr + row) * 2 * list_size_ + counts_[kind][row];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permutevar8x32_epi32(rest, index));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + list_size_),
                        _mm256_add_epi32(index, _mm256_set1_epi32(static_cast<int>(first / kGroup))));
    counts_[kind][row] += __builtin_popcount(mask);
}

void TileRows::end_lists(Kind kind) {
    int64_t longest = 0;
    for (const int64_t count : counts_[kind]) {
        longest = longest < count ? count : longest;
    }
    longest_[kind] = longest;
    for (int64_t r = 0; r < kMr && longest > 0; ++r) {
        uint32_t* list = lists_ + (kind * kMr + r) * 2 * list_size_;
        for (int64_t i = counts_[kind][r]; i < longest; i += 8) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(list + i), _mm256_setzero_si256());
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(list + list_size_ + i), _mm256_setzero_si256());
        }
    }
}

// `count` elements of each row, which begin at element `to`.
template <bool kHasBelow>
void TileRows::split(const void* const* from, int64_t count, int64_t to) {
    const __m256i flip = _mm256_set1_epi8(-128);  // q + 128
    const __m256i most = _mm256_set1_epi8(127);
    for (int64_t p = 0; p < count; p += 32) {
        __m256i above[kMr];
        __m256i below[kMr];
        unroll<kMr>([&](auto r) FW_INLINE_LAMBDA {
            const auto* at = reinterpret_cast<const __m256i*>(static_cast<const char*>(from[r]) + p);
            const __m256i x = _mm256_xor_si256(_mm256_loadu_si256(at), flip);
            const __m256i lifted = kHasBelow ? _mm256_subs_epu8(x, begin_) : x;
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(rows_ + r * pitch_ + to + p), _mm256_min_epu8(lifted, most));
            above[r] = _mm256_subs_epu8(x, end_);
            below[r] = kHasBelow ? _mm256_subs_epu8(begin_, x) : _mm256_setzero_si256();
        });
        const int64_t groups = group_count(count - p);
        const auto add_all = [&](Kind kind, const __m256i* rest) FW_INLINE_LAMBDA {
            const __m256i any = _mm256_or_si256(_mm256_or_si256(rest[0], rest[1]), _mm256_or_si256(rest[2], rest[3]));
            if (_mm256_testz_si256(any, any) == 0) {
                unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { add(rest[r], kind, r, to + p, groups); });
            }
        };
        add_all(kAbove, above);
        if (kHasBelow) {
            add_all(kBelow, below);
        }
    }
}

template <bool kHasBelow>
void TileRows::split_taps(const GemmArgs& args) {
    if (args.taps == 1 || args.k % kGroup == 0) {
        const void* const* from = args.rows;
        for (int64_t t = 0; t < args.taps; ++t, from += kMr) {
            split<kHasBelow>(from, args.k, t * args.k);
        }
        return;
    }
    // Groups have elements of two taps: those are copied first.
    GemmArgs all = args;
    all.m = kMr;
    pack_rows<Avx2Bytes>(all, pitch_);
    const void* from[kMr];
    unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { from[r] = rows_ + r * pitch_; });
    split<kHasBelow>(from, args.taps * args.k, 0);
}

TileRows::TileRows(const GemmArgs& args, int offset)
    : rows_(static_cast<uint8_t*>(args.scratch)),
      pitch_(packed_row_pitch(args.taps * args.k)),
      lists_(reinterpret_cast<uint32_t*>(rows_ + kMr * pitch_)),
      list_size_(pitch_ / kGroup),
      begin_(_mm256_set1_epi8(static_cast<char>(offset + 128))),
      end_(_mm256_set1_epi8(static_cast<char>(offset + 255))) {
    for (auto& kind : counts_) {
        for (int64_t& count : kind) {
            count = 0;
        }
    }
    longest_[kBelow] = 0;
    if (offset == -128) {
        split_taps<false>(args);
    } else {
        split_taps<true>(args);
        end_lists(kBelow);
    }
    end_lists(kAbove);
}

}  // namespace
}  // namespace fw
