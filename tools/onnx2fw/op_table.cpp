// Every operator that is read, in alphabetical order, and what becomes of it (docs/onnx2fw.md).
#include "onnx2fw/ops.h"

namespace fw::onnx {

void convert_known_only(NodeContext* ctx) {
    ctx->error(
        "has inputs that are computed from the network's input, expected values that are known when the network is "
        "converted");
}

namespace {

const char* const kFolded = "computed when the network is converted";

const OpHandler kHandlers[] = {
    {"Abs", convert_unary, 1, 1, "AbsVal"},
    {"Acos", convert_unary, 1, 1, "UnaryOp"},
    {"Add", convert_binary, 2, 2, "Eltwise, BinaryOp or Scale"},
    {"And", convert_known_only, 2, 2, kFolded},
    {"ArgMax", convert_arg, 1, 1, "ArgMax with an axis"},
    {"ArgMin", convert_arg, 1, 1, "UnaryOp (negative) and ArgMax"},
    {"Asin", convert_unary, 1, 1, "UnaryOp"},
    {"Atan", convert_unary, 1, 1, "UnaryOp"},
    {"AveragePool", convert_pool, 1, 1, "Pooling"},
    {"BatchNormalization", convert_batch_norm, 5, 5, "BatchNorm"},
    {"Cast", convert_nothing, 1, 1, "nothing, between floats; known values are converted"},
    {"Ceil", convert_unary, 1, 1, "UnaryOp"},
    {"Celu", convert_alpha, 1, 1, "CELU"},
    {"Clip", convert_clip, 1, 3, "Clip or ReLU"},
    {"Concat", convert_concat, 1, -1, "Concat"},
    {"Constant", convert_known_only, 0, 0, kFolded},
    {"ConstantOfShape", convert_known_only, 1, 1, kFolded},
    {"Conv", convert_conv, 2, 3, "Convolution, ConvolutionDepthWise; one or two spatial axes"},
    {"ConvTranspose", convert_conv_transpose, 2, 3, "Deconvolution, DeconvolutionDepthWise"},
    {"Cos", convert_unary, 1, 1, "UnaryOp"},
    {"DepthToSpace", convert_depth_to_space, 1, 1, "PixelShuffle"},
    {"DequantizeLinear", convert_dequantize, 2, 3, "float weights, lines of the table"},
    {"Div", convert_binary, 2, 2, "BinaryOp or Scale"},
    {"Dropout", convert_nothing, 1, 3, "nothing"},
    {"Elu", convert_alpha, 1, 1, "ELU"},
    {"Equal", convert_known_only, 2, 2, kFolded},
    {"Erf", convert_unary, 1, 1, "Erf"},
    {"Exp", convert_unary, 1, 1, "UnaryOp"},
    {"Expand", convert_expand, 2, 2, "Tile"},
    {"FakeQuantize", convert_fake_quantize, 5, 5, "lines of the table; weights as their levels stand for"},
    {"Flatten", convert_flatten, 1, 1, "Reshape, or nothing"},
    {"Floor", convert_unary, 1, 1, "UnaryOp"},
    {"GRU", convert_recurrent, 3, 6, "GRU"},
    {"Gather", convert_gather, 2, 2, "Crop, and Concat for several runs of known indices"},
    {"Gelu", convert_gelu, 1, 1, "GELU"},
    {"Gemm", convert_gemm, 2, 3, "InnerProduct; Gemm of two computed matrices or with a matrix C"},
    {"GlobalAveragePool", convert_global_pool, 1, 1, "Pooling"},
    {"GlobalMaxPool", convert_global_pool, 1, 1, "Pooling"},
    {"Greater", convert_known_only, 2, 2, kFolded},
    {"GreaterOrEqual", convert_known_only, 2, 2, kFolded},
    {"GroupNormalization", convert_group_norm, 3, 3, "GroupNorm"},
    {"HardSigmoid", convert_hard, 1, 1, "HardSigmoid"},
    {"HardSwish", convert_hard, 1, 1, "HardSwish"},
    {"Identity", convert_nothing, 1, 1, "nothing"},
    {"InstanceNormalization", convert_instance_norm, 3, 3, "InstanceNorm"},
    {"LRN", convert_lrn, 1, 1, "LRN across channels"},
    {"LSTM", convert_recurrent, 3, 8, "LSTM"},
    {"LayerNormalization", convert_layer_norm, 2, 3, "LayerNorm; its mean and deviation by Reductions"},
    {"LeakyRelu", convert_alpha, 1, 1, "ReLU with a slope"},
    {"Less", convert_known_only, 2, 2, kFolded},
    {"LessOrEqual", convert_known_only, 2, 2, kFolded},
    {"Log", convert_unary, 1, 1, "UnaryOp"},
    {"LogSoftmax", convert_log_softmax, 1, 1, "Reduction and BinaryOp"},
    {"LpNormalization", convert_lp_norm, 1, 1, "Reduction and BinaryOp"},
    {"MatMul", convert_matmul, 2, 2, "InnerProduct for a known matrix, else MatMul"},
    {"Max", convert_variadic, 1, -1, "Eltwise or BinaryOp"},
    {"MaxPool", convert_pool, 1, 1, "Pooling"},
    {"Mean", convert_variadic, 1, -1, "Eltwise or BinaryOp"},
    {"Min", convert_variadic, 1, -1, "BinaryOp"},
    {"Mish", convert_unary, 1, 1, "Mish"},
    {"Mod", convert_known_only, 2, 2, kFolded},
    {"Mul", convert_binary, 2, 2, "Eltwise, BinaryOp or Scale"},
    {"Neg", convert_unary, 1, 1, "UnaryOp"},
    {"Not", convert_known_only, 1, 1, kFolded},
    {"Or", convert_known_only, 2, 2, kFolded},
    {"PRelu", convert_prelu, 2, 2, "PReLU; other slopes than one a channel by ReLU and BinaryOps"},
    {"Pad", convert_pad, 1, 4, "Padding: constant, edge, reflect; negative pads Crop"},
    {"Pow", convert_binary, 2, 2, "UnaryOp or BinaryOp"},
    {"QuantizeLinear", convert_quantize, 2, 3, "lines of the table"},
    {"RNN", convert_recurrent, 3, 6, "RNN"},
    {"Range", convert_known_only, 3, 3, kFolded},
    {"Reciprocal", convert_unary, 1, 1, "UnaryOp"},
    {"ReduceL1", convert_reduce, 1, 2, "Reduction"},
    {"ReduceL2", convert_reduce, 1, 2, "Reduction"},
    {"ReduceLogSum", convert_reduce, 1, 2, "Reduction"},
    {"ReduceLogSumExp", convert_reduce, 1, 2, "Reduction"},
    {"ReduceMax", convert_reduce, 1, 2, "Reduction, or Pooling over height and width"},
    {"ReduceMean", convert_reduce, 1, 2, "Reduction, or Pooling over height and width"},
    {"ReduceMin", convert_reduce, 1, 2, "Reduction"},
    {"ReduceProd", convert_reduce, 1, 2, "Reduction"},
    {"ReduceSum", convert_reduce, 1, 2, "Reduction"},
    {"ReduceSumSquare", convert_reduce, 1, 2, "Reduction"},
    {"Relu", convert_unary, 1, 1, "ReLU"},
    {"Reshape", convert_reshape, 1, 2, "Reshape, ShuffleChannel, or nothing"},
    {"Resize", convert_resize, 1, 4, "Interp, or InnerProducts with a matrix an axis"},
    {"RoiAlign", convert_roi_align, 3, 3, "ROIAlign"},
    {"Round", convert_unary, 1, 1, "UnaryOp"},
    {"Selu", convert_alpha, 1, 1, "SELU"},
    {"Shape", convert_known_only, 1, 1, kFolded},
    {"Shrink", convert_alpha, 1, 1, "Shrink"},
    {"Sigmoid", convert_unary, 1, 1, "Sigmoid"},
    {"Sign", convert_known_only, 1, 1, kFolded},
    {"Sin", convert_unary, 1, 1, "UnaryOp"},
    {"Size", convert_known_only, 1, 1, kFolded},
    {"Slice", convert_slice, 1, 5, "Crop; steps along height and width by Pooling, others and backwards by Concat"},
    {"Softmax", convert_softmax, 1, 1, "Softmax"},
    {"Softplus", convert_unary, 1, 1, "Softplus"},
    {"Softsign", convert_softsign, 1, 1, "AbsVal and BinaryOp"},
    {"SpaceToDepth", convert_depth_to_space, 1, 1, "Reorg"},
    {"Split", convert_split, 1, 2, "Slice"},
    {"Sqrt", convert_unary, 1, 1, "UnaryOp"},
    {"Squeeze", convert_squeeze, 1, 2, "nothing"},
    {"Sub", convert_binary, 2, 2, "BinaryOp or Scale"},
    {"Sum", convert_variadic, 1, -1, "Eltwise or BinaryOp"},
    {"Swish", convert_unary, 1, 1, "Swish"},
    {"Tan", convert_unary, 1, 1, "UnaryOp"},
    {"Tanh", convert_unary, 1, 1, "TanH"},
    {"Tile", convert_tile, 2, 2, "Tile"},
    {"Transpose", convert_transpose, 1, 1, "nothing; a Permute where a later layer needs the order"},
    {"Unsqueeze", convert_unsqueeze, 1, 2, "nothing"},
    {"Upsample", convert_resize, 1, 2, "Interp"},
    {"Where", convert_where, 3, 3, "BinaryOps, for a known condition"},
    {"Xor", convert_known_only, 2, 2, kFolded},
};

}  // namespace

Span<const OpHandler> op_handlers() {
    return kHandlers;
}

const OpHandler* find_handler(const NodeProto& node) {
    const bool fake_quantize = node.domain() == "org.openvinotoolkit" && node.op_type() == "FakeQuantize";
    if (!node.domain().empty() && node.domain() != "ai.onnx" && !fake_quantize) {
        return nullptr;
    }
    for (const OpHandler& handler : kHandlers) {
        if (node.op_type() == handler.op) {
            return &handler;
        }
    }
    return nullptr;
}

}  // namespace fw::onnx
