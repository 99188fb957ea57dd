// Functions that convert one ONNX node each; op_table.cpp lists them.
#pragma once

#include "onnx2fw/node_context.h"

namespace fw::onnx {

// ops_weighted.cpp
void convert_conv(NodeContext* ctx);
void convert_conv_transpose(NodeContext* ctx);
// ops_matrix.cpp
void convert_gemm(NodeContext* ctx);
void convert_matmul(NodeContext* ctx);
// ops_pooling.cpp
void convert_pool(NodeContext* ctx);
void convert_global_pool(NodeContext* ctx);
void convert_roi_align(NodeContext* ctx);
// ops_pointwise.cpp
void convert_unary(NodeContext* ctx);
void convert_clip(NodeContext* ctx);
void convert_hard(NodeContext* ctx);
void convert_alpha(NodeContext* ctx);
void convert_gelu(NodeContext* ctx);
void convert_prelu(NodeContext* ctx);
void convert_softsign(NodeContext* ctx);
void convert_nothing(NodeContext* ctx);
// ops_binary.cpp
void convert_binary(NodeContext* ctx);
void convert_variadic(NodeContext* ctx);
void convert_where(NodeContext* ctx);
// ops_norm.cpp
void convert_batch_norm(NodeContext* ctx);
void convert_instance_norm(NodeContext* ctx);
void convert_layer_norm(NodeContext* ctx);
void convert_group_norm(NodeContext* ctx);
void convert_lrn(NodeContext* ctx);
void convert_lp_norm(NodeContext* ctx);
// ops_reduce.cpp
void convert_reduce(NodeContext* ctx);
void convert_softmax(NodeContext* ctx);
void convert_log_softmax(NodeContext* ctx);
void convert_arg(NodeContext* ctx);
// ops_shape.cpp
void convert_reshape(NodeContext* ctx);
void convert_flatten(NodeContext* ctx);
void convert_transpose(NodeContext* ctx);
void convert_squeeze(NodeContext* ctx);
void convert_unsqueeze(NodeContext* ctx);
void convert_expand(NodeContext* ctx);
void convert_tile(NodeContext* ctx);
void convert_depth_to_space(NodeContext* ctx);
// ops_slice.cpp
void convert_concat(NodeContext* ctx);
void convert_slice(NodeContext* ctx);
void convert_split(NodeContext* ctx);
void convert_gather(NodeContext* ctx);
void convert_pad(NodeContext* ctx);
// ops_resize.cpp
void convert_resize(NodeContext* ctx);
// ops_recurrent.cpp
void convert_recurrent(NodeContext* ctx);
// ops_quant.cpp
void convert_quantize(NodeContext* ctx);
void convert_dequantize(NodeContext* ctx);
void convert_fake_quantize(NodeContext* ctx);
// op_table.cpp
void convert_known_only(NodeContext* ctx);

/// One operand of a binary operation and its other: helper of Mean, LogSoftmax and the like. `op` = BinaryOp's op_type.
LayerBuilder& add_scalar_op(NodeContext* ctx, const char* suffix, int op, double b, BlobId bottom);
/// a op b with ONNX's broadcasting, `op` being Add, Mul and the like. `last` = this is the node's output, else an inner
/// blob. Constants must be decoded (NodeContext::constant). False after an error.
bool emit_binary(NodeContext* ctx, const std::string& op, const Value& first, const Value& second, bool last,
                 Value* out);
/// Output 0 = x (rows x k, the rows being all axes but the last) times a known matrix, `weights` being [n][k], plus a
/// bias if there is one: InnerProduct works row by row. `suffix` names the layer where it is not the node's only one.
bool inner_product(NodeContext* ctx, const Value& x, int64_t n, std::vector<float> weights, std::vector<float> bias,
                   const std::string& suffix, Value* out);
/// Pads of a window as [top, left, bottom, right] from pads or auto_pad; false after an error.
struct Window {
    int64_t kernel[2], stride[2], dilation[2], pad[4];  ///< height first; pad: top, left, bottom, right
    int64_t in[2];
    bool same = false;  ///< auto_pad decided
    int64_t out(int axis) const {
        const int64_t extent = dilation[axis] * (kernel[axis] - 1) + 1;
        return (in[axis] + pad[axis] + pad[axis + 2] - extent) / stride[axis] + 1;
    }
    int64_t extent(int axis) const { return dilation[axis] * (kernel[axis] - 1) + 1; }
};
/// Reads kernel_shape (or `kernel`), strides, dilations, pads and auto_pad of a node whose input is `v` (rank 3 or 4).
bool read_window(NodeContext* ctx, const Value& v, const Dims& kernel, Window* window);

}  // namespace fw::onnx
