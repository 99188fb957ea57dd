// Convolutions over the GEMM kernels of float16 arithmetic with pixels of either kind, in and out, against naive loops:
// addresses, steps, joined taps, staged outputs and threads. All values are small whole numbers, so that results are
// exact.
#include "kernel/conv.h"

#include <cstring>

#include "base/half.h"
#include "base/memory.h"
#include "kernel/pack.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

struct Case {
    int k, n, in_h, in_w;
    int size, stride, pad;
    int in_gap = 0;  ///< elements between pixels
    int out_gap = 3;
    bool staged = false;

    int out_extent(int in) const { return (in + 2 * pad - size) / stride + 1; }
};

constexpr float kPadding = 2.0F;

// Memory of `count` values: float or float16.
class Values {
public:
    Values(bool half, size_t count) : half_(half), memory_(count * size(), kOverread) {}
    size_t size() const { return half_ ? 2 : 4; }
    void* data() const { return memory_.data(); }
    void set(size_t i, float value) {
        const uint16_t bits = float_to_half(value);
        std::memcpy(memory_.data<char>() + i * size(), half_ ? static_cast<const void*>(&bits) : &value, size());
    }
    float get(size_t i) const { return half_ ? half_to_float(memory_.data<uint16_t>()[i]) : memory_.data<float>()[i]; }

private:
    bool half_;
    GuardedBuffer memory_;
};

