// Functions that convert one Caffe layer each; layer_table.cpp lists them.
#pragma once

#include "caffe2fw/layer_context.h"

namespace fw::caffe {

// layers_weighted.cpp
void convert_convolution(LayerContext* ctx);
void convert_depthwise(LayerContext* ctx);
void convert_deconvolution(LayerContext* ctx);
void convert_inner_product(LayerContext* ctx);
void convert_embed(LayerContext* ctx);

// layers_pooling.cpp
void convert_pooling(LayerContext* ctx);
void convert_spp(LayerContext* ctx);

// layers_pointwise.cpp
void convert_relu(LayerContext* ctx);
void convert_relu6(LayerContext* ctx);
void convert_clip(LayerContext* ctx);
void convert_prelu(LayerContext* ctx);
void convert_elu(LayerContext* ctx);
void convert_swish(LayerContext* ctx);
void convert_same_name(LayerContext* ctx);
void convert_power(LayerContext* ctx);
void convert_exp(LayerContext* ctx);
void convert_log(LayerContext* ctx);
void convert_threshold(LayerContext* ctx);
void convert_dropout(LayerContext* ctx);
void convert_eltwise(LayerContext* ctx);
void convert_axpy(LayerContext* ctx);
void convert_softmax(LayerContext* ctx);
void convert_softmax_loss(LayerContext* ctx);
void convert_sigmoid_loss(LayerContext* ctx);

// layers_norm.cpp
void convert_batch_norm(LayerContext* ctx);
void convert_bn(LayerContext* ctx);
void convert_scale(LayerContext* ctx);
void convert_bias(LayerContext* ctx);
void convert_lrn(LayerContext* ctx);
void convert_mvn(LayerContext* ctx);
void convert_normalize(LayerContext* ctx);

// layers_shape.cpp
void convert_concat(LayerContext* ctx);
void convert_slice(LayerContext* ctx);
void convert_split(LayerContext* ctx);
void convert_crop(LayerContext* ctx);
void convert_flatten(LayerContext* ctx);
void convert_reshape(LayerContext* ctx);
void convert_permute(LayerContext* ctx);
void convert_reduction(LayerContext* ctx);
void convert_argmax(LayerContext* ctx);
void convert_tile(LayerContext* ctx);
void convert_interp(LayerContext* ctx);
void convert_shuffle_channel(LayerContext* ctx);
void convert_reorg(LayerContext* ctx);

// layers_detection.cpp
void convert_prior_box(LayerContext* ctx);
void convert_detection_output(LayerContext* ctx);
void convert_proposal(LayerContext* ctx);
void convert_python(LayerContext* ctx);
void convert_roi_pooling(LayerContext* ctx);
void convert_psroi_pooling(LayerContext* ctx);
void convert_yolo_detection_output(LayerContext* ctx);
void convert_yolov3_detection_output(LayerContext* ctx);

// layers_recurrent.cpp
void convert_recurrent(LayerContext* ctx);

// layers_input.cpp
void convert_input(LayerContext* ctx);
void convert_dummy_data(LayerContext* ctx);
void convert_memory_data(LayerContext* ctx);
void convert_image_data(LayerContext* ctx);
void convert_silence(LayerContext* ctx);
void convert_nothing(LayerContext* ctx);

}  // namespace fw::caffe
