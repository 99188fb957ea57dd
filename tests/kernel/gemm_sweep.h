// Every GEMM kernel of kernels.inc against naive loops: all tile heights, widths around the vector's, lengths around
// the step's, several taps, scattered rows that end at an unmapped page, outputs with neighbours.
#pragma once

#include <vector>

#include "kernel_test_util.h"

namespace fw::test {

struct GemmCase {
    int64_t m, n, k, taps;
    Fill fill = Fill::kRandom;
    Epilogue epilogue;
    bool adjacent = false;  ///< nothing lies between the rows of the output
    float exponent = 0.0F;  ///< multipliers are larger by 2 to this
};

struct GemmOperands {
    std::vector<int8_t> a8, b8;
    std::vector<uint16_t> ah;  // of af, rounded
    std::vector<float> af, bf;
    std::vector<int32_t> bias8;
    std::vector<float> biasf, multiplier;
    std::vector<int8_t> residual;  // [row][column]
};

class GemmSweep : public KernelSweep<GemmKernel> {
protected:
    /// Checks every output, in each way that the kernel can be called for this case.
    void run(const GemmCase& c);

private:
    void run_one(const GemmCase& c);
    GemmOperands make(const GemmCase& c);
    float float_of(Fill fill) { return fill == Fill::kWhole ? fill_whole(&rng_) : fill_float(&rng_); }
    void check(const GemmCase& c, const GemmOperands& o, int64_t row, int64_t column, const char* out);

    int offset_ = -128;  ///< of `matched` kernels
};

/// A float output without bounds.
Epilogue no_clamp();
/// An int8 output from lo to hi.
Epilogue int8_output(int zero_point, int lo, int hi);

}  // namespace fw::test
