// Depthwise convolution of bytes along a line, for layers of so few channels that the blocks of dw_line_driver.h would
// be mostly empty. Included by each kernel file and compiled with its flags.
//
// A vector has eight channels of one pixel, and the vectors of adjacent pixels are computed and stored together, as
// their bytes lie behind one another in memory. The rows of a piece of a line are interleaved once, on the stack: lane
// c of a vector there has a column's values of channel c from kKr rows. A tap of a window is then a whole vector in
// memory, whatever the stride is, and what is in the padding costs the loop nothing.
//
// A trait K has: Acc (8 sums), Weights, kKr, kUnsignedInput, kHeld (weights that stay in registers),
// kVectors (of a pixel that are worked on at once, up to 3), and
//   void interleave8(const int8_t* const* rows, char* to)             8 channels of kKr rows: 32 bytes
//   void interleave32<kStep>(const int8_t* const* rows, char* to)     32 bytes of each row: 4 such vectors, at
//                                                                     distances of kStep
//   Acc load_bias(const void*)
//   Weights load_weights(const void*)                                 8 * kKr of them
//   Acc multiply_add(Acc, const char* interleaved, Weights)
//   void store(const Epilogue&, Acc, const float* multiplier, void* out, int64_t count)      count <= 8
//   Output, made of an Epilogue, with
//       void store4<BentFunction>(const Acc (&)[4], const float* const (&multiplier)[4], void* out)      32 bytes
#pragma once

#include "kernel/dw_line_driver.h"

namespace fw {
namespace {

constexpr int kFewLanes = 8;
constexpr int kFewVectorBytes = 32;
/// Of a piece of a line. It shares the first-level cache with the rows that it is made of.
constexpr int kFewBytes = 8192;

/// Channels from `c` on, as many as kVectors vectors have.
template <class K, int kSize, int kStride, int kVectors>
struct FewLine {
    static constexpr int kGroups = (kSize + K::kKr - 1) / K::kKr;  // of rows
    static constexpr int kVector = kGroups * kFewVectorBytes;
    static constexpr int kColumn = kVectors * kVector;
    static constexpr int kColumns = kFewBytes / kColumn;
    static constexpr int kMostPixels = (kColumns - kSize) / kStride + 1;
    static constexpr int kTogether = kVectors % 2 == 0 ? 2 : 4;  // pixels whose vectors are stored by fours
    static constexpr int kRounds = kTogether * kVectors / 4;
    static constexpr int64_t kWeights = kFewLanes * K::kKr;
    static constexpr int64_t kBlock = kFewLanes * 8 + kSize * kGroups * kWeights;
    static_assert(kMostPixels >= kTogether, "");

    static constexpr int kTaps = kSize * kGroups;
    static constexpr bool kHolds = kVectors * kTaps <= K::kHeld;

    const DwLineArgs& args;
    const int64_t c;
    const char* const blocks;
    const int64_t channels;
    const int64_t out_size;
    alignas(32) char interleaved[kFewBytes + 4 * kVector];  // 32 bytes of rows may end within a column

    FewLine(const DwLineArgs& line, int64_t first_channel, const char* packed)
        : args(line),
          c(first_channel),
          blocks(packed),
          channels(line.channels - c < kVectors * kFewLanes ? line.channels - c : kVectors * kFewLanes),
          out_size(line.epilogue.float_output ? 4 : 1) {}

