#include "kernel/pack.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "base/half.h"
#include "base/memory.h"
#include "kernel/match_groups.h"
#include "kernel/matched.h"
#include "kernel/panel.h"

namespace fw {

namespace {

// What a kernel takes from its activations.
template <class Kernel>
int offset_of(const Kernel& kernel) {
    return kernel.unsigned_input ? -128 : 0;
}

// The bias of a kernel whose activations are q - offset. Sums wrap as the kernels' do.
int32_t corrected_bias(const void* bias, int64_t channel, const int8_t* row, int64_t count, int offset) {
    uint32_t value = bias == nullptr ? 0 : static_cast<uint32_t>(static_cast<const int32_t*>(bias)[channel]);
    if (offset != 0) {
        uint32_t sum = 0;
        for (int64_t i = 0; i < count; ++i) {
            sum += static_cast<uint32_t>(int32_t{row[i]});
        }
        value += static_cast<uint32_t>(offset) * sum;
    }
    return static_cast<int32_t>(value);
}

// Writes the bias of a channel; past the end, zero.
void pack_bias(bool int8, int offset, int64_t channel, int64_t channels, int64_t row_count, const void* values,
               const void* bias, char* out) {
    if (int8) {
        const auto* row = static_cast<const int8_t*>(values) + channel * row_count;
        const int32_t value = channel < channels ? corrected_bias(bias, channel, row, row_count, offset) : 0;
        std::memcpy(out, &value, 4);
    } else {
        const float value = channel < channels && bias != nullptr ? static_cast<const float*>(bias)[channel] : 0.0F;
        std::memcpy(out, &value, 4);
    }
}

// Writes `columns` values of bias (and of multiplier); channels past the end get zeros.
char* pack_head(bool int8, int offset, int64_t first, int64_t columns, int64_t channels, int64_t row_count,
                const void* values, const void* bias, const float* multiplier, char* out) {
    for (int64_t j = first; j < first + columns; ++j, out += 4) {
        pack_bias(int8, offset, j, channels, row_count, values, bias, out);
    }
    for (int64_t j = first; int8 && j < first + columns; ++j, out += 4) {
        const float value = j < channels ? multiplier[j] : 0.0F;
        std::memcpy(out, &value, 4);
    }
    return out;
}

// `columns` rows of kKr values, `step` apart, one after the other.
template <int64_t kKr, class T>
void copy_columns(const T* from, int64_t step, int64_t columns, T* out) {
    for (int64_t j = 0; j < columns; ++j, from += step, out += kKr) {
        for (int64_t i = 0; i < kKr; ++i) {
            out[i] = from[i];
        }
    }
}

template <class T>
void copy_columns(int64_t kr, const T* from, int64_t step, int64_t columns, T* out) {
    switch (kr) {
        case 1: return copy_columns<1>(from, step, columns, out);
        case 2: return copy_columns<2>(from, step, columns, out);
        case 4: return copy_columns<4>(from, step, columns, out);
        case 8: return copy_columns<8>(from, step, columns, out);
        default: break;
    }
    for (int64_t j = 0; j < columns; ++j) {
        std::copy_n(from + j * step, kr, out + j * kr);
    }
}

// [column][tap][k] to [tap][k / kr][column][kr], or to [tap * k / kr][column][kr] where the kernel packs rows of A.
template <class T>
void pack_panel(GemmWeights w, bool packs_rows, int64_t first, int64_t columns, int64_t kr, T* out) {
    const T* values = static_cast<const T*>(w.values);
    if (packs_rows) {
        w.k *= w.taps;
        w.taps = 1;
    }
    const int64_t real = w.n - first < columns ? w.n - first : columns;
    const int64_t step = w.taps * w.k;
    for (int64_t t = 0; t < w.taps; ++t) {
        for (int64_t p = 0; p < w.k; p += kr, out += columns * kr) {
            const int64_t count = w.k - p < kr ? w.k - p : kr;
            const T* row = values + (first * w.taps + t) * w.k + p;
            if (count == kr) {
                copy_columns(kr, row, step, real, out);
                std::fill(out + real * kr, out + columns * kr, T(0));
                continue;
            }
            std::fill_n(out, columns * kr, T(0));
            for (int64_t j = 0; j < real; ++j, row += step) {
                std::copy_n(row, count, out + j * kr);
            }
        }
    }
}

// [channel][tap] to [tap / kr][channel][kr].
template <class T>
void pack_block(const DwWeights& w, int64_t first, int64_t lanes, int64_t kr, T* out) {
    const T* values = static_cast<const T*>(w.values);
    for (int64_t t = 0; t < w.taps; t += kr) {
        for (int64_t c = first; c < first + lanes; ++c) {
            for (int64_t i = t; i < t + kr; ++i) {
                *out++ = c < w.channels && i < w.taps ? values[c * w.taps + i] : T(0);
            }
        }
    }
}

int64_t dw_block_bytes(const DwKernel& kernel, int64_t taps) {
    const int64_t padded = div_up(taps, kernel.kr) * kernel.kr;
    return kernel.lanes * (kernel.int8 ? 8 + padded : 4 + padded * 4);
}

int64_t dw_line_block_bytes(const DwLineKernel& kernel) {
    const int64_t padded = kernel.size * div_up(kernel.size, kernel.kr) * kernel.kr;
    return kernel.lanes * (kernel.int8 ? 8 + padded : 4 + padded * (kernel.half ? 2 : 4));
}

// The channel of a block's lane. Unpacking kr rows within 128 bits brings channels 4 * q to 4 * q + 3 of every 4 * kr
// into register q of kr.
int64_t lane_channel(const DwLineKernel& kernel, int64_t lane) {
    if (!kernel.interleaved) {
        return lane;
    }
    const int64_t vector = kernel.lanes / kernel.kr;
    const int64_t in_vector = lane % vector;
    return in_vector / 4 * 4 * kernel.kr + lane / vector * 4 + in_vector % 4;
}

template <class T>
void pack_line_block(const DwLineKernel& kernel, const DwWeights& w, int64_t first, T* out) {
    const T* values = static_cast<const T*>(w.values);
    for (int x = 0; x < kernel.size; ++x) {
        for (int y0 = 0; y0 < kernel.size; y0 += kernel.kr) {
            for (int lane = 0; lane < kernel.lanes; ++lane) {
                const int64_t c = first + lane_channel(kernel, lane);
                for (int y = y0; y < y0 + kernel.kr; ++y) {
                    *out++ = c < w.channels && y < kernel.size ? values[c * w.taps + y * kernel.size + x] : T(0);
                }
            }
        }
    }
}

// GemmKernel::marked. The values are [pair][columns][2].
void mark_panel(const int8_t* values, int64_t length, int64_t columns, uint8_t* marks) {
    constexpr int64_t kLanes = 8;  // four columns
    const int64_t steps = panel_marks(length) - 1;
    for (int64_t i = 0; i < steps; ++i, values += 8 * columns) {
        unsigned mark = 0;
        for (int64_t lane = 0; lane < 2 * columns; ++lane) {
            int least = 0;
            int most = 0;
            for (int64_t pair = 0; pair < 4; ++pair) {
                const int weight = int{values[pair * 2 * columns + lane]};
                least += std::min(-128 * weight, 127 * weight);
                most += std::max(-128 * weight, 127 * weight);
            }
            const bool fits =
                least >= std::numeric_limits<int16_t>::min() && most <= std::numeric_limits<int16_t>::max();
            mark |= fits ? 0U : 1U << lane / kLanes;
        }
        marks[i] = static_cast<uint8_t>(mark);
    }
    marks[steps] = static_cast<uint8_t>((1 << columns / 4) + (length <= 8 * steps ? 1 : 0));
}

// A panel of a `marked` kernel.
void pack_marked(const GemmKernel& kernel, const GemmWeights& w, int64_t first, int64_t columns, char* out,
                 uint8_t* marks) {
    const int64_t length = w.taps * w.k;
    const auto head_bytes = static_cast<size_t>(4 * columns);
    std::vector<char> head(2 * head_bytes);
    pack_head(true, offset_of(kernel), first, columns, w.n, length, w.values, w.bias, w.multiplier, head.data());
    std::memcpy(out, head.data(), head_bytes);
    auto* values = reinterpret_cast<int8_t*>(out + head_bytes);
    const int64_t count = div_up(length, kernel.kr) * kernel.kr * columns;
    std::fill_n(values, count, int8_t{0});
    pack_panel(w, true, first, columns, 2, values);
    mark_panel(values, length, columns, marks);
    std::memcpy(out + head_bytes + count, &head[head_bytes], head_bytes);
}

// GemmKernel::pairs_apart.
void take_pairs_apart(int64_t steps, int64_t columns, char* values) {
    constexpr int64_t kHalf = sizeof(int16_t);
    const auto step_bytes = static_cast<size_t>(2 * columns * kHalf);
    std::vector<char> pairs(step_bytes);
    for (int64_t i = 0; i < steps; ++i, values += step_bytes) {
        std::memcpy(pairs.data(), values, step_bytes);
        for (int64_t j = 0; j < columns; ++j) {
            std::memcpy(values + kHalf * j, &pairs[static_cast<size_t>(2 * kHalf * j)], kHalf);
            std::memcpy(values + kHalf * (columns + j), &pairs[static_cast<size_t>(2 * kHalf * j + kHalf)], kHalf);
        }
    }
}

int64_t column_bytes_of(const GemmKernel& kernel, const GemmWeights& weights) {
    return gemm_column_bytes(weights.taps, weights.k, kernel.kr, kernel.weight_bytes(), kernel.packed_size > 0);
}

// A `matched` kernel's.
void pack_matched(const GemmKernel& kernel, const GemmWeights& w, const GroupOrder& order, char* out) {
    MatchedHeader header;
    header.steps = static_cast<int32_t>(order.steps);
    header.offset = w.offset;
    std::memcpy(out, &header, sizeof(header));
    out += sizeof(header);
    const int64_t panels = panel_count(w.n, kernel.lanes, kernel.vectors);
    std::vector<int8_t> scratch;
    for (int64_t i = 0; i < panels; ++i) {
        const Panel panel = panel_at(i, w.n, kernel.lanes, kernel.vectors);
        const int64_t columns = panel.vectors * kernel.lanes;
        out = pack_head(true, w.offset, panel.column, columns, w.n, w.taps * w.k, w.values, w.bias, w.multiplier, out);
        out = pack_steps(w, order, i, panel.column, columns, &scratch, out);
    }
    std::memcpy(out, order.panels.data(), order.panels.size() * sizeof(uint16_t));
}

}  // namespace

size_t packed_gemm_bytes(const GemmKernel& kernel, const GemmWeights& weights) {
    if (kHasMatched && kernel.matched) {
        const GroupOrder made = weights.order == nullptr ? match_groups(kernel, weights) : GroupOrder();
        return packed_matched_bytes(kernel, weights, weights.order == nullptr ? made : *weights.order);
    }
    const int64_t vectors = div_up(weights.n, kernel.lanes);
    const int64_t panels = panel_count(weights.n, kernel.lanes, kernel.vectors);
    const int64_t marks = kernel.marked ? panels * panel_marks(weights.taps * weights.k) : 0;
    const int64_t column = column_bytes_of(kernel, weights);
    return round_up(static_cast<size_t>(vectors * kernel.lanes * column + marks), 4);
}

void pack_gemm(const GemmKernel& kernel, const GemmWeights& weights, void* out) {
    if (kHasMatched && kernel.matched) {
        const GroupOrder made = weights.order == nullptr ? match_groups(kernel, weights) : GroupOrder();
        pack_matched(kernel, weights, weights.order == nullptr ? made : *weights.order, static_cast<char*>(out));
        return;
    }
    const int64_t column_bytes = column_bytes_of(kernel, weights);
    const int64_t panels = panel_count(weights.n, kernel.lanes, kernel.vectors);
    const int64_t steps = div_up(weights.taps * weights.k, kernel.kr);
    auto* marks = static_cast<uint8_t*>(out) + div_up(weights.n, kernel.lanes) * kernel.lanes * column_bytes;
    for (int64_t i = 0; i < panels; ++i) {
        const Panel panel = panel_at(i, weights.n, kernel.lanes, kernel.vectors);
        const int64_t columns = panel.vectors * kernel.lanes;
        char* to = static_cast<char*>(out) + panel.column * column_bytes;
        if (kernel.marked) {
            pack_marked(kernel, weights, panel.column, columns, to, marks + i * panel_marks(weights.taps * weights.k));
            continue;
        }
        to = pack_head(kernel.int8, offset_of(kernel), panel.column, columns, weights.n, weights.taps * weights.k,
                       weights.values, weights.bias, weights.multiplier, to);
        if (kernel.int8) {
            pack_panel(weights, kernel.packed_size > 0, panel.column, columns, kernel.kr,
                       reinterpret_cast<int8_t*>(to));
        } else if (kernel.half != HalfFormat::kFloat32) {
            std::vector<float> wide(static_cast<size_t>(columns * (column_bytes - 4) / 2));
            pack_panel(weights, kernel.packed_size > 0, panel.column, columns, kernel.kr, wide.data());
            std::transform(wide.begin(), wide.end(), reinterpret_cast<uint16_t*>(to),
                           kernel.half == HalfFormat::kFloat16 ? float_to_half : float_to_bfloat16);
        } else {
            pack_panel(weights, kernel.packed_size > 0, panel.column, columns, kernel.kr, reinterpret_cast<float*>(to));
            if (kernel.pairs_apart) {
                take_pairs_apart(steps, columns, to);
            }
        }
    }
}

size_t packed_half_bytes(const GemmKernel& kernel, const GemmWeights& weights) {
    const int64_t columns = div_up(weights.n, kernel.lanes) * kernel.lanes;
    return static_cast<size_t>(columns *
                               gemm_column_bytes(weights.taps, weights.k, kernel.kr, 2, kernel.packed_size > 0));
}

void pack_half(const GemmKernel& kernel, const GemmWeights& weights, const void* packed, void* out) {
    const bool packs_rows = kernel.packed_size > 0;
    const int64_t wide = gemm_column_bytes(weights.taps, weights.k, kernel.kr, 4, packs_rows);
    const int64_t narrow = gemm_column_bytes(weights.taps, weights.k, kernel.kr, 2, packs_rows);
    const int64_t panels = panel_count(weights.n, kernel.lanes, kernel.vectors);
    for (int64_t i = 0; i < panels; ++i) {
        const Panel panel = panel_at(i, weights.n, kernel.lanes, kernel.vectors);
        const int64_t columns = panel.vectors * kernel.lanes;
        const char* from = static_cast<const char*>(packed) + panel.column * wide;
        char* to = static_cast<char*>(out) + panel.column * narrow;
        std::memcpy(to, from, static_cast<size_t>(columns) * 4);
        const auto* values = reinterpret_cast<const float*>(from + columns * 4);
        std::transform(values, values + columns * (wide - 4) / 4, reinterpret_cast<uint16_t*>(to + columns * 4),
                       float_to_half);
    }
}

void widen_panels(const GemmKernel& kernel, const GemmWeights& shape, const void* halves, int64_t begin, int64_t end,
                  void (*widen)(const uint16_t* half, int64_t count, float* out), void* out) {
    const bool packs_rows = kernel.packed_size > 0;
    const int64_t wide = gemm_column_bytes(shape.taps, shape.k, kernel.kr, 4, packs_rows);
    const int64_t narrow = gemm_column_bytes(shape.taps, shape.k, kernel.kr, 2, packs_rows);
    char* to = static_cast<char*>(out);
    for (int64_t i = begin; i < end; ++i) {
        const Panel panel = panel_at(i, shape.n, kernel.lanes, kernel.vectors);
        const int64_t columns = panel.vectors * kernel.lanes;
        const char* from = static_cast<const char*>(halves) + panel.column * narrow;
        std::memcpy(to, from, static_cast<size_t>(columns) * 4);
        widen(reinterpret_cast<const uint16_t*>(from + columns * 4), columns * (wide - 4) / 4,
              reinterpret_cast<float*>(to + columns * 4));
        to += columns * wide;
    }
}

size_t gemm_scratch_bytes(const GemmKernel& kernel, int64_t taps, int64_t k) {
    return static_cast<size_t>(kernel.mr * packed_row_pitch(taps * k) * kernel.packed_size);
}

size_t packed_dw_bytes(const DwKernel& kernel, const DwWeights& weights) {
    return static_cast<size_t>(div_up(weights.channels, kernel.lanes) * dw_block_bytes(kernel, weights.taps));
}

void pack_dw(const DwKernel& kernel, const DwWeights& weights, void* out) {
    char* to = static_cast<char*>(out);
    for (int64_t c = 0; c < weights.channels; c += kernel.lanes, to += dw_block_bytes(kernel, weights.taps)) {
        char* values = pack_head(kernel.int8, offset_of(kernel), c, kernel.lanes, weights.channels, weights.taps,
                                 weights.values, weights.bias, weights.multiplier, to);
        if (kernel.int8) {
            pack_block(weights, c, kernel.lanes, kernel.kr, reinterpret_cast<int8_t*>(values));
        } else {
            pack_block(weights, c, kernel.lanes, kernel.kr, reinterpret_cast<float*>(values));
        }
    }
}

size_t packed_dw_line_bytes(const DwLineKernel& kernel, const DwWeights& weights) {
    return static_cast<size_t>(div_up(weights.channels, kernel.lanes) * dw_line_block_bytes(kernel));
}

void pack_dw_line(const DwLineKernel& kernel, const DwWeights& weights, void* out) {
    char* to = static_cast<char*>(out);
    for (int64_t first = 0; first < weights.channels; first += kernel.lanes, to += dw_line_block_bytes(kernel)) {
        char* at = to;
        for (int lane = 0; lane < kernel.lanes; ++lane, at += 4) {
            const int64_t c = first + lane_channel(kernel, lane);
            // One channel: its own bias, or a zero past the end.
            pack_bias(kernel.int8, offset_of(kernel), c, weights.channels, weights.taps, weights.values, weights.bias,
                      at);
            if (kernel.int8) {
                const float multiplier = c < weights.channels ? weights.multiplier[c] : 0.0F;
                std::memcpy(at + kernel.lanes * 4, &multiplier, 4);
            }
        }
        if (kernel.int8) {
            pack_line_block(kernel, weights, first, reinterpret_cast<int8_t*>(at + kernel.lanes * 4));
        } else if (kernel.half) {
            std::vector<float> wide(static_cast<size_t>(dw_line_block_bytes(kernel) / 2 - kernel.lanes * 2));
            pack_line_block(kernel, weights, first, wide.data());
            std::transform(wide.begin(), wide.end(), reinterpret_cast<uint16_t*>(at), float_to_half);
        } else {
            pack_line_block(kernel, weights, first, reinterpret_cast<float*>(at));
        }
    }
}

}  // namespace fw
