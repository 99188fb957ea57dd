// Depthwise lines of bytes on 128 bits.
#include "layer/x86/dw_line_words.h"
#include "layer/x86/sse41.h"

namespace fw {

namespace {

struct Sse41Words {
    using Vec = __m128i;
    static constexpr int kWords = 8;

    static FW_ALWAYS_INLINE Vec widen(const int8_t* p) { return widen8(p); }
    static FW_ALWAYS_INLINE Vec load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
    static FW_ALWAYS_INLINE Vec low(Vec a, Vec b) { return _mm_unpacklo_epi16(a, b); }
    static FW_ALWAYS_INLINE Vec high(Vec a, Vec b) { return _mm_unpackhi_epi16(a, b); }
    static FW_ALWAYS_INLINE Vec multiply_add(Vec acc, Vec a, Vec b) { return multiply_add_pairs(acc, a, b); }
};

struct Sse41Int8 : DwLineWords<Sse41Words> {
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* multiplier, void* out,
                                       int64_t count) {
        store_accumulators8(e, acc.v[0], acc.v[1], multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_int8_3x3s1_8c2_sse41, kSse41, Sse41Int8, 3, 1)
FW_DEFINE_DW_LINE(dw_line_int8_3x3s2_8c2_sse41, kSse41, Sse41Int8, 3, 2)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s1_8c2_sse41, kSse41, Sse41Int8, 5, 1)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s2_8c2_sse41, kSse41, Sse41Int8, 5, 2)

}  // namespace fw
