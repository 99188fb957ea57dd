// Strassen's way in float16, instruction by instruction: for an address GCC 12 takes an addition after every load and
// store. Planes, in this order:
//   (a11 + a22) (b11 + b22)    (a21 + a22) b11    a11 (b12 - b22)    a22 (b21 - b11)
//   (a11 + a12) b22    (a21 - a11) (b11 + b12)    (a12 - a22) (b21 + b22)
#include "kernel/strassen_kernel.h"
#include "layer/arm/block_halves.h"

namespace fw {

namespace {

struct Planes {
    char* at[kStrassenPlanes];

    explicit FW_ALWAYS_INLINE Planes(const StrassenSums& args) {
        unroll<kStrassenPlanes>([&](auto i)
                                    FW_INLINE_LAMBDA { at[i] = static_cast<char*>(args.planes) + i * args.plane; });
    }
};

// clang-format off
#define FW_ONE(op, to, a, b) op " v" to ".8h, v" a ".8h, v" b ".8h\n"
#define FW_PLANES                                                                                              \
    [p0] "+&r"(planes.at[0]), [p1] "+&r"(planes.at[1]), [p2] "+&r"(planes.at[2]), [p3] "+&r"(planes.at[3]),      \
        [p4] "+&r"(planes.at[4]), [p5] "+&r"(planes.at[5]), [p6] "+&r"(planes.at[6])
#define FW_REGISTERS                                                                                           \
    "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",    \
        "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27"

// Eight elements of each quarter of four pairs: upper rows t, lower ones u; a11 v0 to v3, a12 v4 to v7, a21 v16 to v19,
// a22 v20 to v23.
#define FW_ROWS_OF(rows, half, n0, n1, n2, n3)                                                                 \
    "ldr q" n0 ", [%[" rows "0], %[" half "]]\n ldr q" n1 ", [%[" rows "1], %[" half "]]\n"                    \
    "ldr q" n2 ", [%[" rows "2], %[" half "]]\n ldr q" n3 ", [%[" rows "3], %[" half "]]\n"
#define FW_SUMS(op, a0, a1, a2, a3, b0, b1, b2, b3, plane)                                                     \
    FW_ONE(op, "24", a0, b0) FW_ONE(op, "25", a1, b1) FW_ONE(op, "26", a2, b2) FW_ONE(op, "27", a3, b3)        \
    "st1 {v24.8h-v27.8h}, [%[" plane "]], %[step]\n"

FW_ALWAYS_INLINE void four_pairs(const void* const (&t)[4], const void* const (&u)[4], int64_t half, Planes planes) {
    int64_t low = 0;
    int64_t high = 2 * half;
    int64_t left = half;
    __asm__ volatile(
        "1:\n" FW_ROWS_OF("t", "low", "0", "1", "2", "3") FW_ROWS_OF("u", "high", "20", "21", "22", "23")
        "st1 {v0.8h-v3.8h}, [%[p2]], %[step]\n st1 {v20.8h-v23.8h}, [%[p3]], %[step]\n"
        FW_SUMS("fadd", "0", "1", "2", "3", "20", "21", "22", "23", "p0")
        FW_ROWS_OF("t", "high", "4", "5", "6", "7")
        FW_SUMS("fadd", "4", "5", "6", "7", "0", "1", "2", "3", "p4")
        FW_SUMS("fsub", "4", "5", "6", "7", "20", "21", "22", "23", "p6")
        FW_ROWS_OF("u", "low", "16", "17", "18", "19")
        FW_SUMS("fadd", "16", "17", "18", "19", "20", "21", "22", "23", "p1")
        FW_SUMS("fsub", "16", "17", "18", "19", "0", "1", "2", "3", "p5")
        "add %[low], %[low], #16\n add %[high], %[high], #16\n subs %[left], %[left], #8\n b.ne 1b\n"
        : [low] "+&r"(low), [high] "+&r"(high), [left] "+&r"(left), FW_PLANES
        : [t0] "r"(t[0]), [t1] "r"(t[1]), [t2] "r"(t[2]), [t3] "r"(t[3]), [u0] "r"(u[0]), [u1] "r"(u[1]),
          [u2] "r"(u[2]), [u3] "r"(u[3]), [step] "r"(int64_t{16 * kStrassenRows})
        : FW_REGISTERS);
}

void input(const StrassenSums& args) {
    Planes planes(args);
    void* const* row = args.rows;
    StrassenTiles tiles(args.pairs);
    for (int64_t m = tiles.next(); m > 0; row += 2 * m, m = tiles.next()) {
        for (int64_t first = 0; first < kStrassenRows; first += 4) {
            const void* upper[4];
            const void* lower[4];
            unroll<4>([&](auto r) FW_INLINE_LAMBDA {
                const int64_t pair = first + r < m ? first + r : m - 1;
                upper[r] = row[2 * pair];
                lower[r] = row[2 * pair + 1];
            });
            Planes half_tile = planes;
            unroll<kStrassenPlanes>([&](auto i) FW_INLINE_LAMBDA { half_tile.at[i] += 16 * first; });
            four_pairs(upper, lower, args.half, half_tile);
        }
        unroll<kStrassenPlanes>([&](auto i) FW_INLINE_LAMBDA { planes.at[i] += 2 * kStrassenRows * args.half; });
    }
}

// Registers as block_halves.h has them. Four eights of steps at a time, as many as there are at least.
#define FW_STORE_TO(n0, n1) "st1 {v" n0 ".8h-v" n1 ".8h}, [%[to]], %[out_step]\n"
#define FW_BIASED(n0, n1) FW_ADD_BIAS(FW_FREE, n0, "24") FW_ADD_BIAS(FW_FREE, n1, "25")
#define FW_EACH_ROW_6(op) op("8", "9") op("10", "11") op("12", "13") op("14", "15") op("16", "17") op("18", "19")
#define FW_EACH_ROW_7(op) FW_EACH_ROW_6(op) op("20", "21")
#define FW_EACH_ROW_8(op) FW_EACH_ROW_7(op) op("22", "23")
#define FW_THREE_EIGHTS(height) \
    FW_EIGHT_16(height, "fmla") FW_EIGHT_16(height, "fmla") FW_EIGHT_16(height, "fmla")
#define FW_DEFINE_PRODUCT(height)                                                                              \
    FW_ALWAYS_INLINE void multiply_##height(const StrassenProduct& args, const char* rows, char* out,          \
                                            float16_t* kept) {                                                 \
        const int64_t before = (args.k - 1) / kHalfBlock;                                                      \
        const int64_t eights = (args.k - before * kHalfBlock) / 8;                                             \
        const void* b = args.packed;                                                                           \
        const void* bias = args.bias ? b : nullptr;                                                            \
        int64_t panels = args.panels;                                                                          \
        const char* a;                                                                                         \
        char* to;                                                                                              \
        int64_t blocks, n;                                                                                     \
        float16_t* sums = kept;                                                                                \
        __asm__ volatile(                                                                                      \
            "9: mov %[a], %[rows]\n mov %[blocks], %[before]\n cbz %[bias], 11f\n mov %[bias], %[b]\n"        \
            "11: add %[b], %[b], #64\n"                                                                        \
            "1: mov %[n], #16\n cmp %[blocks], #0\n csel %[n], %[n], %[eights], ne\n"                          \
            FW_EIGHT_16(height, "fmul") FW_THREE_EIGHTS(height) "subs %[n], %[n], #4\n b.eq 3f\n"              \
            "2:\n" FW_EIGHT_16(height, "fmla") FW_THREE_EIGHTS(height) "subs %[n], %[n], #4\n b.ne 2b\n"       \
            "3: cbz %[blocks], 5f\n cmp %[blocks], %[before]\n b.eq 4f\n" FW_ADD_16                            \
            "4:\n" FW_KEEP_16 "sub %[blocks], %[blocks], #1\n b 1b\n"                                          \
            "5: cbz %[before], 6f\n" FW_ADD_16                                                                 \
            "6: cbz %[bias], 7f\n ld1 {v24.4s-v27.4s}, [%[bias]]\n" FW_NARROW_16 FW_EACH_ROW_##height(FW_BIASED) \
            "7: mov %[to], %[out]\n" FW_EACH_ROW_##height(FW_STORE_TO)                                         \
            "add %[out], %[out], #32\n subs %[panels], %[panels], #1\n b.ne 9b\n"                             \
            : [a] "=&r"(a), [b] "+&r"(b), [bias] "+&r"(bias), [to] "=&r"(to), [out] "+&r"(out), [n] "=&r"(n),  \
              [blocks] "=&r"(blocks), [panels] "+&r"(panels), [sums] "+&r"(sums)                               \
            : [rows] "r"(rows), [before] "r"(before), [eights] "r"(eights), [out_step] "r"(args.out_step)      \
            : FW_REGISTERS, "v28", "v29", "v30", "v31");                                                       \
    }
FW_DEFINE_PRODUCT(8)
FW_DEFINE_PRODUCT(7)
FW_DEFINE_PRODUCT(6)

void multiply(const StrassenProduct& args) {
    float16_t kept[kStrassenRows * kStrassenColumns];
    const char* rows = static_cast<const char*>(args.in);
    char* out = static_cast<char*>(args.out);
    StrassenTiles tiles(args.pairs);
    for (int64_t m = tiles.next(); m > 0; m = tiles.next()) {
        if (m == 8) {
            multiply_8(args, rows, out, kept);
        } else if (m == 7) {
            multiply_7(args, rows, out, kept);
        } else {
            multiply_6(args, rows, out, kept);
        }
        rows += 2 * kStrassenRows * args.k;
        out += m * args.out_step;
    }
}

// Bounds v28 and v29. A register of each product: sums end in those of plane 6, 4, 3 and 0.
#define FW_FROM(first, last, from) "ld1 {v" first ".8h-v" last ".8h}, [%[" from "]], #64\n"
#define FW_TO(first, last, to) "st1 {v" first ".8h-v" last ".8h}, [%[" to "]], #64\n"
#define FW_C11(bound, p0, p3, p4, p6, t) \
    FW_ONE("fadd", p6, p0, p6) FW_ONE("fsub", t, p3, p4) FW_ONE("fadd", p6, p6, t) bound(".8h", p6)
#define FW_C12(bound, p4, p2) FW_ONE("fadd", p4, p4, p2) bound(".8h", p4)
#define FW_C21(bound, p3, p1) FW_ONE("fadd", p3, p3, p1) bound(".8h", p3)
#define FW_C22(bound, p0, p1, p2, p5) \
    FW_ONE("fsub", p0, p0, p1) FW_ONE("fadd", p2, p2, p5) FW_ONE("fadd", p0, p0, p2) bound(".8h", p0)
#define FW_OUTPUTS(bound)                                                                                      \
    "1:\n" FW_FROM("0", "3", "p0") FW_FROM("4", "7", "p3") FW_FROM("8", "11", "p4") FW_FROM("12", "15", "p6")    \
    FW_C11(bound, "0", "4", "8", "12", "16") FW_C11(bound, "1", "5", "9", "13", "17")                          \
    FW_C11(bound, "2", "6", "10", "14", "18") FW_C11(bound, "3", "7", "11", "15", "19") FW_TO("12", "15", "c11") \
    FW_FROM("16", "19", "p2") FW_C12(bound, "8", "16") FW_C12(bound, "9", "17")                                \
    FW_C12(bound, "10", "18") FW_C12(bound, "11", "19") FW_TO("8", "11", "c12")                                \
    FW_FROM("20", "23", "p1") FW_C21(bound, "4", "20") FW_C21(bound, "5", "21")                                \
    FW_C21(bound, "6", "22") FW_C21(bound, "7", "23") FW_TO("4", "7", "c21")                                   \
    FW_FROM("24", "27", "p5") FW_C22(bound, "0", "20", "16", "24") FW_C22(bound, "1", "21", "17", "25")        \
    FW_C22(bound, "2", "22", "18", "26") FW_C22(bound, "3", "23", "19", "27") FW_TO("0", "3", "c22")           \
    "subs %[left], %[left], #32\n b.ne 1b\n"

#define FW_DEFINE_OUTPUT(name, bound)                                                                          \
    FW_ALWAYS_INLINE void name(const StrassenSums& args, const float16_t* bounds) {                            \
        Planes planes(args);                                                                                   \
        for (int64_t i = 0; i < 2 * args.pairs; i += 2) {                                                      \
            auto* c11 = static_cast<char*>(args.rows[i]);                                                      \
            auto* c21 = static_cast<char*>(args.rows[i + 1]);                                                  \
            char* c12 = c11 + 2 * args.half;                                                                   \
            char* c22 = nullptr;                                                                               \
            if (c21 == nullptr) { /* what has just been read */                                                \
                c21 = planes.at[1];                                                                            \
                c22 = planes.at[5];                                                                            \
            } else {                                                                                           \
                c22 = c21 + 2 * args.half;                                                                     \
            }                                                                                                  \
            int64_t left = args.half;                                                                          \
            __asm__ volatile("ld2r {v28.8h, v29.8h}, [%[bounds]]\n" FW_OUTPUTS(bound)                          \
                             : [c11] "+&r"(c11), [c12] "+&r"(c12), [c21] "+&r"(c21), [c22] "+&r"(c22),         \
                               [left] "+&r"(left), FW_PLANES                                                   \
                             : [bounds] "r"(bounds)                                                            \
                             : FW_REGISTERS, "v28", "v29");                                                    \
        }                                                                                                      \
    }
FW_DEFINE_OUTPUT(output_free, FW_FREE)
FW_DEFINE_OUTPUT(output_least, FW_LEAST)
FW_DEFINE_OUTPUT(output_bounded, FW_CLAMP)
// clang-format on

void output(const StrassenSums& args) {
    const float16_t bounds[] = {static_cast<float16_t>(args.lo), static_cast<float16_t>(args.hi)};
    if (args.hi != __builtin_inff()) {
        output_bounded(args, bounds);
    } else if (args.lo != -__builtin_inff()) {
        output_least(args, bounds);
    } else {
        output_free(args, bounds);
    }
}

}  // namespace

extern const StrassenKernel strassen_f16_fp16 = {"strassen_f16_fp16", Isa::kFp16, input, multiply, output};

}  // namespace fw
