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

INSTANTIATE_TEST_SUITE_P(KernelsInc, ArithSweep, testing::ValuesIn(arith_kernels().begin(), arith_kernels().end()),
                         kernel_test_name<ArithKernel>);

}  // namespace
}  // namespace fw::test
