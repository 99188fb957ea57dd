// Layers with a weight matrix: convolutions, inner product, Gemm, Embed.
#include <cinttypes>

#include "model/schema/tables.h"

namespace fw::schema {

namespace {

constexpr auto kWindow = params(
    int_param(0, "num_output", 0, "output channels"), int_param(1, "kernel_w", 0, "kernel width"),
    int_like(11, "kernel_h", 1, "kernel height"), int_param(2, "dilation_w", 1, "distance of kernel taps in a row"),
    int_like(12, "dilation_h", 2, "distance of kernel rows"), int_param(3, "stride_w", 1, "step in a row"),
    int_like(13, "stride_h", 3, "step of rows"),
    int_param(4, "pad_left", 0, "padding; all four -233 = SAME_UPPER, -234 = SAME_LOWER"),
    int_like(15, "pad_right", 4, "padding on the right"), int_like(14, "pad_top", 4, "padding above"),
    int_like(16, "pad_bottom", 14, "padding below"), int_param(5, "bias_term", 0, "1 = there is a bias"),
    int_param(6, "weight_data_size", 0, "number of weights"),
    int_param(9, "activation_type", 0, "0 none, 1 ReLU, 2 leaky ReLU, 3 clip, 4 sigmoid, 5 mish, 6 hard swish"),
    floats_param(10, "activation_params", "slope; min,max; alpha,beta"));

constexpr auto kGroup = params(int_param(7, "group", 1, "groups of input and output channels"));

constexpr auto kConvolutionOnly =
    params(float_param(18, "pad_value", 0, "value of the padding"),
           int_param(8, "int8_scale_term", 0, "not 0 = int8 scales follow the bias; above 100 = output scale too"),
           int_param(19, "dynamic_weight", 0, "1 = weight (and bias) are inputs"));

constexpr auto kDeconvolutionOnly = params(int_param(18, "output_pad_right", 0, "columns added on the right"),
                                           int_like(19, "output_pad_bottom", 18, "rows added below"),
                                           int_param(20, "output_w", 0, "output width wanted, 0 = as computed"),
                                           int_like(21, "output_h", 20, "output height wanted, 0 = as computed"),
                                           int_param(28, "dynamic_weight", 0, "1 = weight (and bias) are inputs"));

constexpr auto kConvolution = join(kWindow, kConvolutionOnly);
constexpr auto kConvolutionDepthWise = join(join(kWindow, kGroup), kConvolutionOnly);
constexpr auto kDeconvolution = join(kWindow, kDeconvolutionOnly);
constexpr auto kDeconvolutionDepthWise = join(join(kWindow, kGroup), kDeconvolutionOnly);

constexpr auto kInnerProduct =
    params(int_param(0, "num_output", 0, "outputs"), int_param(1, "bias_term", 0, "1 = there is a bias"),
           int_param(2, "weight_data_size", 0, "number of weights"),
           int_param(8, "int8_scale_term", 0, "not 0 = int8 scales follow the bias"),
           int_param(9, "activation_type", 0, "as in Convolution"),
           floats_param(10, "activation_params", "as in Convolution"));

constexpr auto kGemm = params(
    float_param(0, "alpha", 1, "factor of the result"), float_param(1, "beta", 1, "factor of C"),
    int_param(2, "transA", 0, "1 = A is K x M"), int_param(3, "transB", 0, "1 = B is N x K"),
    int_param(4, "constantA", 0, "1 = A is a weight"), int_param(5, "constantB", 0, "1 = B is a weight"),
    int_param(6, "constantC", 0, "1 = C is a weight"), int_param(7, "constantM", 0, "M, where A or C is a weight"),
    int_param(8, "constantN", 0, "N, where B or C is a weight"),
    int_param(9, "constantK", 0, "K, where A or B is a weight"),
    int_param(10, "constant_broadcast_type_C", 0, "-1 no C, 0 scalar, 1 [M], 2 [Mx1], 3 [MxN], 4 [1xN]"),
    int_param(11, "output_N1M", 0, "1 = output is [M x 1 x N]"), int_param(12, "output_elempack", 0, "ignored"),
    int_param(13, "output_elemtype", 0, "ignored"), int_param(14, "output_transpose", 0, "1 = output is N x M"),
    int_param(18, "quantize_term", 0, "not 0 = int8 scales follow; 400 and above (block quantization) is refused"),
    int_param(20, "constant_TILE_M", 0, "ignored"), int_param(21, "constant_TILE_N", 0, "ignored"),
    int_param(22, "constant_TILE_K", 0, "ignored"));

constexpr auto kMatMul = params(int_param(0, "transB", 0, "1 = B is N x K"));

constexpr auto kMultiHeadAttention =
    params(int_param(0, "embed_dim", 0, "length of the projected rows"),
           int_param(1, "num_heads", 1, "parts they are cut into"),
           int_param(2, "weight_data_size", 0,
                     "embed_dim x length of a query; 0 = no projections: rows of embed_dim come in and go out"),
           int_like(3, "kdim", 0, "length of a key"), int_like(4, "vdim", 0, "length of a value"),
           int_param(5, "attn_mask", 0, "1 = the last input is added to the scores"),
           float_param(6, "scale", 0, "factor of the scores; not given = 1 / sqrt(embed_dim / num_heads)"),
           int_param(7, "kv_cache", 0, "only 0"), int_param(18, "quantize_term", 0, "only 0"));

constexpr auto kEmbed = params(
    int_param(0, "num_output", 0, "length of a row"), int_param(1, "input_dim", 0, "number of rows"),
    int_param(2, "bias_term", 0, "1 = there is a bias"), int_param(3, "weight_data_size", 0, "number of weights"),
    int_param(18, "int8_scale_term", 0, "not 0 = an int8 scale follows the bias"));

/// weight_data and bias_data of a windowed layer: the weights fill whole kernels of whole output channels.
Status windowed_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t outputs, count_param(p, 0, 1));
    FW_ASSIGN_OR_RETURN(const int64_t kernel_w, count_param(p, 1, 1));
    FW_ASSIGN_OR_RETURN(const int64_t kernel_h, count_param(p, 11, 1));
    FW_ASSIGN_OR_RETURN(const int64_t weights, count_param(p, 6, 1));
    if (weights % outputs != 0 || weights / outputs % kernel_w != 0 || weights / outputs / kernel_w % kernel_h != 0) {
        return Status::error(Code::kParseError,
                             "weight_data_size (6) is %" PRId64 ", not a multiple of num_output %" PRId64
                             " x kernel %" PRId64 "x%" PRId64,
                             weights, outputs, kernel_h, kernel_w);
    }
    out->push_back({"weight_data", weights, true});
    if (p.i(5) != 0) {
        out->push_back({"bias_data", outputs, false});
    }
    return {};
}

