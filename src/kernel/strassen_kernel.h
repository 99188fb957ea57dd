// What a level brings to Strassen's way (kernel/strassen.h).
#pragma once

#include "kernel/kernel.h"
#include "kernel/panel.h"

namespace fw {

constexpr int64_t kStrassenPlanes = 7;
/// Rows of a tile in memory; columns of a panel of weights.
constexpr int64_t kStrassenRows = 8;
constexpr int64_t kStrassenColumns = 16;

/// Pairs of rows of a product's first matrix to Strassen's seven planes of half as many elements, or of its result from
/// them. All is float16.
struct StrassenSums {
    void* const* rows = nullptr;  ///< [2 * pairs]; the last one of the result may be nullptr: it is left out
    int64_t pairs = 0;
    int64_t half = 0;  ///< elements of half a row, a multiple of 32
    /// Of the first matrix: [tile][half / 8][kStrassenRows][8], tiles as StrassenTiles has them, of any value in rows
    /// behind their last one; of the result: [pairs][half].
    void* planes = nullptr;
    int64_t plane = 0;  ///< bytes from plane to plane
    float lo = 0.0F;    ///< bounds of the result; NaN stays
    float hi = 0.0F;
};

/// One plane of the first matrix by panels of `columns` weights (pack_gemm) each, whose sums are as those of a `half`
/// GemmKernel.
struct StrassenProduct {
    const void* in = nullptr;  ///< the first matrix's plane
    int64_t pairs = 0;
    int64_t k = 0;                 ///< a multiple of 32
    const void* packed = nullptr;  ///< of the first panel, of kStrassenColumns
    int64_t panels = 0;
    bool bias = false;     ///< not all are 0
    void* out = nullptr;   ///< of the first panel's first column; kStrassenRows - 1 rows behind it may be written
    int64_t out_step = 0;  ///< bytes from row to row
};

struct StrassenKernel {
    const char* name;
    Isa level;
    void (*input)(const StrassenSums& args);
    void (*multiply)(const StrassenProduct& args);
    void (*output)(const StrassenSums& args);
};

namespace {

/// Pairs in tiles of at most kStrassenRows, as even as can be.
class StrassenTiles {
public:
    explicit StrassenTiles(int64_t pairs) : left_(pairs) {}
    /// Rows of the next tile; 0: there is none.
    int64_t next() {
        const int64_t rows = left_ > 0 ? div_up(left_, div_up(left_, kStrassenRows)) : 0;
        left_ -= rows;
        return rows;
    }

private:
    int64_t left_;
};

}  // namespace

}  // namespace fw
