// Loops that the compiler unrolls for certain, with constant indices. GCC 12 keeps an array of vector accumulators in
// memory when a loop over it is unrolled late; with indices that are constants from the start it becomes registers.
#pragma once

#define FW_ALWAYS_INLINE inline __attribute__((always_inline))
#define FW_INLINE_LAMBDA __attribute__((always_inline))

namespace fw {
namespace {  // every file that includes this gets its own copy: no weak symbol may leave an ISA object

template <int kValue>
struct Index {
    constexpr operator int() const { return kValue; }
};

/// Calls fn(Index<0>), ..., fn(Index<kCount - 1>).
template <int kCount, class Fn>
FW_ALWAYS_INLINE void unroll(Fn&& fn) {
    if constexpr (kCount > 0) {
        unroll<kCount - 1>(fn);
        fn(Index<kCount - 1>());
    }
}

}  // namespace
}  // namespace fw
