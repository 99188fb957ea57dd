// Inner loops of pooling: one output pixel, a block of channels. Plain loops that the compiler turns into vectors.
#pragma once

#include <cstdint>

namespace fw::pool {

/// Channels a block: accumulators of all of them stay in registers or the first-level cache.
constexpr int kBlock = 64;

/// The cells of the image that a window covers, as a corner and strides in elements.
template <class T>
struct Cells {
    const T* corner = nullptr;
    int rows = 0;
    int cols = 0;
    int64_t row_stride = 0;
    int64_t col_stride = 0;
    int64_t channel_stride = 1;
};

// `n` is a constant where the caller has a whole block and the channel stride 1 for adjacent channels; both are
// inlined.

/// best[i] = max(best[i], every cell of channel i). NaN never wins.
template <class T>
inline void max_cells(const Cells<T>& cells, int n, int64_t channel_stride, T* best) {
    for (int y = 0; y < cells.rows; ++y) {
        for (int x = 0; x < cells.cols; ++x) {
            const T* cell = cells.corner + y * cells.row_stride + x * cells.col_stride;
            for (int i = 0; i < n; ++i) {
                const T value = cell[i * channel_stride];
                best[i] = value > best[i] ? value : best[i];
            }
        }
    }
}

/// total[i] += every cell of channel i; rows are added up first, which keeps the error of large windows small.
inline void sum_cells(const Cells<float>& cells, int n, int64_t channel_stride, float* total) {
    float row[kBlock];
    for (int y = 0; y < cells.rows; ++y) {
        for (int i = 0; i < n; ++i) {
            row[i] = 0.0F;
        }
        for (int x = 0; x < cells.cols; ++x) {
            const float* cell = cells.corner + y * cells.row_stride + x * cells.col_stride;
            for (int i = 0; i < n; ++i) {
                row[i] += cell[i * channel_stride];
            }
        }
        for (int i = 0; i < n; ++i) {
            total[i] += row[i];
        }
    }
}

/// The same in int8, exactly: 16-bit sums of at most 255 cells, then 32-bit ones.
inline void sum_cells(const Cells<int8_t>& cells, int n, int64_t channel_stride, int32_t* total) {
    constexpr int kCells = 255;  // 255 * 128 < 2^15
    int16_t row[kBlock];
    for (int y = 0; y < cells.rows; ++y) {
        for (int x0 = 0; x0 < cells.cols; x0 += kCells) {
            const int x1 = cells.cols - x0 < kCells ? cells.cols : x0 + kCells;
            for (int i = 0; i < n; ++i) {
                row[i] = 0;
            }
            for (int x = x0; x < x1; ++x) {
                const int8_t* cell = cells.corner + y * cells.row_stride + x * cells.col_stride;
                for (int i = 0; i < n; ++i) {
                    row[i] = static_cast<int16_t>(row[i] + cell[i * channel_stride]);
                }
            }
            for (int i = 0; i < n; ++i) {
                total[i] += row[i];
            }
        }
    }
}

}  // namespace fw::pool
