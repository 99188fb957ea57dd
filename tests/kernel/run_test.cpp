// The functions of the run and pool families against the formulas of docs/int8-contract.md, one element at a time.
#include <cstring>
#include <memory>
#include <type_traits>

#include "base/half.h"
#include "base/memory.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

const int64_t kCounts[] = {1, 2, 7, 15, 16, 31, 32, 33, 63, 64, 95, 97, 128, 200};

template <class Kernel>
class Sweep : public KernelSweep<Kernel> {
protected:
    using KernelSweep<Kernel>::rng_;

    int integer(int lo, int hi) { return std::uniform_int_distribution<int>(lo, hi)(rng_); }
    int8_t byte() { return static_cast<int8_t>(integer(-128, 127)); }
};

class RunSweep : public Sweep<RunKernel> {
protected:
    // Ties, values beyond the range of int8 and of int32, infinities and NaN among them.
    float value() {
        const float special[] = {0.5F,   1.5F,   -2.5F,  126.5F, -127.5F,  1e9F,      -1e9F, 3e38F,
                                 -3e38F, -1e-9F, 127.4F, -0.0F,  INFINITY, -INFINITY, NAN};
        const int choice = integer(0, 60);
        return choice < 15 ? special[choice] : std::uniform_real_distribution<float>(-300.0F, 300.0F)(rng_);
    }
    static int expected(const QuantizeArgs& q, float x) {
        const float scaled = x * q.scale;
        if (std::isnan(scaled)) {
            return q.lo;
        }
        const double rounded = std::nearbyint(static_cast<double>(scaled)) + q.zero_point;
        return static_cast<int>(std::min(std::max(rounded, static_cast<double>(q.lo)), 127.0));
    }
};

TEST_P(RunSweep, Quantize) {
    for (const QuantizeArgs& q : {QuantizeArgs{1.0F, 0, -127}, QuantizeArgs{0.37F, -128, -128},
                                  QuantizeArgs{21.0F, 127, -128}, QuantizeArgs{1e30F, 3, -128}}) {
        for (const int64_t count : kCounts) {
            const auto n = static_cast<size_t>(count);
            GuardedBuffer x(3 * n * 4, kOverread);
            for (size_t i = 0; i < 3 * n; ++i) {
                x.data<float>()[i] = value();
            }
            GuardedBuffer out(n);
            kernel_->quantize(q, x.data<float>(), count, out.data<int8_t>());
            GuardedBuffer pixels(3 * n);
            const float* planes[] = {x.data<float>(), x.data<float>() + n, x.data<float>() + 2 * n};
            kernel_->quantize_planes(q, planes, count, pixels.data<int8_t>());
            for (size_t i = 0; i < n; ++i) {
                ASSERT_EQ(out.data<int8_t>()[i], expected(q, planes[0][i])) << planes[0][i] << " of " << count;
                for (size_t c = 0; c < 3; ++c) {
                    ASSERT_EQ(pixels.data<int8_t>()[3 * i + c], expected(q, planes[c][i])) << planes[c][i];
                }
            }
        }
    }
}

TEST_P(RunSweep, Dequantize) {
    for (const int64_t count : kCounts) {
        const auto n = static_cast<size_t>(count);
        GuardedBuffer x(n, kOverread);
        for (size_t i = 0; i < n; ++i) {
            x.data<int8_t>()[i] = byte();
        }
        GuardedBuffer out(4 * n);
        kernel_->dequantize(x.data<int8_t>(), count, -7, 0.037F, out.data<float>());
        for (size_t i = 0; i < n; ++i) {
            ASSERT_EQ(out.data<float>()[i], static_cast<float>(x.data<int8_t>()[i] + 7) * 0.037F);
        }
    }
}

