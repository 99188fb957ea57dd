// The arith family against the formulas of docs/int8-contract.md, one element at a time.
#include "base/memory.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

const int64_t kCounts[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100};

class ArithSweep : public KernelSweep<ArithKernel> {
protected:
    void fill(GuardedBuffer* buffer, size_t n) {
        for (size_t i = 0; i < n; ++i) {
            buffer->data<int8_t>()[i] = fill_int8(&rng_, i % 5 == 0 ? Fill::kLowest : Fill::kRandom, false);
        }
    }
    // rne and clamp of a float that is exact already, in double precision.
    static int requantized(float x, int zero_point, int lo, int hi) {
        const double rounded = std::nearbyint(static_cast<double>(x)) + zero_point;
        return static_cast<int>(std::min<double>(std::max<double>(rounded, lo), hi));
    }
};

TEST_P(ArithSweep, Affine) {
    for (const int zero_point : {0, -128, 9}) {
        for (const int64_t count : kCounts) {
            const auto n = static_cast<size_t>(count);
            GuardedBuffer x(n, kOverread);
            GuardedBuffer a(4 * n, kOverread);
            GuardedBuffer b(4 * n, kOverread);
            GuardedBuffer out(n);
            fill(&x, n);
            for (size_t i = 0; i < n; ++i) {
                const float factors[] = {0.5F, -0.5F, 1.25F, 3.4e38F, -3.4e38F, 0.0F, 0.731F};
                a.data<float>()[i] = factors[i % 7];
                b.data<float>()[i] = i % 3 == 0 ? 0.5F : fill_float(&rng_) * 100.0F;
            }
            AffineArgs args;
            args.a = a.data<float>();
            args.b = b.data<float>();
            args.zero_point = zero_point;
            args.zero_point_out = -zero_point - 1;
            args.lo = -128;
            kernel_->affine(args, x.data<int8_t>(), count, out.data<int8_t>());
            for (size_t i = 0; i < n; ++i) {
                const float product = static_cast<float>(x.data<int8_t>()[i] - zero_point) * args.a[i];
                ASSERT_EQ(int{out.data<int8_t>()[i]}, requantized(product + args.b[i], -zero_point - 1, -128, 127))
                    << "element " << i << " of " << count;
            }
        }
    }
}

TEST_P(ArithSweep, Product) {
    for (const int inputs : {2, 3}) {
        for (const int zero_point : {0, -128, 127}) {
            for (const float multiplier : {0.0F, 1e-6F, 0.5F / 255, 0.0117F, 1.0F, 3.4e38F}) {
                for (const int64_t count : kCounts) {
                    const auto n = static_cast<size_t>(count);
                    GuardedBuffer x[3] = {GuardedBuffer(n, kOverread), GuardedBuffer(n, kOverread),
                                          GuardedBuffer(n, kOverread)};
                    GuardedBuffer out(n);
                    const int8_t* in[3];
                    for (int j = 0; j < 3; ++j) {
                        fill(&x[j], n);
                        in[j] = x[j].data<int8_t>();
                    }
                    const int32_t zero_points[] = {zero_point, -zero_point / 2, 127};
                    ProductArgs args;
                    args.in = in;
                    args.zero_point = zero_points;
                    args.inputs = inputs;
                    args.multiplier = multiplier;
                    args.zero_point_out = -zero_point - 1;
                    args.lo = zero_point == 0 ? -127 : -128;
                    kernel_->product(args, count, out.data<int8_t>());
                    for (size_t i = 0; i < n; ++i) {
                        int32_t product = 1;
                        for (int j = 0; j < inputs; ++j) {
                            product *= in[j][i] - zero_points[j];
                        }
                        ASSERT_EQ(int{out.data<int8_t>()[i]},
                                  reference_int8(product, multiplier, args.zero_point_out, args.lo, 127))
                            << "element " << i << " of " << count << ", multiplier " << multiplier;
                    }
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, ArithSweep, testing::ValuesIn(arith_kernels().begin(), arith_kernels().end()),
                         kernel_test_name<ArithKernel>);

}  // namespace
}  // namespace fw::test
