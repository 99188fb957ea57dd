// What the compiler makes of portable C++ for the architecture's baseline: floats four at a time where that has vectors
// (there the portable kernels are vectorised too), else one; products of bytes one at a time.
#include "peak/loop.h"

namespace fw {

namespace {

#if defined(__x86_64__)
#define FW_FLOAT_REGISTER "x"
#elif defined(__aarch64__)
#define FW_FLOAT_REGISTER "w"
#elif defined(__arm__)
#define FW_FLOAT_REGISTER "t"
#else
#define FW_FLOAT_REGISTER "m"
#endif

struct FloatScalar {
#if defined(__x86_64__) || defined(__aarch64__)
    using Operand = float __attribute__((vector_size(16)));
    static Operand set() {
        return Operand{1.0F, 1.0F, 1.0F, 1.0F};
    }
#else
    using Operand = float;
    static Operand set() {
        return 1.0F;
    }
#endif
    using Accumulator = Operand;
    static Accumulator zero() {
        return Accumulator{};
    }
    static Accumulator step(Accumulator sum, Operand a, Operand b) {
        return sum + a * b;
    }
    static void keep(Operand& value) {
        FW_PEAK_KEEP(FW_FLOAT_REGISTER, value);
    }
};

struct Int8Scalar {
    using Operand = int32_t;
    using Accumulator = int32_t;
    static Operand set() { return 1; }
    static Accumulator zero() { return 0; }
    static Accumulator step(Accumulator sum, Operand a, Operand b) {
        sum = static_cast<int32_t>(static_cast<uint32_t>(sum) + static_cast<uint32_t>(a * b));
        keep(sum);  // else neighbours are packed into vectors
        return sum;
    }
    static void keep(int32_t& value) { FW_PEAK_KEEP("r", value); }
};

}  // namespace

void peak_f32_scalar(int64_t rounds) {
    peak_loop<FloatScalar>(rounds);
}

void peak_int8_scalar(int64_t rounds) {
    peak_loop<Int8Scalar>(rounds);
}

}  // namespace fw