class HalfConv : public KernelSweep<GemmKernel> {
protected:
    void run(const Case& c, bool half_output, int threads);
    void run(const Case& c) {
        for (const bool half_output : {false, true}) {
            for (const int threads : {1, 3}) {
                run(c, half_output, threads);
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
};

void HalfConv::run(const Case& c, bool half_output, int threads) {
    SCOPED_TRACE(testing::Message() << c.k << " to " << c.n << " channels, " << c.in_h << "x" << c.in_w << ", window "
                                    << c.size << ", stride " << c.stride << ", half output " << half_output << ", "
                                    << threads << " threads");
    const int out_h = c.out_extent(c.in_h);
    const int out_w = c.out_extent(c.in_w);
    const auto in_pitch = static_cast<size_t>(c.k + c.in_gap);
    const auto out_pitch = static_cast<size_t>(c.n + c.out_gap);
    const auto at = [](int64_t i) { return static_cast<size_t>(i); };
    Values input(kernel_->half_input, at(c.in_h) * at(c.in_w) * in_pitch - at(c.in_gap));
    for (size_t i = 0; i < at(c.in_h) * at(c.in_w) * in_pitch - at(c.in_gap); ++i) {
        input.set(i, fill_whole(&rng_));
    }
    Values pad(kernel_->half_input, at(c.k));
    for (size_t i = 0; i < at(c.k); ++i) {
        pad.set(i, kPadding);
    }
    std::vector<float> values(at(c.n) * at(c.size) * at(c.size) * at(c.k));
    std::generate(values.begin(), values.end(), [&] { return fill_whole(&rng_); });
    std::vector<float> bias(at(c.n));
    std::generate(bias.begin(), bias.end(), [&] { return fill_whole(&rng_); });
    GemmWeights weights;
    weights.n = c.n;
    weights.taps = int64_t{c.size} * c.size;
    weights.k = c.k;
    weights.values = values.data();
    weights.bias = bias.data();
    GuardedBuffer packed(round_up(packed_gemm_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());

    Values out(half_output, at(out_h) * at(out_w) * out_pitch);
    const float kCanary = 999.0F;
    for (size_t i = 0; i < at(out_h) * at(out_w) * out_pitch; ++i) {
        out.set(i, kCanary);
    }
    GuardedBuffer scratch(gemm_conv_scratch_bytes(*kernel_, weights.taps, c.k, c.n, c.staged, threads));
    ConvJob job;
    ConvGeometry& g = job.geometry;
    g.in_h = c.in_h;
    g.in_w = c.in_w;
    g.in_w_stride = static_cast<int64_t>(in_pitch);
    g.in_h_stride = g.in_w_stride * c.in_w;
    g.out_h = out_h;
    g.out_w = out_w;
    g.out_w_stride = static_cast<int64_t>(out_pitch);
    g.out_h_stride = g.out_w_stride * out_w;
    g.kernel_h = g.kernel_w = c.size;
    g.stride_h = g.stride_w = c.stride;
    g.pad_top = g.pad_left = c.pad;
    job.input = input.data();
    job.output = out.data();
    job.pad_row = pad.data();
    job.packed = packed.data();
    job.k = c.k;
    job.n = c.n;
    job.epilogue.lo = -20.0F;
    job.epilogue.hi = 20.0F;
    job.epilogue.half_output = half_output && !c.staged;
    job.threads = threads;
    job.scratch = scratch.data();
    job.out_element_size = half_output ? 2 : 4;
    job.half_input = kernel_->half_input;
    if (c.staged) {
        job.row_function.staged = true;
        job.row_function.context = &half_output;
        job.row_function.run = [](const void* half, const void* from, void* to, int64_t count) {
            for (int64_t i = 0; i < count; ++i) {
                const float y = 2.0F * static_cast<const float*>(from)[i];
                if (*static_cast<const bool*>(half)) {
                    static_cast<uint16_t*>(to)[i] = float_to_half(y);
                } else {
                    static_cast<float*>(to)[i] = y;
                }
            }
        };
    }
    run_gemm_conv(*kernel_, job);

    for (int y = 0; y < out_h; ++y) {
        for (int x = 0; x < out_w; ++x) {
            const size_t pixel = (at(y) * at(out_w) + at(x)) * out_pitch;
            for (int j = 0; j < c.n; ++j) {
                float sum = bias[at(j)];
                for (int t = 0; t < c.size * c.size; ++t) {
                    const int iy = y * c.stride - c.pad + t / c.size;
                    const int ix = x * c.stride - c.pad + t % c.size;
                    const bool inside = iy >= 0 && iy < c.in_h && ix >= 0 && ix < c.in_w;
                    for (int p = 0; p < c.k; ++p) {
                        const float value =
                            inside ? input.get((at(iy) * at(c.in_w) + at(ix)) * in_pitch + at(p)) : kPadding;
                        sum += value * values[(at(j) * at(c.size * c.size) + at(t)) * at(c.k) + at(p)];
                    }
                }
                const float want = std::min(std::max(sum, -20.0F), 20.0F) * (c.staged ? 2.0F : 1.0F);
                ASSERT_EQ(out.get(pixel + at(j)), want) << "at " << y << "," << x << "," << j;
            }
            for (int j = c.n; j < c.n + c.out_gap; ++j) {
                ASSERT_EQ(out.get(pixel + at(j)), kCanary) << "wrote behind " << y << "," << x;
            }
        }
    }
}

TEST_P(HalfConv, MatchesNaiveLoops) {
    for (const bool staged : {false, true}) {
        for (const int k : {1, 3, 8, 17, 40}) {
            for (const int n : {1, 8, 21, 64}) {
                run({k, n, 5, 7, 1, 1, 0, 0, 0, staged});  // one line
                run({k, n, 5, 7, 1, 1, 0, 5, 3, staged});
                run({k, n, 5, 7, 1, 2, 0, 0, 3, staged});
                run({k, n, 1, 1, 1, 1, 0, 0, 0, staged});
                run({k, n, 6, 9, 3, 1, 1, 0, 3, staged});  // of few channels: a window's row is one tap
                run({k, n, 6, 9, 3, 2, 1, 2, 3, staged});
                run({k, n, 4, 40, 3, 2, 1, 0, 0, staged});
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

std::vector<const GemmKernel*> half_kernels() {
    std::vector<const GemmKernel*> all(gemm_kernels().begin(), gemm_kernels().end());
    all.erase(
        std::remove_if(all.begin(), all.end(), [](const GemmKernel* k) { return k->half != HalfFormat::kFloat16; }),
        all.end());
    return all;
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, HalfConv, testing::ValuesIn(half_kernels()), kernel_test_name<GemmKernel>);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HalfConv);

}  // namespace
}  // namespace fw::test
