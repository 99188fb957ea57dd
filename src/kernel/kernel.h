// Contracts of the compute kernels: the mathematics, the layout of what they read, and what may be over-read.
//
// Names: <family>_<MR>x<NR>c<KR>_<level>: MR output pixels by NR output channels a tile, KR products summed into one
// accumulator by one instruction, or by one step of a `marked` or `matched` kernel (c1 is left out); `half` behind a
// GEMM of rows that are float16. kernels.inc lists every kernel once.
//
// int8 weights are within [-127, 127]: two products of bytes fit an int16.
//
// Over-reading: kernels read whole vectors. Activations, rows of padding and packed weights must have kOverread (64)
// readable bytes behind their last element, of any value. Nothing is ever written past the last element of an output
// row: a neighbour's channels may lie there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/isa.h"

namespace fw {

/// Activations that no clamp carries, of finite a and b. A zero may have the other sign.
enum class BentFunction : uint8_t {
    kIdentity,
    kLeakyRelu,  ///< x above 0, else a x
    kHardSwish,  ///< x * max(0, min(1, a x + b))
};

/// What a `sums` kernel makes of a byte q of its outputs and the byte r, of another blob, that is added to it
/// (docs/int8-contract.md):
///   clamp(((q - Epilogue::zero_point) * k + r * k_residual + start) >> shift) + zero_point, lo, hi)
/// modulo 2^32 on the way; what is shifted fits in 31 bits.
struct SumEpilogue {
    int32_t k = 0;
    int32_t k_residual = 0;
    int32_t start = 0;  ///< rounding, less r's zero point times its factor
    int shift = 1;
    int32_t zero_point = 0;
    int32_t lo = -127;
    int32_t hi = 127;
    ptrdiff_t residual = 0;  ///< bytes from where an output goes to what is added to it
};

/// What becomes of an accumulator. The bias is in the accumulator from the start.
/// float kernel:              y = min(max(acc, lo), hi)               NaN stays NaN
/// int8 kernel, float output: y = min(max(float(acc) * m, lo), hi)
/// int8 kernel, int8 output:  q = rne(min(max(float(acc) * m, lo), hi)) + zero_point, where lo and hi are whole
/// numbers:
///                            the bounds of the output minus the zero point (docs/int8-contract.md)
/// `bends` kernel, likewise, unless bent is kIdentity; each step is rounded:
///   float:                   y = min(max(f(acc), lo), hi)
///   int8 output:             q = rne(min(max(f(float(acc) * m) * scale, lo), hi)) + zero_point
struct Epilogue {
    bool float_output = true;
    float lo = 0.0F;
    float hi = 0.0F;
    int32_t zero_point = 0;
    BentFunction bent = BentFunction::kIdentity;
    float a = 0.0F;
    float b = 0.0F;
    float scale = 1.0F;
    /// Kernels of float16 arithmetic: y is rounded to float16 and stored so; rows of the output have 2 bytes an
    /// element.
    bool half_output = false;
    bool small = false;  ///< int8 output: every m is below 1
    /// `sums` kernel, int8 output, bent is kIdentity: done to q before it is written; nullptr: nothing is.
    const SumEpilogue* sum = nullptr;
};

/// GEMM with indirect rows: for r < m and every column j of the panels [panel_begin, panel_end)
///   out[r][j] = epilogue(bias[j] + sum_t sum_p A(t, r)[p] * B[j][t][p]),   p < k
///   A(t, r) = rows[(r / MR * taps + t) * MR + r % MR]
/// A plain matrix product has one tap, a convolution kernel_h * kernel_w of them; a tap outside of the image points at
/// a row of padding values. All MR pointers of a tap must be readable also where r >= m (repeat the last row).
struct GemmArgs {
    const void* const* rows = nullptr;  ///< [tiles of MR rows][taps][MR], each to k elements
    int64_t taps = 1;
    int64_t k = 0;
    const void* packed = nullptr;  ///< from pack_gemm: all panels
    int64_t n = 0;                 ///< output channels of all panels
    int64_t panel_begin = 0;
    int64_t panel_end = 0;
    int64_t m = 0;               ///< from 1
    void* const* out = nullptr;  ///< [m]: element of column 0; columns are adjacent
    int64_t out_step = 0;        ///< bytes from one of `out` to the next, where they lie at one distance; or 0
    /// `steps` kernels, one tap: where not 0, bytes from row to row of A. rows[0] and out[0] are then the only ones
    /// given, and out_step is not 0.
    int64_t row_step = 0;
    Epilogue epilogue;
    /// kAlignment-aligned: gemm_scratch_bytes (pack.h) for each of `scratch_tiles`; nullptr if that is 0.
    void* scratch = nullptr;
    int64_t scratch_tiles = 1;  ///< `keeps_tiles` kernel: tiles of rows that may be in scratch memory together, from 1
    /// `packs_ahead` kernel: `scratch` has memory for two tiles, and the rows of the next one may be copied while one
    /// is multiplied. scratch_tiles is 1, k a multiple of kRowPiece and n of lanes * vectors.
    bool packs_ahead = false;
};

/// Elements of a row that a `packs_ahead` kernel copies at a time.
constexpr int64_t kRowPiece = 64;

/// Products that a `half` kernel adds up in float16 before that sum is added to those of the blocks before.
constexpr int64_t kHalfBlock = 128;

/// What a float kernel rounds its operands to before it multiplies them.
enum class HalfFormat : uint8_t { kFloat32, kFloat16, kBfloat16 };

/// A GEMM kernel. Packed weights (pack_gemm) are panels of up to `vectors` vectors of `lanes` columns (panel.h), each:
///   bias [columns], multiplier [columns] (int8 only), weights [taps][ceil(k / kr)][columns][kr]
/// padded with zeros; with `packed_size` weights [ceil(taps * k / kr)][columns][kr]. Those of `matched` ones:
/// matched.h. `half`, kFloat16: A and B are rounded, blocks of kHalfBlock products are summed there, and so are these
/// sums; the rest is float32. Of n products, none of whose operands or sums is beyond 65504, the error is, to first
/// order, below
///   (min(n, kHalfBlock) + ceil(n / kHalfBlock) + 2) * 2^-11 * sum |A * B| + 2^-24 * (n + sum |A| + sum |B|)
/// and that of the float32 sum: two roundings of the operands, one of each sum; the second term is what numbers below
/// 2^-14 lose. With Epilogue::half_output the bias is rounded and added in float16, too, and y may be further off by
///   2^-11 * (|bias| + |y|) + 2^-24
/// kBfloat16: A and B are rounded, sums are float32; numbers below 2^-126 count as 0. The error is below
///   (2^-7 + 2^-16) * sum |A * B|
/// and that of the float32 sum. `unsigned_input`: the kernel computes with activations + 128, and -128 * sum(B) is in
/// the packed bias. `marked`: panels are
///   bias [columns], weights [ceil(length / 8)][4 pairs][columns][2], multiplier [columns]
/// where a last step of up to 4 elements has two pairs. Behind all panels lie marks of each, a byte for every step of
/// 8: bit v unless any four products of a column and place in the pair, of columns 4 * v to 4 * v + 3, add up to an
/// int16 whatever the activations are; then 1 << lanes * vectors / 4 for a last step of up to 4, or 1 more without one.
/// `pairs_apart`: elements of B are pairs of 16 bits, and a step of a panel has the first ones of all its columns, then
/// the second ones.
struct GemmKernel {
    const char* name;
    Isa level;
    bool int8;  ///< int8 A and B with int32 accumulators; else float
    HalfFormat half;
    bool unsigned_input;
    int packed_size;  ///< bytes of scratch for an element of the rows, which are taken there first; 0: no copy
    int mr;
    int lanes;
    int vectors;
    int kr;
    bool marked;
    bool pairs_apart;
    bool bends;  ///< takes any Epilogue::bent
    void (*run)(const GemmArgs& args);
    bool steps = false;       ///< takes GemmArgs::row_step
    bool half_input = false;  ///< `half`, kFloat16: rows of A are float16 already
    bool matched = false;     ///< packed weights are those of kernel/matched.h
    /// `matched`: faster than the level's other kernel on rows of k elements and n outputs where
    /// element_cost * k + output_cost * n < k * n.
    int element_cost = 0;
    int output_cost = 0;
    bool sums = false;         ///< takes Epilogue::sum
    bool keeps_tiles = false;  ///< takes GemmArgs::scratch_tiles above 1
    bool packs_ahead = false;  ///< takes GemmArgs::packs_ahead

