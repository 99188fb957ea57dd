// A table of 256 bytes is four registers: two permutations of two registers each, and the index's sign chooses.
#include "layer/x86/avx512.h"

namespace fw {

namespace {

void look_up(const int8_t* in, int64_t count, const int8_t* table, int8_t* out) {
    // The first half of the table is for negative values.
    const __m512i negative[2] = {_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64)};
    const __m512i positive[2] = {_mm512_loadu_si512(table + 128), _mm512_loadu_si512(table + 192)};
    const auto apply = [&](const int8_t* from) FW_INLINE_LAMBDA {
        const __m512i x = _mm512_loadu_si512(from);
        const __m512i low = _mm512_permutex2var_epi8(negative[0], x, negative[1]);
        const __m512i high = _mm512_permutex2var_epi8(positive[0], x, positive[1]);
        return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), high, low);
    };
    int64_t i = 0;
    for (; i + 64 <= count; i += 64) {
        _mm512_storeu_si512(out + i, apply(in + i));
    }
    if (i < count) {
        store_bytes64(apply(in + i), out + i, count - i);
    }
}

}  // namespace

extern const TableKernel table_avx512vbmi = {"table_avx512vbmi", Isa::kAvx512Vbmi, look_up};

}  // namespace fw
