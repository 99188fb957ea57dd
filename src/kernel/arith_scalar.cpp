// The arith family in plain C++: the formulas of docs/int8-contract.md as they stand.
#include "kernel/kernel.h"
#include "kernel/portable.h"

namespace fw {

namespace {

int8_t requantized(float x, int32_t zero_point, int32_t lo, int32_t hi) {
    const auto least = static_cast<float>(lo - zero_point);
    const auto most = static_cast<float>(hi - zero_point);
    const float above = x > least ? x : least;
    return static_cast<int8_t>(round_half_even_small(above < most ? above : most) + zero_point);
}

void affine(const AffineArgs& args, const int8_t* x, int64_t count, int8_t* out) {
    for (int64_t i = 0; i < count; ++i) {
        const float scaled = static_cast<float>(x[i] - args.zero_point) * args.a[i];
        out[i] = requantized(scaled + args.b[i], args.zero_point_out, args.lo, args.hi);
    }
}

void product(const ProductArgs& args, int64_t count, int8_t* out) {
    for (int64_t i = 0; i < count; ++i) {
        int32_t x = args.in[0][i] - args.zero_point[0];
        for (int j = 1; j < args.inputs; ++j) {
            x *= args.in[j][i] - args.zero_point[j];
        }
        out[i] = requantized(static_cast<float>(x) * args.multiplier, args.zero_point_out, args.lo, 127);
    }
}

}  // namespace

extern const ArithKernel arith_scalar = {"arith_scalar", Isa::kScalar, affine, product};

}  // namespace fw
