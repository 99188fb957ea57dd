// What GEMM kernels make of their sums.
#include <algorithm>

#include "base/memory.h"
#include "gemm_sweep.h"
#include "kernel/pack.h"
#include "kernel/panel.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

class GemmEpilogues : public GemmSweep {};

TEST_P(GemmEpilogues, Bounds) {
    Epilogue relu6;
    relu6.lo = 0.0F;
    relu6.hi = 6.0F;
    Epilogue narrow;
    narrow.lo = -0.25F;
    narrow.hi = 0.25F;
    Epilogue relu = no_clamp();
    relu.lo = 0.0F;
    for (const Epilogue& e : {relu6, narrow, relu, no_clamp()}) {
        run({kernel_->mr, 21, 37, 2, Fill::kRandom, e});
    }
    if (kernel_->int8) {
        for (const Epilogue& e :
             {int8_output(0, 0, 127), int8_output(-128, -128, 127), int8_output(7, 7, 90), int8_output(127, -128, 127),
              int8_output(-1, -1, -1), int8_output(0, -127, 127), int8_output(0, -128, 127), int8_output(0, -127, 100),
              int8_output(-128, -128, 126), int8_output(-128, -128, -128), int8_output(-128, -100, 127)}) {
            run({kernel_->mr, 21, 37, 2, Fill::kRandom, e});
            run({2 * kernel_->mr, 44, 37, 1, Fill::kRandom, e});
        }
    }
}

TEST_P(GemmEpilogues, SmallMultipliers) {
    if (!kernel_->int8) {
        return;
    }
    for (Epilogue e : {int8_output(0, 0, 127), int8_output(-128, -128, 127), int8_output(7, 7, 90),
                       int8_output(127, -128, 127), int8_output(-1, -1, -1), int8_output(-128, -100, 126)}) {
        e.small = true;
        for (const Fill fill : {Fill::kRandom, Fill::kHighest, Fill::kOpposite}) {
            run({kernel_->mr, 21, 337, 2, fill, e});
            run({2 * kernel_->mr + 1, 2 * kernel_->lanes * kernel_->vectors, 37, 1, fill, e});
        }
    }
}

TEST_P(GemmEpilogues, AddsAnotherBlob) {
    if (!kernel_->sums) {
        return;
    }
    for (const int shift : {1, 12, 20, 30}) {
        for (const int zero_point : {-128, 0, 5}) {
            SumEpilogue sum;
            const int32_t largest = shift < 20 ? 1 << shift : 1 << 20;
            sum.k = largest;
            sum.k_residual = -largest / 3;
            sum.start = (1 << (shift - 1)) + 7 * largest;
            sum.shift = shift;
            sum.zero_point = zero_point;
            sum.lo = zero_point == 5 ? 5 : -127;
            sum.hi = zero_point == 0 ? 100 : 127;
            Epilogue e = int8_output(zero_point, -128, 127);
            e.sum = &sum;
            for (const bool small : {false, true}) {
                e.small = small;
                for (const int64_t n : {int64_t{1}, int64_t{21}, int64_t{2 * kernel_->lanes * kernel_->vectors}}) {
                    for (const int64_t m : {1, 3, kernel_->mr, 2 * kernel_->mr + 1}) {
                        run({m, n, 37, 2, Fill::kRandom, e});
                        if (HasFatalFailure()) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

TEST_P(GemmEpilogues, BentOutputs) {
    if (!kernel_->bends) {
        return;
    }
    for (const Epilogue& e : bent_epilogues(kernel_->int8)) {
        for (const int64_t n : {1, 8, 21, 2 * kernel_->lanes * kernel_->vectors}) {
            for (const int64_t m : {1, 3, kernel_->mr, 2 * kernel_->mr + 1}) {
                run({m, n, 37, 2, Fill::kRandom, e});
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

// Kernels may store rows of few columns that lie behind one another together.
TEST_P(GemmEpilogues, AdjacentRows) {
    std::vector<Epilogue> outputs = bent_epilogues(kernel_->int8);
    if (!kernel_->bends) {
        outputs.clear();
    } else {
        outputs.push_back(outputs[0]);
        outputs.back().a = 1.5F;
    }
    outputs.push_back(kernel_->int8 ? int8_output(-7, -120, 119) : no_clamp());
    for (const Epilogue& output : outputs) {
        for (const int64_t n : {1, 3, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64}) {
            for (const int64_t m : {1, 3, 4, 6, 11, kernel_->mr, 2 * kernel_->mr + 5}) {
                run({m, n, 9, 3, Fill::kRandom, output, true});
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

// By a slope of 0 they would become NaN.
TEST_P(GemmEpilogues, InfiniteOutputsOfLeakyRelu) {
    if (!kernel_->bends || !kernel_->int8) {
        return;
    }
    Epilogue e = int8_output(3, -128, 127);
    e.bent = BentFunction::kLeakyRelu;
    for (const float slope : {0.0F, 0.25F, 1.0F, 1.5F, -0.5F}) {
        e.a = slope;
        run({2 * kernel_->mr + 1, 2 * kernel_->lanes * kernel_->vectors, 37, 2, Fill::kRandom, e, true, 125.0F});
        run({kernel_->mr, 8, 37, 2, Fill::kHighest, e, true, 125.0F});
    }
}

// What FunctionKernel makes of it, to the bit but for the sign of zero: float layers have either.
TEST_P(GemmEpilogues, BentFloatsAreThoseOfTheFunction) {
    if (!kernel_->bends || kernel_->int8) {
        return;
    }
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> sums = {
        0.0F,   -0.0F,   1e-40F, -1e-40F, 0.3F,     -0.7F,     2.999F,
        3.001F, -3.001F, 1e30F,  -1e30F,  infinity, -infinity, std::numeric_limits<float>::quiet_NaN()};
    std::vector<float> a(1 + kOverread, 0.0F);
    std::vector<const void*> rows(static_cast<size_t>(kernel_->mr), a.data());
    const std::vector<float> weight(sums.size(), 0.0F);
    GemmWeights weights;
    weights.n = static_cast<int64_t>(sums.size());
    weights.k = 1;
    weights.values = weight.data();
    weights.bias = sums.data();
    GuardedBuffer packed(round_up(packed_gemm_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());
    for (const Epilogue& e : bent_epilogues(false)) {
        std::vector<float> out(sums.size());
        void* place = out.data();
        GemmArgs args;
        args.rows = rows.data();
        args.k = 1;
        args.packed = packed.data();
        args.m = 1;
        args.n = weights.n;
        args.out = &place;
        args.panel_end = panel_count(weights.n, kernel_->lanes, kernel_->vectors);
        args.epilogue = e;
        kernel_->run(args);
        const bool leaky = e.bent == BentFunction::kLeakyRelu;
        std::vector<float> want(sums.size());
        find_function_kernel(Isa::kScalar)
            ->apply({leaky ? FloatFunction::kLeakyRelu : FloatFunction::kHardSwish, e.a, e.b}, sums.data(), weights.n,
                    want.data());
        for (size_t i = 0; i < sums.size(); ++i) {
            ASSERT_EQ(std::isnan(out[i]), std::isnan(want[i])) << sums[i];
            ASSERT_TRUE(std::isnan(want[i]) || out[i] == want[i]) << sums[i] << ": " << out[i] << ", " << want[i];
        }
    }
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, GemmEpilogues, testing::ValuesIn(gemm_kernels().begin(), gemm_kernels().end()),
                         kernel_test_name<GemmKernel>);

}  // namespace
}  // namespace fw::test
