// What pooling does to the cells of a window, by element type.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/half.h"
#include "kernel/kernel.h"
#include "layer/support/float_runs.h"
#include "layer/support/pool_block.h"
#include "quant/quant.h"

namespace fw::pool {

// rne(v) + zero_point for v already in [lo - zero_point, hi - zero_point]: adding 1.5 * 2^23 rounds to a whole number.
inline int8_t round_clamped(float v, int32_t zero_point) {
    constexpr float kMagic = 12582912.0F;
    const float shifted = v + kMagic;
    int32_t bits = 0;
    std::memcpy(&bits, &shifted, sizeof(bits));
    return static_cast<int8_t>(bits - 0x4B400000 + zero_point);
}

/// `first` is the state's start value; finish() writes the result.
template <class T>
struct Max {
    using Value = T;
    using State = T;
    static constexpr bool kHasKernel = true;
    T first;  ///< the value of a window that covers no cell
    const PoolKernel* kernel = nullptr;

    void run(const PoolArgs& args) const {
        if constexpr (std::is_same_v<T, float>) {
            kernel->max_f32(args, first);
        } else {
            kernel->max_int8(args, first);
        }
    }

    void begin(int64_t /*cells*/, int64_t /*divisor*/) {}
    static void add(const Cells<T>& cells, int n, int64_t channel_stride, T* state) {
        max_cells(cells, n, channel_stride, state);
    }
    void finish(const T* state, int n, T* out, int64_t stride) const {
        for (int i = 0; i < n; ++i) {
            out[i * stride] = state[i];
        }
    }
};

struct AverageFloat {
    using Value = float;
    using State = float;
    static constexpr bool kHasKernel = false;
    float first = 0.0F;
    float scale = 1.0F;

    void begin(int64_t /*cells*/, int64_t divisor) { scale = divisor > 0 ? 1.0F / static_cast<float>(divisor) : 0.0F; }
    static void add(const Cells<float>& cells, int n, int64_t channel_stride, float* state) {
        sum_cells(cells, n, channel_stride, state);
    }
    void finish(const float* state, int n, float* out, int64_t stride) const {
        for (int i = 0; i < n; ++i) {
            out[i * stride] = state[i] * scale;
        }
    }
};

// A float operation on float16: cells are widened one by one, the result is rounded.
template <class Op>
struct Half {
    using Value = uint16_t;
    using State = float;
    static constexpr bool kHasKernel = Op::kHasKernel;
    Op op;
    HalfRuns runs;
    float first = op.first;
    const PoolKernel* kernel = nullptr;  ///< of a maximum, with max_f16
    uint16_t first_half = float_to_half(first);

    void run(const PoolArgs& args) const { kernel->max_f16(args, first_half); }
    void begin(int64_t cells, int64_t divisor) { op.begin(cells, divisor); }
    void add(const Cells<uint16_t>& cells, int n, int64_t channel_stride, float* state) const {
        if constexpr (!Op::kHasKernel) {  // an average
            if (runs.arithmetic != nullptr && channel_stride == 1) {
                for (int y = 0; y < cells.rows; ++y) {
                    runs.arithmetic->accumulate(cells.corner + y * cells.row_stride, cells.col_stride, cells.cols, n,
                                                state);
                }
                return;
            }
        }
        constexpr int kRow = 8;  // cells whose sum is taken first
        uint16_t gathered[kBlock];
        float row[kRow * kBlock];
        for (int y = 0; y < cells.rows; ++y) {
            for (int x = 0; x < cells.cols; x += kRow) {
                Cells<float> wide;
                wide.corner = row;
                wide.rows = 1;
                wide.cols = std::min(kRow, cells.cols - x);
                wide.col_stride = n;
                for (int i = 0; i < wide.cols; ++i) {
                    const uint16_t* cell = cells.corner + y * cells.row_stride + (x + i) * cells.col_stride;
                    runs.widen(gather_run(cell, channel_stride, n, gathered), n, row + int64_t{i} * n);
                }
                Op::add(wide, n, 1, state);
            }
        }
    }
    void finish(const float* state, int n, uint16_t* out, int64_t stride) const {
        float values[kBlock];
        uint16_t rounded[kBlock];
        op.finish(state, n, values, 1);
        uint16_t* to = scatter_target(out, stride, rounded);
        runs.narrow(values, n, to);
        scatter_run(to, n, out, stride);
    }
};

// The contract's formula: q = clamp(rne(float(sum of q - zp_in) * m) + zp_out).
struct AverageInt8 {
    using Value = int8_t;
    using State = int32_t;
    static constexpr bool kHasKernel = false;
    QuantParams in, out;
    int32_t first = 0;
    int64_t divisor = 0;
    float multiplier = 0.0F;
    int32_t offset = 0;  ///< zp_in of every cell that was added

    void begin(int64_t cells, int64_t new_divisor) {
        offset = static_cast<int32_t>(cells * in.zero_point);
        if (new_divisor != divisor) {
            divisor = new_divisor;
            multiplier = divisor > 0 ? average_multiplier(in, out, static_cast<double>(divisor)) : 0.0F;
        }
    }
    static void add(const Cells<int8_t>& cells, int n, int64_t channel_stride, int32_t* state) {
        sum_cells(cells, n, channel_stride, state);
    }
    void finish(const int32_t* state, int n, int8_t* to, int64_t stride) const {
        const auto lo = static_cast<float>(quant_min(out) - out.zero_point);
        const auto hi = static_cast<float>(kQuantMax - out.zero_point);
        for (int i = 0; i < n; ++i) {
            float v = static_cast<float>(state[i] - offset) * multiplier;
            v = v < lo ? lo : v;
            v = v > hi ? hi : v;
            to[i * stride] = round_clamped(v, out.zero_point);
        }
    }
};

}  // namespace fw::pool