TEST_P(RunSweep, Sum) {
    for (const int inputs : {1, 2, 3, 8}) {
        for (const int shift : {1, 12, 20, 22, 23, 30}) {
            for (const int64_t count : kCounts) {
                const auto n = static_cast<size_t>(count);
                std::vector<std::unique_ptr<GuardedBuffer>> buffers;
                std::vector<const int8_t*> in;
                std::vector<int32_t> multiplier;
                std::vector<int32_t> zero_point;
                const int limit = std::min(shift > 20 ? 1 << 30 : 1 << 20, (1 << 30) / 255 / inputs - 1);
                const int zero_point_out = shift == 22 ? -128 : shift == 23 ? 127 : 5;
                for (int j = 0; j < inputs; ++j) {
                    buffers.push_back(std::make_unique<GuardedBuffer>(n, kOverread));
                    for (size_t i = 0; i < n; ++i) {
                        buffers.back()->data<int8_t>()[i] = byte();
                    }
                    in.push_back(buffers.back()->data<int8_t>());
                    multiplier.push_back(integer(-limit, limit));
                    zero_point.push_back(integer(-128, 127));
                }
                const SumArgs args = {
                    in.data(), multiplier.data(), zero_point.data(), inputs, shift, zero_point_out, -100, 99};
                std::vector<int> want;
                for (size_t i = 0; i < n; ++i) {
                    int64_t total = int64_t{1} << (shift - 1);
                    for (size_t j = 0; j < static_cast<size_t>(inputs); ++j) {
                        total += int64_t{in[j][i] - zero_point[j]} * multiplier[j];
                    }
                    want.push_back(static_cast<int>(
                        std::min<int64_t>(std::max<int64_t>(zero_point_out + (total >> shift), -100), 99)));
                }
                GuardedBuffer out(n);
                kernel_->sum(args, count, out.data<int8_t>());
                // In place of the first input.
                kernel_->sum(args, count, buffers[0]->data<int8_t>());
                for (size_t i = 0; i < n; ++i) {
                    ASSERT_EQ(out.data<int8_t>()[i], want[i]) << inputs << " inputs, shift " << shift;
                    ASSERT_EQ(in[0][i], want[i]) << "in place";
                }
                ASSERT_EQ(buffers[0]->data<char>()[n], 0x7f) << "wrote behind the run";
            }
        }
    }
}

// All of float16, and floats around its roundings and its ends.
TEST_P(RunSweep, HalvesAndFloats) {
    if (kernel_->widen == nullptr) {
        return;
    }
    for (const size_t n : {1U, 3U, 4U, 5U, 8U, 11U, 65536U}) {
        GuardedBuffer halves(n * 2, kOverread);
        GuardedBuffer wide(n * 4);
        for (size_t i = 0; i < n; ++i) {
            halves.data<uint16_t>()[i] = static_cast<uint16_t>(n == 65536 ? i : static_cast<size_t>(integer(0, 65535)));
        }
        kernel_->widen(halves.data<uint16_t>(), static_cast<int64_t>(n), wide.data<float>());
        for (size_t i = 0; i < n; ++i) {
            const float want = half_to_float(halves.data<uint16_t>()[i]);
            const float got = wide.data<float>()[i];
            ASSERT_TRUE(std::isnan(want) ? std::isnan(got) : std::memcmp(&want, &got, 4) == 0) << want << ", " << got;
        }
        if (kernel_->narrow == nullptr) {
            continue;
        }
        GuardedBuffer floats(n * 4, kOverread);
        GuardedBuffer out(n * 2);
        for (const float factor : {1.0F, 1.0F + 0x1p-11F, 1.0F + 0x1.004p-11F, 1.0F - 0x1p-12F, 0x1p-12F}) {
            for (size_t i = 0; i < n; ++i) {
                floats.data<float>()[i] = half_to_float(halves.data<uint16_t>()[i]) * factor;
            }
            kernel_->narrow(floats.data<float>(), static_cast<int64_t>(n), out.data<uint16_t>());
            for (size_t i = 0; i < n; ++i) {
                const float x = floats.data<float>()[i];
                const uint16_t got = out.data<uint16_t>()[i];
                ASSERT_TRUE(std::isnan(x) ? std::isnan(half_to_float(got)) : got == float_to_half(x)) << x;
            }
        }
    }
}

/// float16 with the comparison of its value.
struct Half {
    uint16_t bits;

    float value() const { return half_to_float(bits); }
    friend bool operator>(Half a, Half b) { return a.value() > b.value(); }
    friend bool operator==(Half a, Half b) { return a.bits == b.bits; }
};

class PoolSweep : public Sweep<PoolKernel> {
protected:
    template <class T>
    T cell() {
        if constexpr (std::is_same_v<T, float>) {
            return integer(0, 20) == 0 ? NAN : fill_float(&rng_) * 100.0F;
        } else if constexpr (std::is_same_v<T, Half>) {
            return {float_to_half(integer(0, 20) == 0 ? NAN : fill_float(&rng_) * 100.0F)};
        } else {
            return byte();
        }
    }
    template <class T, class Fn>
    void check(T start, Fn&& run);
};

