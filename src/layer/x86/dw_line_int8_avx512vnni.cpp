// The rows of a column are interleaved by unpacking, so that each group of four bytes holds four taps of one channel
// for vpdpbusd. Unpacking works within 128 bits: register q holds channels 4q..4q+3 of every 16, as the packed weights
// do, and packing the results to bytes puts them back in order. Activations become a + 128, and the packed bias holds
// -128 times the sum of the weights. 256 bits, since blocks of 64 channels would leave half of many layers' last one
// empty.
#include "kernel/dw_line_driver.h"
#include "layer/x86/avx2.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

/// For byte outputs with this function (leaky ReLU: 0 != a <= 1); kAny: for any output.
template <BentFunction kFunction, bool kAny = false>
struct Avx512VnniInt8 {
    struct Quad {
        __m256i v[4];
    };
    using Element = int8_t;
    using Acc = Quad;
    template <int kSize>
    using Column = Quad;
    template <int kSize>
    using Weights = Quad;
    /// Four rows each: 20 registers of accumulators and both parts of a column are too many.
    template <int kSize>
    static constexpr int kParts = (kSize + 3) / 4;
    static constexpr int kLanes = 32, kKr = 4;
    static constexpr bool kInt8 = true, kUnsignedInput = true, kInterleaved = true, kBends = true;

    static FW_ALWAYS_INLINE Quad load_bias(const void* p) {
        const auto* from = static_cast<const __m256i*>(p);
        return {{_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1), _mm256_loadu_si256(from + 2),
                 _mm256_loadu_si256(from + 3)}};
    }
    template <int kSize, int kPart = 0>
    static FW_ALWAYS_INLINE Quad load_weights(const void* p) {
        return load_bias(static_cast<const int8_t*>(p) + kPart * kLanes * 4);
    }
    static FW_ALWAYS_INLINE __m256i load(const int8_t* a) {
        const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
        return _mm256_xor_si256(x, _mm256_set1_epi8(-128));
    }
    /// Missing rows repeat the last one; their weights are zero.
    template <int kSize, int kPart = 0>
    static FW_ALWAYS_INLINE Quad load_column(const int8_t* const* rows, int64_t /*count*/) {
        __m256i row[4];
        unroll<4>([&](auto i) FW_INLINE_LAMBDA {
            if constexpr (4 * kPart + i < kSize) {
                row[i] = load(rows[4 * kPart + i]);
            } else {
                row[i] = row[i - 1];
            }
        });
        const __m256i low01 = _mm256_unpacklo_epi8(row[0], row[1]);
        const __m256i high01 = _mm256_unpackhi_epi8(row[0], row[1]);
        const __m256i low23 = _mm256_unpacklo_epi8(row[2], row[3]);
        const __m256i high23 = _mm256_unpackhi_epi8(row[2], row[3]);
        return {{_mm256_unpacklo_epi16(low01, low23), _mm256_unpackhi_epi16(low01, low23),
                 _mm256_unpacklo_epi16(high01, high23), _mm256_unpackhi_epi16(high01, high23)}};
    }
    template <int kSize, int kPart = 0>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Quad& x, const Quad& w) {
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { acc.v[q] = _mm256_dpbusd_epi32(acc.v[q], x.v[q], w.v[q]); });
        return acc;
    }
    static FW_ALWAYS_INLINE __m256 scaled(const Acc& acc, const float* multiplier, int q) {
        return _mm256_mul_ps(_mm256_cvtepi32_ps(acc.v[q]), _mm256_loadu_ps(multiplier + 8 * q));
    }
    /// As in ByteStore16: only the upper bound is needed before rounding.
    template <class Function>
    static FW_ALWAYS_INLINE void store_bytes(const Epilogue& epilogue, const Acc& acc, const float* multiplier,
                                             void* out, int64_t count, Function function) {
        const Epilogue* again = &epilogue;
        FW_READ_AGAIN(again);  // clang 14 holds its constants, and accumulators on the stack
        const Epilogue& e = *again;
        const __m256 hi = _mm256_set1_ps(e.hi);
        __m256i q32[4];
        unroll<4>([&](auto q) FW_INLINE_LAMBDA {
            q32[q] = _mm256_cvtps_epi32(_mm256_min_ps(hi, function(scaled(acc, multiplier, q))));
        });
        const __m256i zero_point = _mm256_set1_epi16(static_cast<short>(e.zero_point));
        const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(q32[0], q32[1]), zero_point);
        const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(q32[2], q32[3]), zero_point);
        const __m256i lo = _mm256_set1_epi8(static_cast<char>(static_cast<int32_t>(e.lo) + e.zero_point));
        store_bytes32(_mm256_max_epi8(_mm256_packs_epi16(low, high), lo), out, count);
    }
    /// Apart from the loop: its branches would have clang keep accumulators on the stack.
    static __attribute__((noinline)) void store_any(const Epilogue& e, const Acc& acc, const float* multiplier,
                                                    void* out, int64_t count) {
        if (!e.float_output) {
            store_bytes(e, acc, multiplier, out, count, [&](__m256 x) FW_INLINE_LAMBDA { return bend8(x, e); });
            return;
        }
        const __m256 lo = _mm256_set1_ps(e.lo);
        const __m256 hi = _mm256_set1_ps(e.hi);
        auto* to = static_cast<float*>(out);
        unroll<4>([&](auto q) FW_INLINE_LAMBDA {
            const __m256 x = _mm256_min_ps(hi, _mm256_max_ps(lo, scaled(acc, multiplier, q)));
            store_floats4(_mm256_castps256_ps128(x), to + 4 * q, count - 4 * q);
            store_floats4(_mm256_extractf128_ps(x, 1), to + 16 + 4 * q, count - 16 - 4 * q);
        });
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* multiplier, void* out,
                                       int64_t count) {
        if constexpr (kAny) {
            const Acc copy = acc;  // which has to stay in registers
            store_any(e, copy, multiplier, out, count);
        } else {
            store_bytes(e, acc, multiplier, out, count, [&](__m256 x) FW_INLINE_LAMBDA {
                return kFunction == BentFunction::kIdentity ? x : bend8_as<kFunction>(x, e);
            });
        }
    }
};