    /// The rows of a group; missing ones repeat the last one, their weights are zero.
    template <class Interleave>
    FW_ALWAYS_INLINE void for_each_group(const int8_t* const* rows, char* to, Interleave interleave) {
        unroll<kGroups>([&](auto g) FW_INLINE_LAMBDA {
            const int8_t* group[K::kKr];
            unroll<K::kKr>(
                [&](auto i) FW_INLINE_LAMBDA { group[i] = rows[g * K::kKr + i < kSize ? g * K::kKr + i : kSize - 1]; });
            interleave(group, to + g * kFewVectorBytes);
        });
    }
    /// Columns of the input or the padding, one by one.
    __attribute__((noinline)) char* take_columns(int64_t at, int64_t end, char* to) {
        for (; at < end; ++at) {
            const int8_t* rows[kSize];
            for (int y = 0; y < kSize; ++y) {
                const bool inside = at >= 0 && at < args.columns;
                const auto* line = static_cast<const int8_t*>(inside ? args.lines[y] : args.pad_row);
                rows[y] = line + (inside ? at * args.line_step[y] : 0) + c;
            }
            for (int v = 0; v < kVectors; ++v, to += kVector) {
                for_each_group(rows, to, [](const int8_t* const* group, char* vector) FW_INLINE_LAMBDA {
                    K::interleave8(group, vector);
                });
                for (const int8_t*& row : rows) {
                    row += kFewLanes;
                }
            }
        }
        return to;
    }
    /// Columns that lie in the input, with nothing between them.
    FW_ALWAYS_INLINE char* take_bytes(int64_t at, int64_t end, char* to) {
        const int8_t* rows[kSize];
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            rows[y] = static_cast<const int8_t*>(args.lines[y]) + at * args.line_step[y];
        });
        char* const behind = to + (end - at) * kColumn;
        for (; to < behind; to += 4 * kVector) {
            for_each_group(rows, to, [](const int8_t* const* group, char* vectors) FW_INLINE_LAMBDA {
                K::template interleave32<kVector>(group, vectors);
            });
            unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { rows[y] += 32; });
        }
        return behind;
    }
    FW_ALWAYS_INLINE void interleave(int64_t first, int64_t columns) {
        const int64_t end = first + columns;
        bool adjacent = channels == kVectors * kFewLanes;
        for (int y = 0; y < kSize; ++y) {
            adjacent = adjacent && args.line_step[y] == channels;
        }
        if (!adjacent) {
            take_columns(first, end, interleaved);
            return;
        }
        const int64_t begin = first < 0 ? (end < 0 ? end : 0) : first;
        const int64_t last = end < args.columns ? end : args.columns;
        char* to = take_columns(first, begin, interleaved);
        if (begin < last) {
            to = take_bytes(begin, last, to);
        }
        take_columns(begin < last ? last : begin, end, to);
    }
    FW_ALWAYS_INLINE const float* multiplier(int vector) const {
        return reinterpret_cast<const float*>(blocks + vector * kBlock + kFewLanes * 4);
    }
    FW_ALWAYS_INLINE typename K::Weights weights(int vector, int tap) const {
        return K::load_weights(blocks + vector * kBlock + kFewLanes * 8 + tap * kWeights);
    }
    /// The sum of a vector of the window at `from`.
    template <class WeightOf>
    static FW_ALWAYS_INLINE typename K::Acc add_taps(typename K::Acc sum, const char* from, WeightOf weight) {
        unroll<kTaps>([&](auto t) FW_INLINE_LAMBDA {
            const char* tap = from + t / kGroups * kColumn + t % kGroups * kFewVectorBytes;
            sum = K::multiply_add(sum, tap, weight(t));
        });
        return sum;
    }
    /// Any outputs, a vector at a time.
    __attribute__((noinline)) void compute_each(int64_t pixels, char* out) const {
        const char* from = interleaved;
        for (int64_t p = 0; p < pixels; ++p, from += kStride * kColumn, out += args.out_step) {
            for (int v = 0; v < kVectors; ++v) {
                const typename K::Acc sum = add_taps(K::load_bias(blocks + v * kBlock), from + v * kVector,
                                                     [&](auto t) FW_INLINE_LAMBDA { return weights(v, t); });
                const int64_t left = channels - v * kFewLanes;
                K::store(args.epilogue, sum, multiplier(v), out + v * kFewLanes * out_size,
                         left < kFewLanes ? left : kFewLanes);
            }
        }
    }
    /// Bytes that lie side by side. What is left at the end is computed with pixels before it once more.
    template <BentFunction kFunction>
    FW_ALWAYS_INLINE void compute_adjacent(int64_t pixels, char* out) const {
        const typename K::Output output(args.epilogue);
        typename K::Weights held[kVectors * kTaps];
        typename K::Acc bias[kVectors];
        unroll<kHolds ? kVectors * kTaps : 0>([&](auto i)
                                                  FW_INLINE_LAMBDA { held[i] = weights(i / kTaps, i % kTaps); });
        unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { bias[v] = K::load_bias(blocks + v * kBlock); });
        for (int64_t p = 0; p < pixels; p += kTogether) {
            const int64_t at = p + kTogether < pixels ? p : pixels - kTogether;
            const char* from = interleaved + at * (kStride * kColumn);
            unroll<kRounds>([&](auto round) FW_INLINE_LAMBDA {
                typename K::Acc acc[4];
                const float* multipliers[4];
                unroll<4>([&](auto i) FW_INLINE_LAMBDA {
                    constexpr int kPixel = (4 * int(round) + int(i)) / kVectors;
                    constexpr int kOf = (4 * int(round) + int(i)) % kVectors;
                    multipliers[i] = multiplier(kOf);
                    acc[i] = add_taps(
                        bias[kOf], from + kPixel * kStride * kColumn + kOf * kVector,
                        [&](auto t) FW_INLINE_LAMBDA { return kHolds ? held[kOf * kTaps + t] : weights(kOf, t); });
                });
                output.template store4<kFunction>(acc, multipliers, out + at * (kVectors * kFewLanes) + 32 * round);
            });
        }
    }
    void compute(int64_t pixels, char* out) const {
        if (out_size != 1 || channels != kVectors * kFewLanes || args.out_step != channels || pixels < kTogether) {
            compute_each(pixels, out);
        } else if (args.epilogue.bent == BentFunction::kIdentity) {
            compute_adjacent<BentFunction::kIdentity>(pixels, out);
        } else if (args.epilogue.bent == BentFunction::kLeakyRelu) {
            compute_adjacent<BentFunction::kLeakyRelu>(pixels, out);
        } else {
            compute_adjacent<BentFunction::kHardSwish>(pixels, out);
        }
    }
    void run() {
        char* out = static_cast<char*>(args.out) + c * out_size;
        for (int64_t p = 0; p < args.pixels; p += kMostPixels) {
            const int64_t pixels = args.pixels - p < kMostPixels ? args.pixels - p : kMostPixels;
            interleave(args.first_column + p * kStride, (pixels - 1) * kStride + kSize);
            compute(pixels, out + p * args.out_step);
        }
    }
};

