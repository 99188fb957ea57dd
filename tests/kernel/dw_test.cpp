// Every depthwise kernel of kernels.inc against naive loops.
#include <cstring>

#include "base/memory.h"
#include "kernel/pack.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

struct Case {
    int64_t pixels, taps, channels;
    Fill fill = Fill::kRandom;
    Epilogue epilogue;
};

class DwSweep : public KernelSweep<DwKernel> {
protected:
    template <class T>
    void run_as(const Case& c);
    void run(const Case& c) {
        if (kernel_->int8) {
            run_as<int8_t>(c);
        } else {
            run_as<float>(c);
        }
    }
};

template <class T>
void DwSweep::run_as(const Case& c) {
    using Bias = std::conditional_t<std::is_same_v<T, float>, float, int32_t>;
    const auto channels = static_cast<size_t>(c.channels);
    const auto taps = static_cast<size_t>(c.taps);
    const size_t count = static_cast<size_t>(c.pixels) * taps;
    GuardedBuffer input(count * channels * sizeof(T), kOverread);
    std::vector<const void*> rows;
    for (size_t i = 0; i < count; ++i) {
        rows.push_back(input.data<T>() + i * channels);
    }
    std::shuffle(rows.begin(), rows.end(), rng_);
    for (size_t i = 0; i < count * channels; ++i) {
        input.data<T>()[i] = fill_value<T>(&rng_, c.fill, false);
    }
    std::vector<T> values(channels * taps);
    for (T& v : values) {
        v = fill_value<T>(&rng_, c.fill, true);
    }
    std::vector<Bias> bias(channels);
    std::vector<float> multiplier(channels);
    for (size_t i = 0; i < channels; ++i) {
        bias[i] = static_cast<Bias>(std::uniform_int_distribution<int32_t>(-9000, 9000)(rng_));
        multiplier[i] = std::exp2(std::uniform_real_distribution<float>(-14.0F, 0.0F)(rng_));
    }
    DwWeights weights;
    weights.channels = c.channels;
    weights.taps = c.taps;
    weights.values = values.data();
    weights.bias = bias.data();
    weights.multiplier = multiplier.data();
    GuardedBuffer packed(round_up(packed_dw_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_dw(*kernel_, weights, packed.data());

    const size_t out_size = c.epilogue.float_output ? 4 : 1;
    const size_t margin = 3 * out_size;
    const size_t step = channels * out_size + margin;
    GuardedBuffer out(static_cast<size_t>(c.pixels) * step - margin);
    std::vector<void*> out_rows;
    for (int64_t p = 0; p < c.pixels; ++p) {
        out_rows.push_back(out.data<char>() + static_cast<size_t>(p) * step);
    }
    DwArgs args;
    args.rows = rows.data();
    args.pixels = c.pixels;
    args.taps = c.taps;
    args.channels = c.channels;
    args.packed = packed.data();
    args.out = out_rows.data();
    args.epilogue = c.epilogue;
    kernel_->run(args);

    for (size_t p = 0; p < static_cast<size_t>(c.pixels); ++p) {
        const auto* row = static_cast<const char*>(out_rows[p]);
        for (size_t ch = 0; ch < channels; ++ch) {
            SCOPED_TRACE(testing::Message()
                         << "pixel " << p << " channel " << ch << " of " << channels << " taps " << taps);
            double sum = static_cast<double>(bias[ch]);
            double magnitude = std::fabs(sum);
            for (size_t t = 0; t < taps; ++t) {
                const double product = static_cast<double>(static_cast<const T*>(rows[p * taps + t])[ch]) *
                                       static_cast<double>(values[ch * taps + t]);
                sum += product;
                magnitude += std::fabs(product);
            }
            float got = 0;
            if (c.epilogue.float_output) {
                std::memcpy(&got, row + ch * 4, 4);
            }
            if (!kernel_->int8) {
                const double want =
                    std::min(std::max(sum, static_cast<double>(c.epilogue.lo)), static_cast<double>(c.epilogue.hi));
                ASSERT_NEAR(static_cast<double>(got), want, sum_bound(c.taps, magnitude));
            } else if (c.epilogue.float_output) {
                ASSERT_EQ(got,
                          reference_clamp(static_cast<float>(static_cast<int32_t>(sum)) * multiplier[ch], c.epilogue));
            } else {
                const int zp = c.epilogue.zero_point;
                ASSERT_EQ(*reinterpret_cast<const int8_t*>(row + ch),
                          reference_int8(static_cast<int32_t>(sum), multiplier[ch], zp,
                                         static_cast<int>(c.epilogue.lo) + zp, static_cast<int>(c.epilogue.hi) + zp));
            }
        }
        for (size_t i = 0; i < margin && p + 1 < static_cast<size_t>(c.pixels); ++i) {
            ASSERT_EQ(row[channels * out_size + i], 0x7f)
                << "wrote behind pixel " << p << " of " << channels << " channels";
        }
    }
}

TEST_P(DwSweep, SizesMatchNaiveLoops) {
    Epilogue floats;
    floats.lo = -std::numeric_limits<float>::infinity();
    floats.hi = std::numeric_limits<float>::infinity();
    Epilogue bytes;
    bytes.float_output = false;
    bytes.zero_point = 3;
    bytes.lo = -103.0F;
    bytes.hi = 124.0F;
    const int64_t lanes = kernel_->lanes;
    for (const int64_t channels :
         {int64_t{1}, int64_t{2}, int64_t{7}, lanes - 1, lanes, lanes + 1, 2 * lanes + 5, int64_t{97}}) {
        for (const int64_t taps : {1, 2, 3, 4, 5, 8, 9, 25, 49}) {
            for (const int64_t pixels : {1, 2, 7}) {
                for (const Fill fill : {Fill::kRandom, Fill::kLowest, Fill::kHighest, Fill::kOpposite}) {
                    run({pixels, taps, channels, fill, floats});
                    if (kernel_->int8) {
                        run({pixels, taps, channels, fill, bytes});
                    }
                    if (HasFatalFailure()) {
                        return;
                    }
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, DwSweep, testing::ValuesIn(dw_kernels().begin(), dw_kernels().end()),
                         kernel_test_name<DwKernel>);

}  // namespace
}  // namespace fw::test
