// Every Winograd kernel of kernels.inc, with the GEMM kernel of its level, against naive loops: float in double
// precision within the stated bound, int8 exactly. Partial tiles, channels around the vector's, paddings, outputs with
// neighbours, threads.
#include "kernel/winograd.h"

#include <cstring>
#include <iterator>

#include "base/half.h"
#include "base/memory.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

struct Case {
    int k, n, in_h, in_w, pad;
    Fill fill = Fill::kRandom;  ///< in float, all but kRandom: 1 and -1
    int lo = -127, hi = 127;    ///< int8 outputs; float ones are half of that
    bool half_input = false;    ///< pixels are float16
    bool half_output = false;

    int out_h() const { return in_h + 2 * pad - 2; }
    int out_w() const { return in_w + 2 * pad - 2; }
};

constexpr float kPadding = -0.75F;
constexpr int8_t kPaddingByte = -96;
constexpr int kZeroPoint = 5;

struct Data {
    std::vector<float> input;    ///< [y][x][k]
    std::vector<float> weights;  ///< [n][9][k]
    std::vector<float> bias, multiplier;
    std::vector<int8_t> input8, weights8;
    std::vector<int32_t> bias8;
};

Data make_data(const Case& c) {
    std::mt19937 rng(20261128);
    Data d;
    const auto fill = [&](std::vector<float>* floats, std::vector<int8_t>* bytes, int64_t count, bool weight) {
        for (int64_t i = 0; i < count; ++i) {
            const float x = fill_float(&rng);
            floats->push_back(c.fill == Fill::kRandom ? x : x < 0 ? -1.0F : 1.0F);
            bytes->push_back(fill_int8(&rng, c.fill, weight));
        }
    };
    fill(&d.input, &d.input8, int64_t{c.in_h} * c.in_w * c.k, false);
    fill(&d.weights, &d.weights8, int64_t{c.n} * 9 * c.k, true);
    for (int o = 0; o < c.n; ++o) {
        d.bias.push_back(fill_float(&rng));
        d.bias8.push_back(std::uniform_int_distribution<int32_t>(-100000, 100000)(rng));
        d.multiplier.push_back(std::exp2(std::uniform_real_distribution<float>(-16.0F, -8.0F)(rng)));
    }
    return d;
}

std::vector<uint16_t> halves_of(const std::vector<float>& floats) {
    std::vector<uint16_t> halves;
    std::transform(floats.begin(), floats.end(), std::back_inserter(halves), float_to_half);
    return halves;
}

class WinogradSweep : public testing::TestWithParam<const WinogradKernel*> {
protected:
    void SetUp() override {
        const WinogradKernel& kernel = *GetParam();
        if (!runs_here(kernel.level)) {
            GTEST_SKIP() << name(kernel.level) << " is not available on this processor";
        }
        winograd_.kernel = &kernel;
        winograd_.gemm = kernel.int8   ? nullptr
                         : kernel.half ? find_half_gemm_kernel(HalfFormat::kFloat16, kernel.level, true)
                                       : find_gemm_kernel(false, kernel.level, 0);
    }
    void run(Case c) {
        if (winograd_.kernel->int8) {
            run_int8(c);
            return;
        }
        for (const bool half_input : {false, true}) {
            for (const bool half_output : {false, true}) {
                if (HasFatalFailure() || (!winograd_.kernel->half && (half_input || half_output))) {
                    continue;
                }
                c.half_input = half_input;
                c.half_output = half_output;
                run_one(c);
            }
        }
    }
    // With the products of every level that takes these transforms.
    void run_int8(const Case& c) {
        for (const PairGemmKernel* gemm : pair_gemm_kernels()) {
            if (runs_here(gemm->level) && isa_covers(gemm->level, winograd_.kernel->level) && !HasFatalFailure()) {
                winograd_.gemm = gemm;
                run_one(c);
            }
        }
        EXPECT_NE(winograd_.gemm, nullptr);
    }
    void run_one(const Case& c);
    std::vector<double> output(const Case& c, const Data& d, int threads) const;

    Winograd winograd_;
};

