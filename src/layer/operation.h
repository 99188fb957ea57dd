// Operation: what a layer computes for certain tensors, in plain data. Other processors than the CPU run operations;
// the layer stays the one place that knows parameters, shapes and the constants of the int8 contract. Addresses (of
// Tensors and parts) are the caller's and are reckoned with, never followed.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "fw/span.h"
#include "kernel/conv.h"
#include "kernel/kernel.h"
#include "layer/support/fused_activation.h"
#include "layer/support/gather.h"
#include "layer/support/loop_nest.h"
#include "layer/support/strided_copy.h"
#include "quant/quant.h"
#include "tensor/tensor.h"

namespace fw {

/// Weights and constants of one layer, as prepare() made them.
struct WeightRows {
    Span<const float> floats;       ///< [output][kernel_h][kernel_w][channels / group]; empty in int8
    Span<const int8_t> bytes;       ///< likewise
    std::vector<float> own_floats;  ///< what they show, unless that is the layer's blob
    std::vector<int8_t> own_bytes;
    std::vector<float> bias;  ///< in float
    Requant requant;          ///< in int8

    void own(std::vector<float> values) {
        own_floats = std::move(values);
        floats = own_floats;
    }
    void own(std::vector<int8_t> values) {
        own_bytes = std::move(values);
        bytes = own_bytes;
    }
};

/// Convolution, deconvolution, inner product; depthwise where `group` is `channels` and `outputs`.
struct ConvOperation {
    const WeightRows* rows = nullptr;
    ConvGeometry geometry;  ///< strides are of the tensors
    int channels = 0;       ///< of all groups
    int outputs = 0;
    int group = 1;
    float pad_value = 0.0F;
    int8_t pad_byte = 0;
    FusedActivation activation;
    QuantParams quant;  ///< of an int8 output, before the table
    Span<const int8_t> table;
    /// `rows` are [output][channel][kernel_h][kernel_w] (an inner product of an image).
    bool channels_first = false;
};

/// Maximum or average over windows of an image.
struct PoolOperation {
    struct Window {
        int begin, end;
    };
    bool average = false;
    std::vector<Window> x, y;
    std::vector<float> factor;  ///< averages: one a window, row by row; the sum (of q - zp_in) is multiplied by it
};

/// Elements that move by strides, one part after another, through a table where there is one.
struct CopyOperation {
    struct Part {
        const void* from;
        void* to;
        std::vector<CopyDim> dims;
        Span<const int8_t> table;
    };
    std::vector<Part> parts;
};

/// out(c, z, y, x) = in(map_c[c], map_d[z], map_h[y], map_w[x]), or fill[c] where one of them is -1.
struct GatherOperation {
    Tensor from, to;
    GatherMaps map;
    std::vector<float> fill;  ///< one a channel of `to`; int8: whole numbers. Empty where every cell has a source
};

/// c * f(a x + b), where f may have parameters p and q. Float.
struct Elementary {
    enum class Function : uint8_t {
        kIdentity,
        kAbs,
        kErf,
        kExp,
        kLog,
        kPower,      ///< v^p
        kBasePower,  ///< p^v
        kThreshold,  ///< 1 above p, else 0
        kShrink,     ///< v + q below -p, v - q above p, else 0
        kFloor,
        kCeil,
        kSquare,
        kSqrt,
        kInverseSqrt,
        kSin,
        kCos,
        kTan,
        kAsin,
        kAcos,
        kAtan,
        kTanh,
        kRound,  ///< half to even
        kTrunc,
        kSoftplus,
        kElu,        ///< v above 0, else p (e^v - 1)
        kCelu,       ///< max(v, 0) + min(p (e^(v / p) - 1), 0)
        kLeakyRelu,  ///< v above 0, else p v
        kQuotient,   ///< v / p
        kDividend,   ///< p / v
        kMax,        ///< of v and p
        kMin,
        kAtan2,      ///< of v by p
        kBaseAtan2,  ///< of p by v
    };
    Function function = Function::kIdentity;
    float a = 1.0F, b = 0.0F, c = 1.0F, p = 0.0F, q = 0.0F;
};

/// One function of each element.
struct MapOperation {
    enum class Kind : uint8_t { kTable, kClampBytes, kQuantize, kDequantize, kFunction, kClamp, kSlope, kElementary };
    Kind kind = Kind::kTable;
    Span<const int8_t> table;  ///< kTable: 256 entries, or as many for each index of the outermost axis
    QuantBounds bounds;        ///< kClampBytes
    RealClamp clamp;           ///< kClamp: float
    FunctionArgs function;     ///< kFunction
    Elementary elementary;     ///< kElementary
    Span<const float> slope;   ///< kSlope (float): factors below 0, one or one for each index of the outermost axis
};

/// One output of each pair of elements of two inputs.
struct CombineOperation {
    enum class Kind : uint8_t { kSum, kProduct, kQuotient, kMax, kMin, kPower, kAtan2 };
    Kind kind = Kind::kSum;
    std::array<Tensor, 2> from;  ///< strides in the output's shape, 0 along an axis that an input is repeated over
    std::array<float, 2> coefficient = {1.0F, 1.0F};  ///< float sums
    SumParams sum;                                    ///< int8 sums
    std::array<int32_t, 2> zero_point = {};           ///< int8
    std::array<float, 2> factor = {1.0F, 1.0F};       ///< int8 maxima
    QuantParams result;                               ///< int8: the last step is quantize() with this
};

/// out = a[c] * in + b[c], c the outermost axis.
struct AffineOperation {
    Span<const float> a, b;
    int zero_point_in = 0;
};

/// x * (bias + factor * sum)^-beta, the sum of squares over `size` neighbours: channels, or pixels both ways. Float.
struct LrnOperation {
    bool across = true;  ///< channels
    int size = 1;        ///< odd
    float factor = 1.0F, beta = 0.75F, bias = 1.0F;
};

/// An output that depends on no input's values.
struct ConstantOperation {
    std::vector<float> values;  ///< row-major in the output's shape
    std::vector<int8_t> bytes;  ///< likewise, of an int8 output
};

/// Each part of the blob, the elements of `inner`, is centred and divided by its deviation, then multiplied by gamma
/// and shifted by beta, which operand 2 of the nests indexes.
struct NormOperation {
    LoopNest parts, inner;
    bool centred = true;  ///< to mean 0
    /// Of the variance v, or of the sum s of the squares.
    enum class Deviation : uint8_t {
        kRootOfSum,     ///< sqrt(v + eps)
        kSumOfRoot,     ///< sqrt(v) + eps
        kOne,           ///< 1
        kNorm,          ///< sqrt(s + eps)
        kNormOrEps,     ///< max(sqrt(s), eps)
        kNormOfLarger,  ///< sqrt(max(s, eps))
    };
    Deviation deviation = Deviation::kRootOfSum;
    float eps = 0.0F;
    Span<const float> gamma, beta;  ///< may be empty; both have as many where there are both
};

/// factor * finish(fold of `of` each element of `reduced`), for each round of `kept`.
struct ReduceOperation {
    LoopNest kept, reduced;
    enum class Fold : uint8_t { kSum, kMax, kMin, kProduct };
    enum class Of : uint8_t { kValue, kMagnitude, kSquare, kExponential };  ///< kExponential: e^(x - largest)
    enum class Finish : uint8_t { kNothing, kRoot, kLog };                  ///< kLog: the largest is added back
    Fold fold = Fold::kSum;
    Of of = Of::kValue;
    Finish finish = Finish::kNothing;
    float factor = 1.0F;  ///< int8: the multiplier
};

/// The largest elements of `searched`, largest first, for each round of `kept`; operand 2 of `searched` is the index of
/// an element, which the output has as a float. A nan comes last, of several the one with the largest index first.
struct ArgMaxOperation {
    LoopNest kept, searched;
    int count = 1;        ///< of them, `step` apart in the output
    bool last = false;    ///< of equal elements the last comes first
    bool values = false;  ///< the elements come before the indices, those `indices` later
    int64_t step = 1, indices = 0;
};

/// out[i][k] = table[floor(in[i])][k] + bias[k]; beyond the table the nearest row, for a nan the first. Float.
struct EmbedOperation {
    Span<const float> table, bias;  ///< bias: may be empty
    int rows = 1;
};

/// out = a * b, products of float matrices: the last two axes of four. Strides are 0 along an axis of the first two
/// that an input is repeated over.
struct ProductOperation {
    Tensor a, b, out;
};

/// out = alpha * a * b + beta * c, as above. Each operand with values is these, and its address nothing; a c without
/// address and values is left out.
struct GemmOperation {
    ProductOperation product;
    Tensor c;
    Span<const float> a_values, b_values, c_values;
    float alpha = 1.0F, beta = 1.0F;
};

/// softmax(scale * Q K^T) V of each head, between projections of rows, all of them nullptr where the layer has none;
/// floats.
struct AttentionOperation {
    const WeightRows *q_rows, *k_rows, *v_rows, *out_rows;
    int heads, embed;
    float scale;
    size_t key, value;  ///< which inputs; input 0 is the query
    bool masked;        ///< the last input is added to the scores, of each head or of all
};

/// Softmax along an axis.
struct SoftmaxOperation {
    int axis = 0;
    const SoftmaxTable* table = nullptr;  ///< of int8 inputs
};

/// Resize of images: for each output index of an axis two (bilinear) or four (bicubic) input cells and their weights.
struct ResizeOperation {
    struct Sample {
        std::array<int, 4> index;
        std::array<float, 4> weight;
        int second256;  ///< int8: the second weight in units of 1 / 256
    };
    Tensor from, to;
    int taps = 2;
    std::vector<Sample> x, y;
};

using OperationVariant =
    std::variant<std::monostate, ConvOperation, PoolOperation, CopyOperation, GatherOperation, MapOperation,
                 CombineOperation, AffineOperation, LrnOperation, SoftmaxOperation, ResizeOperation, ConstantOperation,
                 NormOperation, ReduceOperation, ArgMaxOperation, EmbedOperation, ProductOperation, GemmOperation,
                 AttentionOperation>;

/// One of them; nothing at first. (A type of its own, so that layer.h can name it.)
struct Operation : OperationVariant {
    using OperationVariant::OperationVariant;
    using OperationVariant::operator=;
};

}  // namespace fw
