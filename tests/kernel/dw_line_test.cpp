// Every kernel for depthwise convolution along a line against naive loops: widths around the number of open windows,
// padding on each side and above, channels around the block's.
#include <cstring>
#include <type_traits>

#include "base/half.h"
#include "base/memory.h"
#include "kernel/pack.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

struct Case {
    int64_t columns, first_column, pixels, channels;
    int pad_lines;  ///< so many lines at the top are padding
    Fill fill = Fill::kRandom;
    Epilogue epilogue;
    bool adjacent = false;  ///< nothing lies between the pixels
};

class DwLineSweep : public KernelSweep<DwLineKernel> {
protected:
    template <class T>
    void run_as(const Case& c);
    void run(const Case& c) {
        if (kernel_->int8) {
            run_as<int8_t>(c);
        } else if (kernel_->half) {
            run_as<uint16_t>(c);
        } else {
            run_as<float>(c);
        }
    }
};

// uint16_t: the bits of float16.
template <class T>
T pixel(std::mt19937* rng, Fill fill) {
    if constexpr (std::is_same_v<T, uint16_t>) {
        return float_to_half(fill_float(rng));
    } else {
        return fill_value<T>(rng, fill, false);
    }
}

template <class T>
double value_of(T x) {
    if constexpr (std::is_same_v<T, uint16_t>) {
        return static_cast<double>(half_to_float(x));
    } else {
        return static_cast<double>(x);
    }
}

