// Sizes and operands of GEMM kernels.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/half.h"
#include "base/memory.h"
#include "gemm_sweep.h"
#include "kernel/pack.h"
#include "kernel/panel.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

// Element i of a row of floats, or of float16 in the same memory.
void set_element(bool half, std::vector<float>* row, size_t i, float value) {
    if (half) {
        const uint16_t bits = float_to_half(value);
        std::memcpy(reinterpret_cast<char*>(row->data()) + 2 * i, &bits, 2);
    } else {
        (*row)[i] = value;
    }
}

TEST(Panels, AreThoseOfPanelAt) {
    for (const int64_t n : {1, 4, 12, 13, 44, 64, 100, 1000}) {
        const int64_t count = panel_count(n, 4, 3);
        for (int64_t begin = 0; begin < count; ++begin) {
            for (const int64_t most : {int64_t{1}, int64_t{2}, count}) {
                Panels panels(begin, n, 4, 3);
                int64_t alike = 0;
                for (int64_t i = begin; i < count; i += alike) {
                    Panel next = panels.next(std::min(most, count - i), &alike);
                    ASSERT_GT(alike, 0);
                    ASSERT_LE(alike, std::min(most, count - i));
                    for (int64_t j = i; j < i + alike; ++j, next.column += next.vectors * 4) {
                        const Panel at = panel_at(j, n, 4, 3);
                        ASSERT_EQ(next.column, at.column) << n << ", " << begin << ", " << j;
                        ASSERT_EQ(next.vectors, at.vectors) << n << ", " << begin << ", " << j;
                    }
                    ASSERT_TRUE(most == 1 || i + alike == count || alike == most ||
                                panel_at(i + alike, n, 4, 3).vectors != next.vectors);
                }
            }
        }
    }
}

TEST_P(GemmSweep, SizesMatchNaiveLoops) {
    const int64_t lanes = kernel_->lanes;
    const int64_t nr = lanes * kernel_->vectors;
    for (const int64_t m :
         {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{4}, int64_t{5}, kernel_->mr - int64_t{1}, int64_t{kernel_->mr}}) {
        if (m > kernel_->mr) {
            continue;
        }
        for (const int64_t n :
             {int64_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes + 3, nr - 1, nr, nr + 1, 2 * nr + 7}) {
            for (const int64_t k : {1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 64}) {
                for (const int64_t taps : {1, 9}) {
                    run({m, n, k, taps, Fill::kRandom, no_clamp()});
                    if (kernel_->half != HalfFormat::kFloat32) {
                        run({m, n, k, taps, Fill::kWhole, no_clamp()});
                    }
                    if (kernel_->int8) {
                        run({m, n, k, taps, Fill::kRandom, int8_output(0, -127, 127)});
                    }
                    if (HasFatalFailure()) {
                        return;
                    }
                }
            }
        }
    }
}

TEST_P(GemmSweep, LongSumsAndExtremes) {
    const Epilogue output = kernel_->int8 ? int8_output(-128, -128, 127) : no_clamp();
    for (const Fill fill : {Fill::kRandom, Fill::kLowest, Fill::kHighest, Fill::kOpposite}) {
        run({kernel_->mr, 19, 1031, 3, fill, output});
        run({1, 1, 4099, 1, fill, output});
        run({2, 33, 7, 49, fill, output});
        run({std::min(3, kernel_->mr), 5, 257, 25, fill, no_clamp()});
        if (HasFatalFailure()) {
            return;
        }
    }
}

