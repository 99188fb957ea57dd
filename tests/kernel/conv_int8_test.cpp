// Convolutions over the int8 GEMM kernels against naive loops, with threads, staged outputs, several blocks of weights,
// and scratch memory of just the size that they ask for, full of garbage.
#include <algorithm>
#include <cstring>

#include "base/memory.h"
#include "kernel/conv.h"
#include "kernel/pack.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

constexpr int8_t kPadding = -77;
constexpr float kMultiplier = 0x1p-10F;  // a power of two: only the conversion of a sum rounds

struct Case {
    int k, n, in_h, in_w;
    int size, stride;
    int pad() const { return size / 2; }
    int out_extent(int in) const { return (in + 2 * pad() - size) / stride + 1; }
};

class Int8Conv : public KernelSweep<GemmKernel> {
protected:
    void run(const Case& c) {
        for (const bool staged : {false, true}) {
            for (const int threads : {1, 3}) {
                if (!HasFatalFailure()) {
                    run_one(c, staged, threads);
                }
            }
        }
    }

private:
    void run_one(const Case& c, bool staged, int threads);
    std::vector<int8_t> bytes(size_t count, bool weight) {
        std::vector<int8_t> all(count);
        std::generate(all.begin(), all.end(), [&] { return fill_int8(&rng_, Fill::kRandom, weight); });
        return all;
    }
};

void Int8Conv::run_one(const Case& c, bool staged, int threads) {
    SCOPED_TRACE(testing::Message() << c.k << " to " << c.n << " channels, " << c.in_h << "x" << c.in_w << ", window "
                                    << c.size << ", stride " << c.stride << ", staged " << staged << ", " << threads
                                    << " threads");
    const auto at = [](int64_t i) { return static_cast<size_t>(i); };
    const size_t taps = at(c.size) * at(c.size);
    const std::vector<int8_t> image = bytes(at(c.in_h) * at(c.in_w) * at(c.k), false);
    const std::vector<int8_t> values = bytes(at(c.n) * taps * at(c.k), true);
    std::vector<int32_t> bias(at(c.n));
    std::generate(bias.begin(), bias.end(), [&] { return fill_int8(&rng_, Fill::kRandom, false) * 100; });
    const std::vector<float> multiplier(at(c.n), kMultiplier);
    GuardedBuffer input(image.size(), kOverread);
    std::memcpy(input.data(), image.data(), image.size());
    GuardedBuffer pad(at(c.k), kOverread);
    std::memset(pad.data(), kPadding, at(c.k));
    GemmWeights weights;
    weights.n = c.n;
    weights.taps = static_cast<int64_t>(taps);
    weights.k = c.k;
    weights.values = values.data();
    weights.bias = bias.data();
    weights.multiplier = multiplier.data();
    GuardedBuffer packed(round_up(packed_gemm_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());

    ConvJob job;
    ConvGeometry& g = job.geometry;
    g.in_h = c.in_h;
    g.in_w = c.in_w;
    g.in_w_stride = c.k;
    g.in_h_stride = g.in_w_stride * c.in_w;
    g.out_h = c.out_extent(c.in_h);
    g.out_w = c.out_extent(c.in_w);
    g.out_w_stride = c.n;
    g.out_h_stride = g.out_w_stride * g.out_w;
    g.kernel_h = g.kernel_w = c.size;
    g.stride_h = g.stride_w = c.stride;
    g.pad_top = g.pad_left = c.pad();
    GuardedBuffer out(at(g.pixels() * c.n) * 4);
    const size_t scratch_bytes = gemm_conv_scratch_bytes(*kernel_, weights.taps, c.k, c.n, staged, threads);
    GuardedBuffer scratch(scratch_bytes);
    std::memset(scratch.data(), 0x55, scratch_bytes);
    job.input = input.data();
    job.output = out.data();
    job.pad_row = pad.data();
    job.packed = packed.data();
    job.k = c.k;
    job.n = c.n;
    job.epilogue.lo = -1e9F;
    job.epilogue.hi = 1e9F;
    job.threads = threads;
    job.scratch = scratch.data();
    if (staged) {
        job.row_function.staged = true;
        job.row_function.run = [](const void* /*context*/, const void* from, void* to, int64_t count) {
            std::transform(static_cast<const float*>(from), static_cast<const float*>(from) + count,
                           static_cast<float*>(to), [](float y) { return 2.0F * y; });
        };
    }
    run_gemm_conv(*kernel_, job);

    const float* got = out.data<float>();
    for (int y = 0; y < g.out_h; ++y) {
        for (int x = 0; x < g.out_w; ++x) {
            for (int j = 0; j < c.n; ++j, ++got) {
                int32_t sum = bias[at(j)];
                for (int t = 0; t < c.size * c.size; ++t) {
                    const int iy = y * c.stride - c.pad() + t / c.size;
                    const int ix = x * c.stride - c.pad() + t % c.size;
                    const bool inside = iy >= 0 && iy < c.in_h && ix >= 0 && ix < c.in_w;
                    for (int p = 0; p < c.k; ++p) {
                        const int8_t value =
                            inside ? image[(at(iy) * at(c.in_w) + at(ix)) * at(c.k) + at(p)] : kPadding;
                        sum += value * values[(at(j) * taps + at(t)) * at(c.k) + at(p)];
                    }
                }
                ASSERT_EQ(*got, static_cast<float>(sum) * kMultiplier * (staged ? 2.0F : 1.0F))
                    << "at " << y << "," << x << "," << j;
            }
        }
    }
}

TEST_P(Int8Conv, MatchesNaiveLoops) {
    for (const int k : {3, 24, 64}) {
        for (const int n : {21, 64}) {
            run({k, n, 5, 9, 1, 1});
            run({k, n, 6, 9, 3, 1});
            run({k, n, 6, 9, 3, 2});
        }
    }
}

// Whole panels and pieces of rows: GemmArgs::packs_ahead. Then weights of more than a block, and rows of more than
// the first-level cache.
TEST_P(Int8Conv, WholePanels) {
    const int nr = kernel_->lanes * kernel_->vectors;
    run({64, 2 * nr, 7, 11, 1, 1});
    run({128, nr, 5, 6, 3, 1});
    run({320, nr, 1, 20, 3, 1});
    run({1024, 768 / nr * nr + nr, 1, 9, 1, 1});
}

std::vector<const GemmKernel*> int8_kernels() {
    std::vector<const GemmKernel*> all(gemm_kernels().begin(), gemm_kernels().end());
    all.erase(std::remove_if(all.begin(), all.end(), [](const GemmKernel* k) { return !k->int8; }), all.end());
    return all;
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, Int8Conv, testing::ValuesIn(int8_kernels()), kernel_test_name<GemmKernel>);

}  // namespace
}  // namespace fw::test
