// Weights into Winograd's frequencies.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/memory.h"
#include "kernel/winograd_layout.h"

namespace fw {

namespace {

// Weights to the frequencies: a row a frequency, times the three of a filter (G of Lavin and Gray).
constexpr double kToFrequencies4[6][3] = {{1.0 / 4, 0, 0},
                                          {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                          {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                          {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                          {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                          {0, 0, 1}};
// The same for points +-sqrt(1/2) and +-sqrt(2), times 4.
constexpr double kRoot = 1.41421356237309504880;
constexpr double kToFrequenciesHalf[6][3] = {{4, 0, 0},
                                             {-8.0 / 3, -4.0 / 3 * kRoot, -4.0 / 3},
                                             {-8.0 / 3, 4.0 / 3 * kRoot, -4.0 / 3},
                                             {2.0 / 3, 2.0 / 3 * kRoot, 4.0 / 3},
                                             {2.0 / 3, -2.0 / 3 * kRoot, 4.0 / 3},
                                             {0, 0, 4}};
constexpr double kToFrequencies6[8][3] = {{1, 0, 0},
                                          {-2.0 / 9, -2.0 / 9, -2.0 / 9},
                                          {-2.0 / 9, 2.0 / 9, -2.0 / 9},
                                          {1.0 / 90, 1.0 / 45, 2.0 / 45},
                                          {1.0 / 90, -1.0 / 45, 2.0 / 45},
                                          {32.0 / 45, 16.0 / 45, 8.0 / 45},
                                          {32.0 / 45, -16.0 / 45, 8.0 / 45},
                                          {0, 0, 1}};
// The weights of one frequency, [n][k].
void transform_floats(const double (&factor)[9], const GemmWeights& weights, float* out) {
    const auto k = static_cast<size_t>(weights.k);
    const auto* filter = static_cast<const float*>(weights.values);
    for (int64_t j = 0; j < weights.n; ++j, filter += 9 * k, out += k) {
        for (size_t c = 0; c < k; ++c) {
            double sum = 0;
            for (size_t i = 0; i < 9; ++i) {
                sum += factor[i] * static_cast<double>(filter[i * k + c]);
            }
            out[c] = static_cast<float>(sum);
        }
    }
}

constexpr int64_t kMostWords = 64;  // of a step of a panel, see PairGemmKernel
using Taps = uint16_t[9][kMostWords];

uint16_t word(int value) {
    return static_cast<uint16_t>(value);
}

// The filters of `real` columns for channel c and, where there is one, the next: a word each in every tap, `step` from
// column to column and `second` from channel to channel.
template <int64_t kTapStep>
void gather_taps(const GemmWeights& weights, const int8_t* filters, int64_t c, int64_t real, int64_t step,
                 int64_t second, Taps& taps) {
    const int64_t tap_step = kTapStep > 0 ? kTapStep : weights.k;
    const int64_t channel_step = kTapStep > 0 ? 9 : 1;
    const bool whole = c + 1 < weights.k;
    const int8_t* from = filters + c * channel_step;
    for (int64_t j = 0; j < real; ++j, from += 9 * weights.k) {
        for (int t = 0; t < 9; ++t) {
            taps[t][j * step] = word(from[t * tap_step]);
        }
        for (int t = 0; t < 9; ++t) {
            taps[t][j * step + second] = whole ? word(from[t * tap_step + channel_step]) : uint16_t{0};
        }
    }
}

// The matrices of pairs of 16 bits as pack_gemm writes them, a step of a panel in all of them at once.
void pack_words(const Winograd& winograd, const GemmWeights& weights, bool taps_last, char* out) {
    const GemmKernel& gemm = *winograd.gemm;
    const size_t plane = winograd_plane_bytes(winograd, weights.k, weights.n);
    const int64_t pairs = winograd_length(winograd, weights.k);
    const int64_t column_bytes = gemm_column_bytes(1, pairs, gemm.kr, gemm.weight_bytes(), false);
    Taps taps = {};
    for (int64_t p = 0; p < panel_count(weights.n, gemm.lanes, gemm.vectors); ++p) {
        const Panel panel = panel_at(p, weights.n, gemm.lanes, gemm.vectors);
        const int64_t columns = panel.vectors * gemm.lanes;
        const int64_t real = std::min(columns, weights.n - panel.column);
        const auto* filters = static_cast<const int8_t*>(weights.values) + panel.column * 9 * weights.k;
        const int64_t step = gemm.pairs_apart ? 1 : 2;          // from column to column
        const int64_t second = gemm.pairs_apart ? columns : 1;  // from a pair's first value to the other
        char* to = out + panel.column * column_bytes;
        const auto head = static_cast<size_t>(4 * columns);
        for (int i = 0; i < winograd.planes(); ++i) {
            std::memset(to + static_cast<size_t>(i) * plane, 0, head);  // bias
        }
        to += head;
        for (int t = 0; t < 9; ++t) {
            std::fill_n(taps[t], 2 * columns, uint16_t{0});  // columns past the end
        }
        for (int64_t c = 0; c < weights.k; c += 2, to += head) {
            if (taps_last) {
                gather_taps<1>(weights, filters, c, real, step, second, taps);
            } else {
                gather_taps<0>(weights, filters, c, real, step, second, taps);
            }
            winograd.kernel->filter({taps[0], kMostWords, 2 * columns, static_cast<int64_t>(plane), to});
        }
    }
}

bool pack_floats(const Winograd& winograd, const GemmWeights& weights, char* out) {
    const std::shared_ptr<void> values = allocate_shared_bytes(static_cast<size_t>(weights.n * weights.k) * 4, nullptr);
    if (values == nullptr) {
        return false;
    }
    GemmWeights plane;
    plane.n = weights.n;
    plane.k = weights.k;
    plane.values = values.get();
    const double(*floats)[3] = winograd.kernel->half        ? kToFrequenciesHalf
                               : winograd.kernel->size == 4 ? kToFrequencies4
                                                            : kToFrequencies6;
    for (int y = 0; y < winograd.tile(); ++y) {
        for (int x = 0; x < winograd.tile(); ++x, out += winograd_plane_bytes(winograd, weights.k, weights.n)) {
            double factor[9];
            for (int i = 0; i < 9; ++i) {
                factor[i] = floats[y][i / 3] * floats[x][i % 3];
            }
            transform_floats(factor, weights, static_cast<float*>(values.get()));
            pack_gemm(*winograd.gemm, plane, out);
        }
    }
    return true;
}

}  // namespace

bool winograd_fits(const GemmWeights& weights) {
    constexpr int64_t kMostWeight = (int64_t{1} << 25) / 128 - 1;
    constexpr int64_t kPart = int64_t{1} << 23;  // whose sum fits 32 bits
    if (9 * weights.k <= kMostWeight / 128) {
        return true;  // whatever they are
    }
    const auto* values = static_cast<const int8_t*>(weights.values);
    for (int64_t j = 0; j < weights.n; ++j) {
        int64_t sum = 0;
        for (int64_t left = 9 * weights.k; left > 0; left -= kPart) {
            const int64_t count = std::min(left, kPart);
            int32_t part = 0;
            for (int64_t i = 0; i < count; ++i) {
                part += std::abs(int{values[i]});
            }
            values += count;
            sum += part;
        }
        if (sum > kMostWeight) {
            return false;
        }
    }
    return true;
}

bool winograd_fits_half(const GemmWeights& weights) {
    constexpr float kMostWeight = 65504.0F / 35;  // the sum of a frequency's nine factors is below 34.7
    const auto* values = static_cast<const float*>(weights.values);
    return std::all_of(values, values + 9 * weights.n * weights.k,
                       [](float value) { return std::fabs(value) <= kMostWeight; });
}

size_t packed_winograd_bytes(const Winograd& winograd, const GemmWeights& weights) {
    const auto tail = static_cast<size_t>(winograd_padded(winograd, weights.n)) * (winograd.kernel->int8 ? 8 : 4);
    return static_cast<size_t>(winograd.planes()) * winograd_plane_bytes(winograd, weights.k, weights.n) +
           round_up(tail, kAlignment);
}

bool pack_winograd(const Winograd& winograd, const GemmWeights& weights, void* out, bool taps_last) {
    const bool int8 = winograd.kernel->int8;
    char* to = static_cast<char*>(out);
    if (int8) {
        pack_words(winograd, weights, taps_last, to);
    } else if (!pack_floats(winograd, weights, to)) {
        return false;
    }
    to += static_cast<size_t>(winograd.planes()) * winograd_plane_bytes(winograd, weights.k, weights.n);
    const auto count = static_cast<size_t>(weights.n);
    const auto tail = static_cast<size_t>(winograd_padded(winograd, weights.n));
    std::memset(to, 0, tail * (int8 ? 8 : 4));
    if (weights.bias != nullptr) {
        std::memcpy(to, weights.bias, count * 4);
    }
    if (int8) {
        std::memcpy(to + tail * 4, weights.multiplier, count * 4);
    }
    return true;
}

}  // namespace fw