template <class T, class Fn>
void PoolSweep::check(T start, Fn&& run) {
    for (const int64_t channels : kCounts) {
        for (const int rows : {0, 1, 2, 3}) {
            for (const int columns : {1, 2, 3, 7}) {
                const int64_t step = channels + 5;
                const auto cells = static_cast<size_t>(rows * columns * step - (rows > 0 ? 5 : 0));
                GuardedBuffer image(cells * sizeof(T), kOverread);
                for (size_t i = 0; i < cells; ++i) {
                    image.data<T>()[i] = cell<T>();
                }
                GuardedBuffer out(static_cast<size_t>(channels) * sizeof(T));
                PoolArgs args;
                args.corner = image.data();
                args.rows = rows;
                args.columns = columns;
                args.column_step = step * static_cast<int64_t>(sizeof(T));
                args.row_step = args.column_step * columns;
                args.channels = channels;
                args.out = out.data();
                run(args);
                for (int64_t c = 0; c < channels; ++c) {
                    T want = start;
                    for (int64_t i = 0; i < int64_t{rows} * columns; ++i) {
                        const T value = image.data<T>()[i * step + c];
                        want = value > want ? value : want;
                    }
                    ASSERT_EQ(out.data<T>()[c], want) << "channel " << c << " of " << channels;
                }
            }
        }
    }
}

TEST_P(PoolSweep, Maxima) {
    for (const int start : {-128, -127, 100}) {
        check<int8_t>(static_cast<int8_t>(start),
                      [&](const PoolArgs& args) { kernel_->max_int8(args, static_cast<int8_t>(start)); });
    }
    for (const float start : {-3.402823466e+38F, 0.0F}) {
        check<float>(start, [&](const PoolArgs& args) { kernel_->max_f32(args, start); });
    }
    for (const float start : {-65504.0F, 0.0F}) {
        const Half half = {float_to_half(start)};
        if (kernel_->max_f16 != nullptr) {
            check<Half>(half, [&](const PoolArgs& args) { kernel_->max_f16(args, half.bits); });
        }
    }
}

class TableSweep : public Sweep<TableKernel> {};

TEST_P(TableSweep, EveryIndexAndLength) {
    int8_t table[256];
    for (int8_t& entry : table) {
        entry = byte();
    }
    for (const int64_t count : {1, 31, 32, 33, 63, 64, 65, 100, 256, 300}) {
        const auto n = static_cast<size_t>(count);
        GuardedBuffer in(n, kOverread);
        GuardedBuffer out(n);
        for (size_t i = 0; i < n; ++i) {
            in.data<int8_t>()[i] = static_cast<int8_t>(count < 256 ? byte() : static_cast<int>(i % 256) - 128);
        }
        std::vector<int> want;
        for (size_t i = 0; i < n; ++i) {
            want.push_back(table[in.data<int8_t>()[i] + 128]);
        }
        kernel_->look_up(in.data<int8_t>(), count, table, out.data<int8_t>());
        kernel_->look_up(in.data<int8_t>(), count, table, in.data<int8_t>());
        for (size_t i = 0; i < n; ++i) {
            ASSERT_EQ(out.data<int8_t>()[i], want[i]) << "element " << i << " of " << count;
            ASSERT_EQ(in.data<int8_t>()[i], want[i]) << "in place";
        }
        ASSERT_EQ(in.data<char>()[n], 0x7f) << "wrote behind the run";
    }
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, TableSweep, testing::ValuesIn(table_kernels().begin(), table_kernels().end()),
                         kernel_test_name<TableKernel>);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TableSweep);
INSTANTIATE_TEST_SUITE_P(KernelsInc, RunSweep, testing::ValuesIn(run_kernels().begin(), run_kernels().end()),
                         kernel_test_name<RunKernel>);
INSTANTIATE_TEST_SUITE_P(KernelsInc, PoolSweep, testing::ValuesIn(pool_kernels().begin(), pool_kernels().end()),
                         kernel_test_name<PoolKernel>);
// An architecture may have no such kernel yet.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RunSweep);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PoolSweep);

}  // namespace
}  // namespace fw::test
