// Loops over the tiles of a block kernel, instruction by instruction: for an address GCC 12 takes an addition after
// every load, and it spills accumulators. AArch64 only.
#pragma once

#include "layer/arm/gemm_words.h"

namespace fw {
namespace {

// clang-format off
/// [all] steps, eight a loop, then four, then one.
#define FW_EIGHT_STEPS(four, one)          \
    "subs %[steps], %[all], #8\n b.lo 2f\n" \
    "1:\n" four four                       \
    "subs %[steps], %[steps], #8\n b.hs 1b\n" \
    "2: tbz %[steps], #2, 3f\n" four       \
    "3: ands %[steps], %[steps], #3\n b.eq 5f\n" \
    "4:\n" one                             \
    "subs %[steps], %[steps], #1\n b.ne 4b\n" \
    "5:\n"
/// Four steps a loop, then two, then one.
#define FW_FOUR_STEPS(two, one)            \
    "subs %[steps], %[all], #4\n b.lo 2f\n" \
    "1:\n" two two                         \
    "subs %[steps], %[steps], #4\n b.hs 1b\n" \
    "2: tbz %[steps], #1, 3f\n" two        \
    "3: tbz %[steps], #0, 4f\n" one        \
    "4:\n"
/// Two steps a loop, then one.
#define FW_TWO_STEPS(two, one)             \
    "subs %[steps], %[all], #2\n b.lo 2f\n" \
    "1:\n" two                             \
    "subs %[steps], %[steps], #2\n b.hs 1b\n" \
    "2: tbz %[steps], #0, 3f\n" one        \
    "3:\n"

/// Of `length` bytes of eight rows, 16 at a time: v0 to v7, which `store` brings to [to].
#define FW_INTERLEAVE_EIGHT(store)                                                                             \
    const void *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3], *r4 = rows[4], *r5 = rows[5],       \
               *r6 = rows[6], *r7 = rows[7];                                                                   \
    void* to = out;                                                                                            \
    __asm__ volatile(                                                                                          \
        "1:\n ldr q0, [%[r0]], #16\n ldr q1, [%[r1]], #16\n ldr q2, [%[r2]], #16\n ldr q3, [%[r3]], #16\n"       \
        "ldr q4, [%[r4]], #16\n ldr q5, [%[r5]], #16\n ldr q6, [%[r6]], #16\n ldr q7, [%[r7]], #16\n" store      \
        "subs %[length], %[length], #16\n b.gt 1b\n"                                                           \
        : [r0] "+r"(r0), [r1] "+r"(r1), [r2] "+r"(r2), [r3] "+r"(r3), [r4] "+r"(r4), [r5] "+r"(r5),            \
          [r6] "+r"(r6), [r7] "+r"(r7), [to] "+r"(to), [length] "+r"(length)                                   \
        :                                                                                                      \
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7")
// clang-format on

}  // namespace
}  // namespace fw