using Any = Avx512VnniInt8<BentFunction::kIdentity, true>;

#ifdef FW_MINSIZE
constexpr bool kBendsLines = false;
#else
constexpr bool kBendsLines = true;
#endif

// Plain bytes have a loop of their own, at 3x3 those of each function too: 5x5 is larger code and gains less.
template <int kSize, int kStride>
void run(const DwLineArgs& args) {
    const Epilogue& e = args.epilogue;
    if (!e.float_output && e.bent == BentFunction::kIdentity) {
        dw_line_run<Avx512VnniInt8<BentFunction::kIdentity>, kSize, kStride>(args);
        return;
    }
    if constexpr (kBendsLines && kSize == 3) {
        if (e.bent == BentFunction::kLeakyRelu && e.a != 0.0F && e.a <= 1.0F && !e.float_output) {
            dw_line_run<Avx512VnniInt8<BentFunction::kLeakyRelu>, kSize, kStride>(args);
            return;
        }
        if (e.bent == BentFunction::kHardSwish && !e.float_output) {
            dw_line_run<Avx512VnniInt8<BentFunction::kHardSwish>, kSize, kStride>(args);
            return;
        }
    }
    dw_line_run<Any, kSize, kStride>(args);
}

}  // namespace

FW_DEFINE_DW_LINE_RUN(dw_line_int8_3x3s1_32c4_avx512vnni, kAvx512Vnni, Any, 3, 1, (run<3, 1>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_3x3s2_32c4_avx512vnni, kAvx512Vnni, Any, 3, 2, (run<3, 2>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_5x5s1_32c4_avx512vnni, kAvx512Vnni, Any, 5, 1, (run<5, 1>))
FW_DEFINE_DW_LINE_RUN(dw_line_int8_5x5s2_32c4_avx512vnni, kAvx512Vnni, Any, 5, 2, (run<5, 2>))

}  // namespace fw