Status check_group(const Params& p) {
    FW_ASSIGN_OR_RETURN(const int64_t group, count_param(p, 7, 1));
    if (p.i(0) % group != 0) {
        return Status::error(Code::kParseError, "group (7) is %" PRId64 ", which does not divide num_output %d", group,
                             p.i(0));
    }
    return {};
}

void add_int8_scales(const Params& p, int64_t weight_scales, std::vector<BlobSpec>* out) {
    out->push_back({"weight_data_int8_scales", weight_scales, false});
    out->push_back({"bottom_blob_int8_scales", 1, false});
    if (p.i(8) > 100) {
        out->push_back({"top_blob_int8_scales", 1, false});
    }
}

Status convolution_blobs(const Params& p, std::vector<BlobSpec>* out) {
    if (p.i(19) != 0) {
        return {};
    }
    FW_RETURN_IF_ERROR(windowed_blobs(p, out));
    if (p.i(8) != 0) {
        add_int8_scales(p, p.i(0), out);
    }
    return {};
}

Status convolution_depthwise_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_RETURN_IF_ERROR(check_group(p));
    if (p.i(19) != 0) {
        return {};
    }
    FW_RETURN_IF_ERROR(windowed_blobs(p, out));
    switch (p.i(8)) {
        case 0: break;
        case 1:
        case 101: add_int8_scales(p, p.i(7), out); break;
        case 2:
        case 102: add_int8_scales(p, 1, out); break;
        default:
            return Status::error(Code::kParseError, "int8_scale_term (8) is %d, expected 0, 1, 2, 101 or 102", p.i(8));
    }
    return {};
}

Status deconvolution_blobs(const Params& p, std::vector<BlobSpec>* out) {
    return p.i(28) != 0 ? Status() : windowed_blobs(p, out);
}

Status deconvolution_depthwise_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_RETURN_IF_ERROR(check_group(p));
    return deconvolution_blobs(p, out);
}

Status inner_product_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t outputs, count_param(p, 0, 1));
    FW_ASSIGN_OR_RETURN(const int64_t weights, count_param(p, 2, 1));
    if (weights % outputs != 0) {
        return Status::error(Code::kParseError,
                             "weight_data_size (2) is %" PRId64 ", not a multiple of num_output %" PRId64, weights,
                             outputs);
    }
    out->push_back({"weight_data", weights, true});
    if (p.i(1) != 0) {
        out->push_back({"bias_data", outputs, false});
    }
    if (p.i(8) != 0) {
        out->push_back({"weight_data_int8_scales", outputs, false});
        out->push_back({"bottom_blob_int8_scales", 1, false});
    }
    return {};
}