// [y][x][n]; output pixels are slices of wider ones, with canaries behind.
std::vector<double> WinogradSweep::output(const Case& c, const Data& d, int threads) const {
    constexpr size_t kMargin = 3;
    const bool int8 = winograd_.kernel->int8;
    const size_t size = int8 ? 1 : c.half_input ? 2 : 4;
    const size_t out_size = int8 ? 1 : c.half_output ? 2 : 4;
    GemmWeights weights;
    weights.n = c.n;
    weights.taps = 9;
    weights.k = c.k;
    weights.values = int8 ? static_cast<const void*>(d.weights8.data()) : d.weights.data();
    weights.bias = int8 ? static_cast<const void*>(d.bias8.data()) : d.bias.data();
    weights.multiplier = d.multiplier.data();
    EXPECT_TRUE(!int8 || winograd_fits(weights));
    GuardedBuffer packed(round_up(packed_winograd_bytes(winograd_, weights), kAlignment), kOverread);
    // Runs of several threads get bytes in the files' order.
    const bool taps_last = int8 && threads > 1;
    const auto k = static_cast<size_t>(c.k);
    std::vector<int8_t> as_file(taps_last ? d.weights8.size() : 0);
    for (size_t i = 0; i < as_file.size(); ++i) {
        const size_t tap = i / k % 9;
        as_file[i / (9 * k) * 9 * k + i % k * 9 + tap] = d.weights8[i];
    }
    if (taps_last) {
        weights.values = as_file.data();
    }
    EXPECT_TRUE(pack_winograd(winograd_, weights, packed.data(), taps_last));
    GuardedBuffer input(d.input.size() * size, kOverread);
    const std::vector<uint16_t> halves = halves_of(d.input);
    std::memcpy(input.data(),
                int8           ? static_cast<const void*>(d.input8.data())
                : c.half_input ? static_cast<const void*>(halves.data())
                               : d.input.data(),
                d.input.size() * size);
    const std::vector<float> padding(static_cast<size_t>(c.k) + kOverread, kPadding);
    const std::vector<uint16_t> half_padding = halves_of(padding);
    const std::vector<int8_t> padding8(static_cast<size_t>(c.k) + kOverread, kPaddingByte);
    const size_t pitch = static_cast<size_t>(c.n) + kMargin;
    const size_t pixels = static_cast<size_t>(c.out_h()) * static_cast<size_t>(c.out_w());
    GuardedBuffer out((pixels * pitch - kMargin) * out_size);
    GuardedBuffer scratch(winograd_scratch_bytes(winograd_, c.k, c.n, c.out_h(), c.out_w(), threads));
    ConvJob job;
    ConvGeometry& g = job.geometry;
    g.in_h = c.in_h;
    g.in_w = c.in_w;
    g.in_w_stride = c.k;
    g.in_h_stride = int64_t{c.k} * c.in_w;
    g.out_h = c.out_h();
    g.out_w = c.out_w();
    g.out_w_stride = static_cast<int64_t>(pitch);
    g.out_h_stride = g.out_w_stride * g.out_w;
    g.kernel_h = g.kernel_w = 3;
    g.pad_top = g.pad_left = c.pad;
    job.input = input.data();
    job.output = out.data();
    job.pad_row = int8           ? static_cast<const void*>(padding8.data())
                  : c.half_input ? static_cast<const void*>(half_padding.data())
                                 : padding.data();
    job.half_input = c.half_input;
    job.packed = packed.data();
    job.k = c.k;
    job.n = c.n;
    job.epilogue.float_output = !int8;
    job.epilogue.zero_point = int8 ? kZeroPoint : 0;
    job.epilogue.lo = int8 ? static_cast<float>(c.lo - kZeroPoint) : static_cast<float>(c.lo) / 2;
    job.epilogue.hi = int8 ? static_cast<float>(c.hi - kZeroPoint) : static_cast<float>(c.hi) / 2;
    job.epilogue.half_output = c.half_output;
    job.out_element_size = static_cast<int>(out_size);
    job.threads = threads;
    job.scratch = scratch.data();
    run_winograd(winograd_, job);

    std::vector<double> values;
    for (size_t p = 0; p < pixels; ++p) {
        const char* pixel = out.data<char>() + p * pitch * out_size;
        for (int o = 0; o < c.n; ++o) {
            values.push_back(int8 ? static_cast<double>(reinterpret_cast<const int8_t*>(pixel)[o])
                             : c.half_output
                                 ? static_cast<double>(half_to_float(reinterpret_cast<const uint16_t*>(pixel)[o]))
                                 : static_cast<double>(reinterpret_cast<const float*>(pixel)[o]));
        }
        for (size_t i = 0; i < kMargin * out_size && p + 1 < pixels; ++i) {
            EXPECT_EQ(pixel[static_cast<size_t>(c.n) * out_size + i], 0x7f) << "wrote behind pixel " << p;
        }
    }
    return values;
}