template <class T>
void DwLineSweep::run_as(const Case& c) {
    using Bias = std::conditional_t<std::is_same_v<T, int8_t>, int32_t, float>;
    using Weight = std::conditional_t<std::is_same_v<T, int8_t>, int8_t, float>;
    const int size = kernel_->size;
    const auto channels = static_cast<size_t>(c.channels);
    const auto taps = static_cast<size_t>(size) * static_cast<size_t>(size);
    const size_t column_gap = c.adjacent ? 0 : 3;  // else the input is a slice of wider pixels
    const size_t step = channels + column_gap;
    const size_t line = static_cast<size_t>(c.columns) * step - column_gap;
    GuardedBuffer input((static_cast<size_t>(size) * (line + column_gap) - column_gap) * sizeof(T), kOverread);
    for (size_t i = 0; i < static_cast<size_t>(size) * (line + column_gap) - column_gap; ++i) {
        input.data<T>()[i] = pixel<T>(&rng_, c.fill);
    }
    GuardedBuffer pad(channels * sizeof(T), kOverread);
    for (size_t i = 0; i < channels; ++i) {
        pad.data<T>()[i] = pixel<T>(&rng_, c.fill);
    }
    DwLineArgs args;
    for (int y = 0; y < size; ++y) {
        const bool inside = y >= c.pad_lines;
        args.lines[y] = inside ? input.data<T>() + static_cast<size_t>(y) * (line + column_gap) : pad.data<T>();
        args.line_step[y] = inside ? static_cast<int64_t>(step * sizeof(T)) : 0;
    }
    std::vector<Weight> values(channels * taps);
    for (Weight& v : values) {
        v = fill_value<Weight>(&rng_, c.fill, true);
    }
    std::vector<Bias> bias(channels);
    std::vector<float> multiplier(channels);
    for (size_t i = 0; i < channels; ++i) {
        bias[i] = static_cast<Bias>(std::uniform_int_distribution<int32_t>(-9000, 9000)(rng_));
        if (kernel_->half) {
            bias[i] /= 9000;
        }
        multiplier[i] = std::exp2(std::uniform_real_distribution<float>(-14.0F, 0.0F)(rng_));
    }
    DwWeights weights;
    weights.channels = c.channels;
    weights.taps = static_cast<int64_t>(taps);
    weights.values = values.data();
    weights.bias = bias.data();
    weights.multiplier = multiplier.data();
    GuardedBuffer packed(round_up(packed_dw_line_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_dw_line(*kernel_, weights, packed.data());

    const size_t out_size = !c.epilogue.float_output ? 1 : kernel_->half ? 2 : 4;
    const size_t margin = c.adjacent ? 0 : 3 * out_size;
    const size_t out_step = channels * out_size + margin;
    GuardedBuffer out(static_cast<size_t>(c.pixels) * out_step - margin);
    args.pad_row = pad.data();
    args.columns = c.columns;
    args.first_column = c.first_column;
    args.pixels = c.pixels;
    args.channels = c.channels;
    args.packed = packed.data();
    args.out = out.data();
    args.out_step = static_cast<int64_t>(out_step);
    args.epilogue = c.epilogue;
    kernel_->run(args);

    const auto at = [&](int y, int64_t column, size_t ch) {
        const bool inside = y >= c.pad_lines && column >= 0 && column < c.columns;
        const T* row = input.data<T>() + static_cast<size_t>(y) * (line + column_gap);
        return value_of(inside ? row[static_cast<size_t>(column) * step + ch] : pad.data<T>()[ch]);
    };
    for (int64_t p = 0; p < c.pixels; ++p) {
        const char* row = out.data<char>() + static_cast<size_t>(p) * out_step;
        for (size_t ch = 0; ch < channels; ++ch) {
            SCOPED_TRACE(testing::Message() << "pixel " << p << " of " << c.pixels << ", channel " << ch << " of "
                                            << channels << ", columns " << c.columns << " from " << c.first_column);
            double sum = static_cast<double>(bias[ch]);
            double magnitude = std::fabs(sum);
            double operands = 0;
            for (int y = 0; y < size; ++y) {
                for (int x = 0; x < size; ++x) {
                    const size_t tap = static_cast<size_t>(y * size + x);
                    const double value = at(y, c.first_column + p * kernel_->stride + x, ch);
                    const auto weight = static_cast<double>(values[ch * taps + tap]);
                    const double product = value * weight;
                    operands += std::fabs(value) + std::fabs(weight);
                    sum += product;
                    magnitude += std::fabs(product);
                }
            }
            float got = 0;
            if (kernel_->half) {
                got = half_to_float(reinterpret_cast<const uint16_t*>(row)[ch]);
            } else if (c.epilogue.float_output) {
                std::memcpy(&got, row + ch * 4, 4);
            }
            const Epilogue& e = c.epilogue;
            if (!kernel_->int8) {
                const double want =
                    std::min(std::max(bent(sum, e), static_cast<double>(e.lo)), static_cast<double>(e.hi));
                const auto terms = static_cast<double>(weights.taps);
                const double half = (terms + 2) * 0x1p-11 * magnitude + 0x1p-24 * (terms + 1 + operands);
                ASSERT_NEAR(static_cast<double>(got), want,
                            kernel_->half ? half : bent_bound(sum, sum_bound(weights.taps, magnitude), e));
            } else if (e.float_output) {
                ASSERT_EQ(got, reference_clamp(static_cast<float>(static_cast<int32_t>(sum)) * multiplier[ch], e));
            } else {
                ASSERT_EQ(*reinterpret_cast<const int8_t*>(row + ch),
                          reference_int8(static_cast<int32_t>(sum), multiplier[ch], e));
            }
        }
        for (size_t i = 0; i < margin && p + 1 < c.pixels; ++i) {
            ASSERT_EQ(row[channels * out_size + i], 0x7f) << "wrote behind pixel " << p << " of " << channels;
        }
    }
}

TEST_P(DwLineSweep, BentOutputs) {
    if (!kernel_->bends) {
        return;
    }
    for (const Epilogue& e : bent_epilogues(kernel_->int8)) {
        for (const int64_t channels : {int64_t{3}, int64_t{kernel_->lanes}, int64_t{2 * kernel_->lanes + 5}}) {
            run({3 * kernel_->stride + kernel_->size, -1, 4, channels, 1, Fill::kRandom, e});
            if (HasFatalFailure()) {
                return;
            }
        }
    }
}

TEST_P(DwLineSweep, SizesMatchNaiveLoops) {
    Epilogue floats;
    floats.lo = -std::numeric_limits<float>::infinity();
    floats.hi = std::numeric_limits<float>::infinity();
    // Kernels may store zero points 0 and -128 in ways of their own, with an upper bound and without.
    const auto int8_output = [](int zero_point, float lo, float hi) {
        Epilogue e;
        e.float_output = false;
        e.zero_point = zero_point;
        e.lo = lo;
        e.hi = hi;
        return e;
    };
    const Epilogue outputs[] = {int8_output(3, -103, 124),  int8_output(-128, 0, 255), int8_output(-128, 0, 254),
                                int8_output(-128, 28, 255), int8_output(0, -127, 127), int8_output(0, -127, 90)};
    size_t output = 0;
    const int64_t lanes = kernel_->lanes;
    for (const int64_t channels : {int64_t{1}, int64_t{3}, int64_t{17}, lanes - 1, lanes, lanes + 1, lanes + lanes / 2,
                                   2 * lanes + 5, 2 * lanes + lanes / 2, 3 * lanes}) {
        for (const int64_t pixels : {1, 2, 3, 5, 6, 7, 13}) {
            for (const int64_t first :
                 {int64_t{0}, int64_t{-1}, -int64_t{kernel_->size / 2}, -int64_t{kernel_->size - 1}, int64_t{2}}) {
                const int64_t used = first + (pixels - 1) * kernel_->stride + kernel_->size;
                for (const int64_t columns : {used, used - 1, used - 2, used + 4}) {
                    if (columns < 1) {
                        continue;
                    }
                    run({columns, first, pixels, channels, static_cast<int>(pixels % 3), Fill::kRandom, floats});
                    if (kernel_->int8) {
                        run({columns, first, pixels, channels, 0, Fill::kRandom,
                             outputs[output++ % std::size(outputs)]});
                    }
                    if (HasFatalFailure()) {
                        return;
                    }
                }
            }
        }
    }
    for (const Fill fill : {Fill::kLowest, Fill::kHighest, Fill::kOpposite}) {
        run({9, -1, 7, lanes + 3, 1, fill, kernel_->int8 ? outputs[2] : floats});
    }
    if (!kernel_->int8) {
        Epilogue bounded;
        bounded.lo = -0.5F;
        bounded.hi = 0.75F;
        run({9, -1, 7, 2 * lanes + 3, 1, Fill::kRandom, bounded});
        bounded.hi = floats.hi;
        run({9, -1, 7, 2 * lanes + 3, 1, Fill::kRandom, bounded});
    }
}

// Kernels may work on pixels that lie side by side together, a piece of a line at a time.
TEST_P(DwLineSweep, AdjacentPixels) {
    std::vector<Epilogue> epilogues = bent_epilogues(kernel_->int8);
    epilogues.resize(kernel_->bends ? 3 : 0);
    Epilogue bytes;
    bytes.float_output = !kernel_->int8;
    bytes.zero_point = kernel_->int8 ? -5 : 0;
    bytes.lo = kernel_->int8 ? -122 : -std::numeric_limits<float>::infinity();
    bytes.hi = kernel_->int8 ? 132 : std::numeric_limits<float>::infinity();
    epilogues.push_back(bytes);
    for (const int64_t channels : {8, 16, 24, 32, 40}) {
        for (const int64_t pixels : {1, 3, 4, 9, 18, 31, 130, 263}) {
            for (const int pad : {0, 1, 2}) {
                const int64_t columns = std::max<int64_t>(1, (pixels - 1) * kernel_->stride + kernel_->size - 2 * pad);
                const Epilogue& epilogue = epilogues[static_cast<size_t>(pixels + pad) % epilogues.size()];
                run({columns, -pad, pixels, channels, pad, Fill::kRandom, epilogue, true});
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, DwLineSweep, testing::ValuesIn(dw_line_kernels().begin(), dw_line_kernels().end()),
                         kernel_test_name<DwLineKernel>);
// An architecture may have no such kernel yet.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DwLineSweep);

}  // namespace
}  // namespace fw::test