Status gemm_blobs(const Params& p, std::vector<BlobSpec>* out) {
    const bool a = p.i(4) == 1;
    const bool b = p.i(5) == 1;
    const int c = p.i(6) == 1 ? p.i(10) : -1;
    if (c < -1 || c > 4) {
        return Status::error(Code::kParseError, "constant_broadcast_type_C (10) is %d, expected -1 to 4", c);
    }
    if (p.i(18) >= 400) {
        return Status::error(Code::kUnsupported, "quantize_term (18) is %d: block-quantized Gemm is not supported",
                             p.i(18));
    }
    const bool need_m = a || (c >= 1 && c <= 3);
    const bool need_n = b || c >= 3;
    FW_ASSIGN_OR_RETURN(const int64_t m, count_param(p, 7, need_m ? 1 : 0));
    FW_ASSIGN_OR_RETURN(const int64_t n, count_param(p, 8, need_n ? 1 : 0));
    FW_ASSIGN_OR_RETURN(const int64_t k, count_param(p, 9, a || b ? 1 : 0));
    if (a) {
        out->push_back({"A_data", m * k, true});
    }
    if (b) {
        out->push_back({"B_data", n * k, true});
    }
    if (c >= 0) {
        const int64_t counts[] = {1, m, m, n * m, n};
        out->push_back({"C_data", counts[c], true});
    }
    if (p.i(18) != 0 && a) {
        out->push_back({"A_data_int8_scales", m, false});
    }
    if (p.i(18) != 0 && b) {
        out->push_back({"B_data_int8_scale", 1, false});
    }
    return {};
}

Status attention_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t embed, count_param(p, 0, 1));
    FW_ASSIGN_OR_RETURN(const int64_t weights, count_param(p, 2, 0));
    FW_ASSIGN_OR_RETURN(const int64_t key, count_param(p, 3, 1));
    FW_ASSIGN_OR_RETURN(const int64_t value, count_param(p, 4, 1));
    if (weights == 0) {
        return {};
    }
    if (weights % embed != 0) {
        return Status::error(Code::kParseError,
                             "weight_data_size (2) is %" PRId64 ", not a multiple of embed_dim %" PRId64, weights,
                             embed);
    }
    const struct {
        const char *weight, *bias;
        int64_t count, biases;
    } list[] = {{"q_weight_data", "q_bias_data", weights, embed},
                {"k_weight_data", "k_bias_data", embed * key, embed},
                {"v_weight_data", "v_bias_data", embed * value, embed},
                {"out_weight_data", "out_bias_data", weights, weights / embed}};
    for (const auto& blobs : list) {
        out->push_back({blobs.weight, blobs.count, true});
        out->push_back({blobs.bias, blobs.biases, false});
    }
    return {};
}

Status embed_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t outputs, count_param(p, 0, 1));
    FW_ASSIGN_OR_RETURN(const int64_t rows, count_param(p, 1, 1));
    FW_ASSIGN_OR_RETURN(const int64_t weights, count_param(p, 3, 1));
    if (weights != outputs * rows) {
        return Status::error(Code::kParseError,
                             "weight_data_size (3) is %" PRId64 ", expected input_dim x num_output = %" PRId64, weights,
                             outputs * rows);
    }
    out->push_back({"weight_data", weights, true});
    if (p.i(2) != 0) {
        out->push_back({"bias_data", outputs, false});
    }
    if (p.i(18) != 0) {
        out->push_back({"weight_data_int8_scale", 1, false});
    }
    return {};
}

constexpr LayerSchema kSchemas[] = {
    {"Convolution", span(kConvolution), convolution_blobs, 1, 3, 1, 1, QuantRule::kWeighted,
     "2-d convolution with bias and activation"},
    {"ConvolutionDepthWise", span(kConvolutionDepthWise), convolution_depthwise_blobs, 1, 3, 1, 1, QuantRule::kWeighted,
     "2-d convolution in groups; depthwise where every channel is a group"},
    {"Deconvolution", span(kDeconvolution), deconvolution_blobs, 1, 3, 1, 1, QuantRule::kWeighted,
     "transposed 2-d convolution with bias and activation"},
    {"DeconvolutionDepthWise", span(kDeconvolutionDepthWise), deconvolution_depthwise_blobs, 1, 3, 1, 1,
     QuantRule::kWeighted, "transposed 2-d convolution in groups"},
    {"InnerProduct", span(kInnerProduct), inner_product_blobs, 1, 1, 1, 1, QuantRule::kWeighted,
     "fully connected layer over the flattened input, with bias and activation"},
    {"Gemm", span(kGemm), gemm_blobs, 0, 3, 1, 1, QuantRule::kFloat,
     "alpha * (A B + beta * C); each of A, B, C an input or a weight"},
    {"MatMul", span(kMatMul), nullptr, 2, 2, 1, 1, QuantRule::kFloat,
     "matrix product of two inputs, batched over outer axes"},
    {"MultiHeadAttention", span(kMultiHeadAttention), attention_blobs, 1, 4, 1, 1, QuantRule::kFloat,
     "attention over rows: query, key, value and mask; what is not given is the input before"},
    {"Embed", span(kEmbed), embed_blobs, 1, 1, 1, 1, QuantRule::kFloat,
     "rows of a table, chosen by the input's values"},
};

}  // namespace

Span<const LayerSchema> convolution_schemas() {
    static constexpr auto kBuilt = built<built_count(kSchemas)>(kSchemas);
    return {kBuilt.data(), kBuilt.size()};
}

}  // namespace fw::schema