void WinogradSweep::run_one(const Case& c) {
    SCOPED_TRACE(testing::Message() << c.k << " to " << c.n << " channels, " << c.in_h << "x" << c.in_w << ", padding "
                                    << c.pad << ", half input " << c.half_input << ", output " << c.half_output);
    const Data d = make_data(c);
    const std::vector<double> got = output(c, d, 1);
    size_t i = 0;
    for (int y = 0; y < c.out_h(); ++y) {
        for (int x = 0; x < c.out_w(); ++x) {
            for (size_t o = 0; o < static_cast<size_t>(c.n); ++o, ++i) {
                double sum = static_cast<double>(d.bias[o]);
                double weight_sum = 0;
                int32_t acc = d.bias8[o];
                for (int t = 0; t < 9; ++t) {
                    const int iy = y - c.pad + t / 3;
                    const int ix = x - c.pad + t % 3;
                    const bool inside = iy >= 0 && iy < c.in_h && ix >= 0 && ix < c.in_w;
                    const auto at = static_cast<size_t>(iy * c.in_w + ix) * static_cast<size_t>(c.k);
                    for (size_t p = 0; p < static_cast<size_t>(c.k); ++p) {
                        const size_t w = (o * 9 + static_cast<size_t>(t)) * static_cast<size_t>(c.k) + p;
                        sum += static_cast<double>(d.weights[w]) *
                               static_cast<double>(inside ? d.input[at + p] : kPadding);
                        weight_sum += std::fabs(static_cast<double>(d.weights[w]));
                        acc += int32_t{d.weights8[w]} * (inside ? d.input8[at + p] : kPaddingByte);
                    }
                }
                if (winograd_.kernel->int8) {
                    ASSERT_EQ(got[i], reference_int8(acc, d.multiplier[o], kZeroPoint, c.lo, c.hi))
                        << "at " << y << "," << x << "," << o;
                    continue;
                }
                sum = std::min(std::max(sum, c.lo / 2.0), c.hi / 2.0);
                // Inputs are within [-1, 1].
                const double bound = static_cast<double>(winograd_.error_bound()) * weight_sum +
                                     (c.half_output ? half_output_bound(static_cast<double>(d.bias[o]), got[i]) : 0.0);
                ASSERT_NEAR(got[i], sum, bound) << "at " << y << "," << x << "," << o;
            }
        }
    }
    for (const int threads : {2, 3, 8}) {
        ASSERT_EQ(output(c, d, threads), got) << threads << " threads";
    }
}

TEST_P(WinogradSweep, SizesMatchNaiveLoops) {
    for (const int side : {1, 2, 4, 6, 7, 13}) {
        for (const int channels : {1, 15, 16, 17, 33}) {
            run({channels, 20, side, side + 2, 1});
        }
    }
    for (const int outputs : {1, 7, 16, 31, 49}) {
        run({18, outputs, 5, 9, 1});
    }
    run({16, 16, 9, 5, 0});
    run({16, 16, 3, 3, 2});
    run({5, 4, 40, 60, 1});  // several blocks a thread
}

TEST_P(WinogradSweep, LongSumsAndExtremes) {
    run({400, 17, 12, 9, 1});
    for (const Fill fill : {Fill::kLowest, Fill::kHighest, Fill::kOpposite}) {
        run({229, 9, 7, 6, 1, fill});  // the most channels that any weights are taken for in int8
    }
    run({16, 17, 8, 8, 1, Fill::kRandom, 0, 12});
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, WinogradSweep,
                         testing::ValuesIn(winograd_kernels().begin(), winograd_kernels().end()),
                         kernel_test_name<WinogradKernel>);

TEST(Winograd, PaysForManyChannelsAndPixels) {
    if (winograd_kernels().empty()) {
        GTEST_SKIP() << "this processor has no Winograd kernels";
    }
    for (const Isa isa : available_isas()) {
        if (find_winograd_kernel(false, isa, 4) == nullptr) {
            continue;  // ARMv7 has int8 ones only
        }
        EXPECT_EQ(choose_winograd(false, isa, 8, 64, 56, 56).kernel, nullptr) << "transforms cost too much";
        EXPECT_EQ(choose_winograd(false, isa, 512, 512, 2, 2).kernel, nullptr) << "weights cost too much";
        const Winograd small = choose_winograd(false, isa, 64, 64, 28, 28);
        ASSERT_NE(small.kernel, nullptr);
        EXPECT_EQ(small.kernel->size, 4) << "7 tiles of 4 cover 28, 5 of 6 are 30";
        const Winograd large = choose_winograd(false, isa, 64, 64, 240, 240);
        ASSERT_NE(large.kernel, nullptr);
        EXPECT_EQ(large.kernel->size, 6);
    }
}

TEST(Winograd, Int8SumsHaveToStayBelowTwoToThe25) {
    GemmWeights weights;
    weights.n = 2;
    weights.taps = 9;
    weights.k = 230;
    std::vector<int8_t> values(2 * 9 * 230, 127);
    weights.values = values.data();
    EXPECT_FALSE(winograd_fits(weights));
    std::fill(values.begin() + 9 * 230, values.end(), int8_t{-127});
    EXPECT_FALSE(winograd_fits(weights));
    std::fill(values.begin(), values.end(), int8_t{-126});
    EXPECT_TRUE(winograd_fits(weights));
}

TEST(Winograd, HalfFloatsHaveToHoldTheTransformedWeights) {
    GemmWeights weights;
    weights.n = 1;
    weights.taps = 9;
    weights.k = 2;
    std::vector<float> values(9 * 2, -1870.0F);
    weights.values = values.data();
    EXPECT_TRUE(winograd_fits_half(weights));
    values.back() = 1900.0F;
    EXPECT_FALSE(winograd_fits_half(weights));
    values.back() = std::numeric_limits<float>::quiet_NaN();
    EXPECT_FALSE(winograd_fits_half(weights));
}

}  // namespace
}  // namespace fw::test