template <class K, int kSize, int kStride>
void dw_few_run(const DwLineArgs& args) {
    const char* blocks = static_cast<const char*>(args.packed);
    for (int64_t c = 0; c < args.channels; c += K::kVectors * kFewLanes) {
        const int64_t vectors = div_up(args.channels - c, kFewLanes);
        unroll<K::kVectors>([&](auto v) FW_INLINE_LAMBDA {
            if (vectors == v + 1 || (vectors > v && v + 1 == K::kVectors)) {
                FewLine<K, kSize, kStride, v + 1>(args, c, blocks).run();
            }
        });
        blocks += K::kVectors * FewLine<K, kSize, kStride, 1>::kBlock;
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of trait `K` for windows of `size` x `size` at a horizontal `stride`, for up to `most`
/// channels.
#define FW_DEFINE_DW_FEW(id, isa, K, size, stride, most)                     \
    extern const ::fw::DwLineKernel id = {#id,                               \
                                          ::fw::Isa::isa,                    \
                                          true,                              \
                                          K::kUnsignedInput,                 \
                                          ::fw::kFewLanes,                   \
                                          K::kKr,                            \
                                          false,                             \
                                          size,                              \
                                          stride,                            \
                                          true,                              \
                                          ::fw::dw_few_run<K, size, stride>, \
                                          false,                             \
                                          most};
