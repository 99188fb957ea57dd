// The loop of every peak: independent accumulators, each fed by the same two registers, nothing in memory.
#pragma once

#include <cstdint>

#include "kernel/unroll.h"

// Makes the compiler believe that a register changed, so that no step is moved out of the loop, merged with another or
// vectorised. `constraint` is the register class.
#define FW_PEAK_KEEP(constraint, value) asm volatile("" : "+" constraint(value))

namespace fw {

/// Enough to cover latency times throughput (4 to 5 cycles by 2 a cycle), and with two operands fewer than 16
/// registers.
constexpr int kPeakAccumulators = 12;

namespace {

/// `T` has Operand, Accumulator, set(), zero(), step(accumulator, a, b), keep(operand) and keep(accumulator).
template <class T>
FW_ALWAYS_INLINE void peak_loop(int64_t rounds) {
    typename T::Operand a = T::set();
    typename T::Operand b = T::set();
    T::keep(b);  // else products with 1 are left out
    typename T::Accumulator sums[kPeakAccumulators];
    unroll<kPeakAccumulators>([&](auto i) FW_INLINE_LAMBDA { sums[i] = T::zero(); });
    for (; rounds > 0; --rounds) {
        unroll<kPeakAccumulators>([&](auto i) FW_INLINE_LAMBDA {
            T::keep(a);
            sums[i] = T::step(sums[i], a, b);
        });
    }
    unroll<kPeakAccumulators>([&](auto i) FW_INLINE_LAMBDA { T::keep(sums[i]); });
}

}  // namespace
}  // namespace fw