    int weight_bytes() const { return int8 ? 1 : half != HalfFormat::kFloat32 ? 2 : 4; }
};

/// Depthwise convolution: for p < pixels and c < channels
///   out[p][c] = epilogue(bias[c] + sum_t rows[p * taps + t][c] * W[c][t])
struct DwArgs {
    const void* const* rows = nullptr;  ///< [pixels][taps], each to `channels` elements
    int64_t pixels = 0;
    int64_t taps = 0;
    int64_t channels = 0;
    const void* packed = nullptr;  ///< from pack_dw
    void* const* out = nullptr;    ///< [pixels]: channel 0; channels are adjacent
    Epilogue epilogue;
};

/// A depthwise kernel. Packed weights (pack_dw) are blocks of `lanes` channels, each:
///   bias [lanes], multiplier [lanes] (int8 only), weights [ceil(taps / kr)][lanes][kr]
/// `rows` of the last group of taps must have pointers only for real taps: kernels repeat one for the missing ones.
struct DwKernel {
    const char* name;
    Isa level;
    bool int8;
    bool unsigned_input;
    int lanes;
    int kr;
    void (*run)(const DwArgs& args);
};

/// Depthwise convolution of adjacent output pixels of one line, with a square window and no dilation along the line:
/// for p < pixels and c < channels
///   out[p][c] = epilogue(bias[c] + sum_y sum_x at(y, first_column + p * stride + x)[c] * W[c][y][x])
/// where at(y, j) = lines[y] + j * line_step[y] for 0 <= j < columns, and pad_row otherwise.
struct DwLineArgs {
    const void* lines[5] = {};      ///< a row of the window each: the input's column 0; or pad_row, with a step of 0
    int64_t line_step[5] = {};      ///< bytes from column to column
    const void* pad_row = nullptr;  ///< `channels` elements
    int64_t columns = 0;            ///< of the input
    int64_t first_column = 0;       ///< column of tap 0 of pixel 0; negative in the padding
    int64_t pixels = 0;
    int64_t channels = 0;
    const void* packed = nullptr;  ///< from pack_dw_line
    void* out = nullptr;           ///< channel 0 of pixel 0; channels are adjacent
    int64_t out_step = 0;          ///< bytes from pixel to pixel
    Epilogue epilogue;
};

/// A kernel for one size of window and one stride. Packed weights (pack_dw_line) are blocks of `lanes` channels, each:
///   bias [lanes], multiplier [lanes] (int8 only), weights [size: columns][ceil(size / kr)][lanes][kr: rows]
/// `interleaved`: the channels of a block are in the order that unpacking kr rows gives (pack.cpp).
struct DwLineKernel {
    const char* name;
    Isa level;
    bool int8;
    bool unsigned_input;
    int lanes;
    int kr;
    bool interleaved;
    int size;
    int stride;
    bool bends;  ///< takes any Epilogue::bent
    void (*run)(const DwLineArgs& args);
    /// Pixels in and out are float16, as are products and sums; packed weights are float16, the bias is float and
    /// rounded. Of a window none of whose operands or sums is beyond 65504 the error is, to first order, below
    ///   (size * size + 2) * 2^-11 * (|bias| + sum |A * W|) + 2^-24 * (size * size + 1 + sum |A| + sum |W|)
    bool half = false;
    /// For layers whose channels are a multiple of `lanes` and at most so many, though it takes any; 0: for all.
    int most_channels = 0;
};

/// q = clamp(rne(x * scale) + zero_point, lo, 127); NaN gives lo.
struct QuantizeArgs {
    float scale = 1.0F;
    int32_t zero_point = 0;
    int32_t lo = -127;
};

/// out = clamp(zero_point_out + ((sum_j (in[j] - zero_point[j]) * multiplier[j] + (1 << (shift - 1))) >> shift), lo,
/// hi) with the conditions of docs/int8-contract.md. Up to 31 bytes behind `count` of an input are read.
struct SumArgs {
    const int8_t* const* in = nullptr;  ///< [inputs]
    const int32_t* multiplier = nullptr;
    const int32_t* zero_point = nullptr;
    int inputs = 0;
    int shift = 1;
    int32_t zero_point_out = 0;
    int32_t lo = -127;
    int32_t hi = 127;
};

/// Functions over runs of `count` adjacent elements. `out` of a sum may be one of its inputs.
struct RunKernel {
    const char* name;
    Isa level;
    void (*quantize)(const QuantizeArgs&, const float* x, int64_t count, int8_t* out);
    /// Three planes of `count` values to `count` pixels of three channels.
    void (*quantize_planes)(const QuantizeArgs&, const float* const* planes, int64_t count, int8_t* out);
    void (*dequantize)(const int8_t* x, int64_t count, int32_t zero_point, float inverse, float* out);
    void (*sum)(const SumArgs&, int64_t count, int8_t* out);
    /// float16 to float32.
    void (*widen)(const uint16_t* half, int64_t count, float* out) = nullptr;
    /// float to float16, rounded to nearest even; beyond its range infinity. Both read up to kOverread bytes behind.
    void (*narrow)(const float* x, int64_t count, uint16_t* half) = nullptr;
};

/// out[i] = table[in[i] + 128] for `count` adjacent bytes; `table` has 256. `out` may be `in`.
struct TableKernel {
    const char* name;
    Isa level;
    void (*look_up)(const int8_t* in, int64_t count, const int8_t* table, int8_t* out);
};

/// q[i] = rne(min(max(float(x[i] - zero_point) * a[i] + b[i], lo - zp), hi - zp)) + zp, where zp is zero_point_out; the
/// product is rounded before the sum. Vectors of a and b may be over-read like activations.
struct AffineArgs {
    const float* a = nullptr;
    const float* b = nullptr;
    int32_t zero_point = 0;
    int32_t zero_point_out = 0;
    int32_t lo = -127;
    int32_t hi = 127;
};

/// out = clamp(rne(float(prod_j (in[j] - zero_point[j])) * multiplier) + zero_point_out, lo, 127) of two or three
/// inputs: the product of three differences is exact in float. Up to 15 bytes behind `count` of an input are read.
struct ProductArgs {
    const int8_t* const* in = nullptr;  ///< [inputs]
    const int32_t* zero_point = nullptr;
    int inputs = 0;
    float multiplier = 1.0F;
    int32_t zero_point_out = 0;
    int32_t lo = -127;
};

/// Arithmetic on runs of adjacent bytes. The output may be the memory of an input.
struct ArithKernel {
    const char* name;
    Isa level;
    void (*affine)(const AffineArgs&, const int8_t* x, int64_t count, int8_t* out);
    void (*product)(const ProductArgs&, int64_t count, int8_t* out);
};

/// Constants of one group of elements that are normalised together (docs/int8-contract.md): a[i] = float(g),
/// b[i] = float(shift[i] - g * mean), g = gamma[i] * factor, each operation rounded in double precision. Up to 7
/// elements behind `count` of gamma and shift are read, and as many of a and b written.
struct NormArgs {
    const double* gamma = nullptr;
    const double* shift = nullptr;  ///< beta * s_out
    double factor = 0.0;
    double mean = 0.0;
};

/// Normalisation of runs of adjacent bytes: their sums, and what ArithKernel's affine takes.
struct NormKernel {
    static constexpr int64_t kMostSummed = 32768;  // 32768 * 255^2 < 2^31
    const char* name;
    Isa level;
    /// sums[0] = sum of x[i] - zero_point, sums[1] = of its square, for up to kMostSummed bytes.
    void (*sum)(const int8_t* x, int64_t count, int32_t zero_point, int32_t* sums);
    /// False where some a or b may not be 0 or a finite normal number: then they are not to be used.
    bool (*constants)(const NormArgs&, int64_t count, float* a, float* b);
};

/// The cells of an image that a pooling window covers, and the pixel that comes of them. Steps are in bytes.
struct PoolArgs {
    const void* corner = nullptr;  ///< channel 0; channels are adjacent
    int rows = 0;
    int columns = 0;
    int64_t row_step = 0;
    int64_t column_step = 0;
    int64_t channels = 0;
    void* out = nullptr;
};

/// Pooling of one window: out[c] = max(start, every cell's c); a quiet NaN never wins.
struct PoolKernel {
    const char* name;
    Isa level;
    void (*max_int8)(const PoolArgs&, int8_t start);
    void (*max_f32)(const PoolArgs&, float start);
    void (*max_f16)(const PoolArgs&, uint16_t start) = nullptr;  ///< bits of float16
};

/// A GEMM of 16-bit integers, for Winograd's way in int8. Its elements are pairs of them, 4 bytes as a float kernel's;
/// the bias is 0, there is no epilogue, and outputs are the int32 sums modulo 2^32. Panels have up to 32 columns.
struct PairGemmKernel : GemmKernel {};

/// A tile's way into the frequencies of Winograd's F(m x m, 3 x 3), and back. A tile reads t * t pixels, t = m + 2, and
/// becomes one value a channel in each of t * t planes, which are `plane` bytes apart: float, int16 of int8 pixels, or
/// float16 of a `half` kernel.
struct WinogradInputArgs {
    const void* const* pixels = nullptr;  ///< [t * t], row by row: channel 0 of each
    int64_t channels = 0;
    bool half = false;    ///< `half` kernels: pixels are float16, not float
    void* out = nullptr;  ///< of plane 0; whole vectors are written
    int64_t plane = 0;
};

/// Planes hold float, int32 or (`half`) float16 sums. int8: those of integer weights, 576 times the sums of products
/// modulo 2^32, which are themselves within 2^25.
struct WinogradOutputArgs {
    const void* in = nullptr;  ///< of plane 0
    int64_t plane = 0;
    int64_t channels = 0;
    const void* bias = nullptr;         ///< float or int32, as whole vectors, like `multiplier`
    const float* multiplier = nullptr;  ///< int8 only
    void* const* pixels = nullptr;      ///< [m * m], row by row: channel 0 of each; nullptr: outside of the image
    Epilogue epilogue;
};

/// Filters of int8 weights, 24 times their frequencies: 24 G g (24 G)^T, whose last row and column are divided by 4, so
/// that they fit 16 bits.
struct WinogradFilterArgs {
    const uint16_t* taps;  ///< [9][tap_step], ky then kx; each the bits of int16
    int64_t tap_step;
    int64_t words;  ///< of a tap, a multiple of `lanes`
    int64_t plane;
    void* out;
};

/// The transforms of one tile size, m = `size`: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks"
/// (2015), with the points 0, +-1, +-2 (and +-1/2 for m = 6) and infinity. `lanes` channels are worked on at once.
struct WinogradKernel {
    const char* name;
    Isa level;
    bool int8;
    int size;
    int lanes;
    void (*input)(const WinogradInputArgs& args);
    void (*output)(const WinogradOutputArgs& args);
    void (*filter)(const WinogradFilterArgs& args);  ///< int8; else nullptr
    /// For products of half floats, in float16: points +-sqrt(1/2) and +-sqrt(2), inputs divided by 16. Takes
    /// Epilogue::half_output.
    bool half = false;
};

struct StrassenKernel;  // kernel/strassen_kernel.h

/// Functions of one float, with their parameters a and b. Errors are stated in functions.h.
enum class FloatFunction : uint8_t {
    kExp,  ///< e^(x - a)
    kSigmoid,
    kTanh,
    kSwish,  ///< x * sigmoid(x)
    kMish,
    kGelu,
    kGeluTanh,
    kHardSigmoid,  ///< max(0, min(1, a x + b))
    kHardSwish,    ///< x * max(0, min(1, a x + b))
    kRoot34,       ///< x^(-3/4), x > 0
    kLeakyRelu,    ///< x above 0, else a x
};

struct FunctionArgs {
    FloatFunction function = FloatFunction::kExp;
    float a = 0.0F;
    float b = 0.0F;
};

/// A function over `count` adjacent floats; `out` may be `x`. Every level gives the same bits.
struct FunctionKernel {
    const char* name;
    Isa level;
    void (*apply)(const FunctionArgs&, const float* x, int64_t count, float* out);
};

/// Arithmetic of float16 over `count` adjacent elements, every operation rounded to float16; `out` may be an input.
struct HalfArithKernel {
    const char* name;
    Isa level;
    void (*sum)(const uint16_t* a, const uint16_t* b, int64_t count, uint16_t* out);
    void (*product)(const uint16_t* a, const uint16_t* b, int64_t count, uint16_t* out);
    /// sum[i] += x[i] + x[i + step] + ..., `rows` of them, in float32.
    void (*accumulate)(const uint16_t* x, int64_t step, int64_t rows, int64_t count, float* sum);
    /// False, with nothing written, for functions that it has not and parameters beyond float16: those are computed in
    /// float.
    bool (*apply)(const FunctionArgs&, const uint16_t* x, int64_t count, uint16_t* out);
};

#define FW_KERNEL_STRUCT_gemm_f32 GemmKernel
#define FW_KERNEL_STRUCT_gemm_f16 GemmKernel
#define FW_KERNEL_STRUCT_gemm_bf16 GemmKernel
#define FW_KERNEL_STRUCT_gemm_int8 GemmKernel
#define FW_KERNEL_STRUCT_dw_f32 DwKernel
#define FW_KERNEL_STRUCT_dw_int8 DwKernel
#define FW_KERNEL_STRUCT_dw_line DwLineKernel
#define FW_KERNEL_STRUCT_run RunKernel
#define FW_KERNEL_STRUCT_pool PoolKernel
#define FW_KERNEL_STRUCT_table TableKernel
#define FW_KERNEL_STRUCT_arith ArithKernel
#define FW_KERNEL_STRUCT_norm NormKernel
#define FW_KERNEL_STRUCT_function FunctionKernel
#define FW_KERNEL_STRUCT_half_arith HalfArithKernel
#define FW_KERNEL_STRUCT_winograd WinogradKernel
#define FW_KERNEL_STRUCT_gemm_int16 PairGemmKernel
#define FW_KERNEL_STRUCT_strassen StrassenKernel

#define FW_KERNEL(family, name, level) extern const FW_KERNEL_STRUCT_##family name;
#include "kernel/kernels.inc"
#undef FW_KERNEL

}  // namespace fw