TEST_P(GemmSweep, SeveralTilesOfRows) {
    const int64_t mr = kernel_->mr;
    const int64_t nr = kernel_->lanes * kernel_->vectors;
    for (const int64_t m : {mr + 1, 2 * mr - 2, 2 * mr - 1, 3 * mr, 3 * mr + 2, 8 * mr}) {
        for (const int64_t n : {int64_t{19}, nr, 2 * nr + kernel_->lanes}) {
            for (const int64_t taps : {1, 3}) {
                run({m, n, 24, taps, Fill::kRandom, kernel_->int8 ? int8_output(3, -128, 127) : no_clamp()});
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

// Whole panels and pieces of rows, as GemmArgs::packs_ahead wants them.
TEST_P(GemmSweep, RowsCopiedAhead) {
    if (!kernel_->packs_ahead) {
        return;
    }
    const int64_t mr = kernel_->mr;
    const int64_t nr = kernel_->lanes * kernel_->vectors;
    for (const int64_t m : {mr + 1, 2 * mr, 2 * mr + 3, 5 * mr - 1}) {
        for (const int64_t n : {nr, 3 * nr}) {
            for (const int64_t k : {kRowPiece, 3 * kRowPiece}) {
                for (const int64_t taps : {1, 9}) {
                    Epilogue small = int8_output(3, -128, 127);
                    small.small = true;
                    SumEpilogue sum;
                    sum.k = 1 << 19;
                    sum.k_residual = -(1 << 18);
                    sum.start = 1 << 19;
                    sum.shift = 20;
                    Epilogue sums = small;
                    sums.sum = &sum;
                    const Epilogue bends = bent_epilogues(true).back();
                    for (const Epilogue& output : {small, sums, bends, int8_output(-7, -120, 119), no_clamp()}) {
                        run({m, n, k, taps, Fill::kRandom, output});
                        if (HasFatalFailure()) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

// What no rounding excuses: lengths around a block of half floats.
TEST_P(GemmSweep, WholeNumbersAreExact) {
    if (kernel_->int8) {
        return;
    }
    for (const int64_t k : {kHalfBlock - 1, kHalfBlock, kHalfBlock + 1, 3 * kHalfBlock + 5}) {
        run({kernel_->mr, 22, k, 1, Fill::kWhole, no_clamp()});
        run({1, 7, k, 9, Fill::kWhole, no_clamp()});
        if (HasFatalFailure()) {
            return;
        }
    }
}

// Weights around a bound that kernels use: by -128, four of them fit 16 bits up to a sum of 256 where they are positive
// and 255 where they are negative.
TEST_P(GemmSweep, SmallWeights) {
    if (!kernel_->int8) {
        return;
    }
    for (const int64_t k : {8, 13, 15, 16, 17, 33, 49, 96, 200}) {
        for (const Fill fill : {Fill::kSmallWeights, Fill::kSmallNegative}) {
            run({kernel_->mr, 22, k, 1, fill, no_clamp()});
            run({1, 7, k, 9, fill, no_clamp()});
            if (HasFatalFailure()) {
                return;
            }
        }
    }
}

TEST_P(GemmSweep, InfinityAndNanPass) {
    if (kernel_->int8) {
        return;
    }
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> a(2 + kOverread, 0.0F);
    const auto set = [&](size_t i, float value) { set_element(kernel_->half_input, &a, i, value); };
    const void* rows[32];
    void* out_rows[32];
    std::vector<float> out(3);
    std::fill(std::begin(rows), std::end(rows), a.data());
    out_rows[0] = out.data();
    const float b[] = {1, 0, 0, 1, 1, 1};
    GemmWeights weights;
    weights.n = 3;
    weights.k = 2;
    weights.values = b;
    GuardedBuffer packed(round_up(packed_gemm_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());
    GemmArgs args;
    args.rows = rows;
    args.k = 2;
    args.packed = packed.data();
    args.n = 3;
    args.panel_end = panel_count(3, kernel_->lanes, kernel_->vectors);
    args.m = 1;
    args.out = out_rows;
    args.epilogue = no_clamp();
    GuardedBuffer scratch(gemm_scratch_bytes(*kernel_, 1, 2));
    args.scratch = scratch.data();
    set(0, 1.0F);
    set(1, infinity);
    kernel_->run(args);
    EXPECT_TRUE(std::isnan(out[0]));  // 1 * 1 + inf * 0
    EXPECT_EQ(out[1], infinity);
    EXPECT_EQ(out[2], infinity);
    args.epilogue.lo = 0.0F;
    set(1, -infinity);
    kernel_->run(args);
    EXPECT_TRUE(std::isnan(out[0]));
    EXPECT_EQ(out[1], 0.0F);
}

// The last step of an odd row has one product with padding.
TEST_P(GemmSweep, WhatLiesBehindARowDoesNotCount) {
    if (kernel_->int8) {
        return;
    }
    std::vector<float> a(3 + kOverread);
    std::memset(a.data(), 0xff, a.size() * sizeof(float));  // NaN of any size
    for (size_t i = 0; i < 3; ++i) {
        set_element(kernel_->half_input, &a, i, static_cast<float>(i + 1));
    }
    const float b[] = {1.0F, 1.0F, 1.0F};
    const std::vector<const void*> rows(static_cast<size_t>(kernel_->mr), a.data());
    std::vector<float> out(static_cast<size_t>(kernel_->mr));
    std::vector<void*> out_rows;
    std::transform(out.begin(), out.end(), std::back_inserter(out_rows), [](float& value) { return &value; });
    GemmWeights weights;
    weights.n = 1;
    weights.k = 3;
    weights.values = b;
    GuardedBuffer packed(round_up(packed_gemm_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());
    GemmArgs args;
    args.rows = rows.data();
    args.k = 3;
    args.packed = packed.data();
    args.n = 1;
    args.panel_end = 1;
    args.m = kernel_->mr;
    args.out = out_rows.data();
    args.epilogue = no_clamp();
    GuardedBuffer scratch(gemm_scratch_bytes(*kernel_, 1, 3));
    args.scratch = scratch.data();
    kernel_->run(args);
    EXPECT_EQ(out, std::vector<float>(out.size(), 6.0F));
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, GemmSweep, testing::ValuesIn(gemm_kernels().begin(), gemm_kernels().end()),
                         kernel_test_name<GemmKernel>);

}  // namespace
}  // namespace fw::test
