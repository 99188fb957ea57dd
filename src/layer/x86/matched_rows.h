// Rows of a `matched` kernel (kernel/matched.h): the dense part of a tile's activations, and lists of their rests.
// Included by each kernel file and compiled with its flags; matched_driver.h has what a trait K has.
#pragma once

#include "kernel/gemm_driver.h"
#include "kernel/matched.h"

namespace fw {
namespace {

// The memory of a tile's rows, GemmArgs::scratch: the dense part, then lists of the groups that have a rest, one of
// what is above the dense part and one of what is below it for each row. Lists of a kind are as long as the longest:
// zeros follow.
template <class K>
class TileRows {
public:
    TileRows(const GemmArgs& args, int offset);

    enum Kind { kAbove, kBelow, kKinds };
    const uint8_t* rows() const { return rows_; }
    int64_t pitch() const { return pitch_; }
    int64_t length(int kind) const { return longest_[kind]; }
    const uint32_t* bytes(int kind, int64_t row) const { return list(kind, row); }
    const uint32_t* groups(int kind, int64_t row) const { return bytes(kind, row) + list_size_; }

private:
    using Vec = typename K::Vec;
    static constexpr int kMr = K::kMr;
    static constexpr int kBytes = sizeof(Vec);
    static constexpr int kGroups = kBytes / kGroup;  // of a vector

    void split(const void* const* from, int64_t count, int64_t to);
    void join(const GemmArgs& args, int64_t row);
    FW_ALWAYS_INLINE void add(Kind kind, const Vec* rests, int64_t first, int64_t groups);
    void end_lists(Kind kind);
    uint32_t* list(int kind, int64_t row) const { return lists_ + (kind * kMr + row) * 2 * list_size_; }

    uint8_t* rows_;
    int64_t pitch_;
    uint32_t* lists_;    // [kind][row][bytes or groups][list_size_]
    int64_t list_size_;  // groups of a row, and 16 more
    bool has_below_;     // else all are from `offset` on
    int64_t counts_[kKinds][kMr] = {};
    int64_t longest_[kKinds] = {};
    Vec begin_, end_;
};
// Bytes of scratch memory of an element of the rows: itself and a quarter of two times two numbers.
constexpr int kMatchedScratchSize = 5;

// A vector of rests of each row, from element `first` on; no more than `groups` of them.
template <class K>
FW_ALWAYS_INLINE void TileRows<K>::add(Kind kind, const Vec* rests, int64_t first, int64_t groups) {
    Vec any = rests[0];
    unroll<kMr - 1>([&](auto r) FW_INLINE_LAMBDA { any = any | rests[r + 1]; });
    if (K::is_zero(any)) {
        return;
    }
    constexpr unsigned kAll = (1U << kGroups) - 1;
    const unsigned inside = groups < kGroups ? (1U << groups) - 1 : kAll;
    const Vec numbers = K::count_from(static_cast<int>(first / kGroup));
    unroll<kMr>([&](auto r) FW_INLINE_LAMBDA {
        const unsigned mask = K::nonzero(rests[r]) & inside;
        uint32_t* to = list(kind, r) + counts_[kind][r];
        K::save(to, K::in_front(mask, rests[r]));
        K::save(to + list_size_, K::in_front(mask, numbers));
        counts_[kind][r] += K::count(mask);
    });
}

template <class K>
void TileRows<K>::end_lists(Kind kind) {
    int64_t longest = 0;
    for (const int64_t count : counts_[kind]) {
        longest = longest < count ? count : longest;
    }
    longest_[kind] = longest;
    for (int64_t r = 0; r < kMr && longest > 0; ++r) {
        for (int64_t i = counts_[kind][r]; i < longest; i += kGroups) {
            K::save(list(kind, r) + i, K::bytes(0));
            K::save(list(kind, r) + list_size_ + i, K::bytes(0));
        }
    }
}

// `count` elements of each row, which begin at element `to`.
template <class K>
void TileRows<K>::split(const void* const* from, int64_t count, int64_t to) {
    const Vec flip = K::bytes(-128);  // q + 128
    const Vec most = K::bytes(127);
    for (int64_t p = 0; p < count; p += kBytes) {
        const auto bytes = [&](int r)
                               FW_INLINE_LAMBDA { return K::load(static_cast<const char*>(from[r]) + p) ^ flip; };
        Vec rests[kMr];
        const int64_t groups = group_count(count - p);
        if (has_below_) {  // before the dense part is written: that may be where these rows are
            unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { rests[r] = K::less(begin_, bytes(r)); });
            add(kBelow, rests, to + p, groups);
        }
        unroll<kMr>([&](auto r) FW_INLINE_LAMBDA {
            const Vec x = bytes(r);
            K::save(rows_ + r * pitch_ + to + p, K::least(K::less(x, begin_), most));
            rests[r] = K::less(x, end_);
        });
        add(kAbove, rests, to + p, groups);
    }
}

// Writes all taps of a row one behind the other, where the dense part will be.
template <class K>
void TileRows<K>::join(const GemmArgs& args, int64_t row) {
    const void* const* from = args.rows + row;
    uint8_t* to = rows_ + row * pitch_;
    for (int64_t t = 0; t < args.taps; ++t, from += kMr, to += args.k) {
        for (int64_t p = 0; p < args.k; p += kBytes) {
            K::save(to + p, K::load(static_cast<const char*>(*from) + p));
        }
    }
}

template <class K>
TileRows<K>::TileRows(const GemmArgs& args, int offset)
    : rows_(static_cast<uint8_t*>(args.scratch)),
      pitch_(packed_row_pitch(args.taps * args.k)),
      lists_(reinterpret_cast<uint32_t*>(rows_ + kMr * pitch_)),
      list_size_(pitch_ / kGroup),
      has_below_(offset > -128),
      begin_(K::bytes(offset + 128)),
      end_(K::bytes(offset + 255)) {
    const void* const* from = args.rows;
    int64_t count = args.k;
    const void* joined[kMr];
    if (args.taps > 1 && args.k % kGroup != 0) {  // groups have elements of two taps
        for (int64_t r = 0; r < kMr; ++r) {
            join(args, r);
            joined[r] = rows_ + r * pitch_;
        }
        from = joined;
        count *= args.taps;
    }
    const int64_t length = args.taps * args.k;
    for (int64_t to = 0; to < length; to += count, from += kMr) {
        split(from, count, to);
    }
    end_lists(kAbove);
    end_lists(kBelow);
}

}  // namespace
}  // namespace fw
