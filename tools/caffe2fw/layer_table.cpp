// Every Caffe layer type that converts, in the order of docs/caffe2fw.md.
#include <cstring>

#include "caffe2fw/layers.h"

namespace fw::caffe {

namespace {

constexpr int kAny = -1;

const LayerHandler kHandlers[] = {
    // Inputs: tops beside the first are labels (data layers) or further inputs (Input).
    {"Input", convert_input, 0, 0, 1, kAny, "Input"},
    {"DummyData", convert_dummy_data, 0, 0, 1, kAny, "Input; MemoryData beside other inputs"},
    {"MemoryData", convert_memory_data, 0, 0, 1, 2, "Input"},
    {"Data", convert_image_data, 0, 0, 1, 2, "Input"},
    {"AnnotatedData", convert_image_data, 0, 0, 1, 2, "Input"},
    {"ImageData", convert_image_data, 0, 0, 1, 2, "Input"},
    {"HDF5Data", convert_image_data, 0, 0, 1, kAny, "Input (needs --size)"},
    {"WindowData", convert_image_data, 0, 0, 1, 2, "Input"},
    // Weighted
    {"Convolution", convert_convolution, 1, 1, 1, 1, "Convolution; ConvolutionDepthWise if group > 1"},
    {"ConvolutionDepthwise", convert_depthwise, 1, 1, 1, 1, "ConvolutionDepthWise"},
    {"DepthwiseConvolution", convert_depthwise, 1, 1, 1, 1, "ConvolutionDepthWise"},
    {"Deconvolution", convert_deconvolution, 1, 1, 1, 1, "Deconvolution; DeconvolutionDepthWise if group > 1"},
    {"InnerProduct", convert_inner_product, 1, 1, 1, 1, "InnerProduct"},
    {"Embed", convert_embed, 1, 1, 1, 1, "Embed"},
    {"Pooling", convert_pooling, 1, 1, 1, 1, "Pooling"},
    {"SPP", convert_spp, 1, 1, 1, 1, "a Pooling a level, Flatten and Concat"},
    // Point by point
    {"ReLU", convert_relu, 1, 1, 1, 1, "ReLU"},
    {"ReLU6", convert_relu6, 1, 1, 1, 1, "Clip"},
    {"Clip", convert_clip, 1, 1, 1, 1, "Clip"},
    {"PReLU", convert_prelu, 1, 1, 1, 1, "PReLU"},
    {"ELU", convert_elu, 1, 1, 1, 1, "ELU"},
    {"Sigmoid", convert_same_name, 1, 1, 1, 1, "Sigmoid"},
    {"TanH", convert_same_name, 1, 1, 1, 1, "TanH"},
    {"AbsVal", convert_same_name, 1, 1, 1, 1, "AbsVal"},
    {"BNLL", convert_same_name, 1, 1, 1, 1, "BNLL"},
    {"Mish", convert_same_name, 1, 1, 1, 1, "Mish"},
    {"Swish", convert_swish, 1, 1, 1, 1, "Swish"},
    {"Power", convert_power, 1, 1, 1, 1, "Power"},
    {"Exp", convert_exp, 1, 1, 1, 1, "Exp"},
    {"Log", convert_log, 1, 1, 1, 1, "Log"},
    {"Threshold", convert_threshold, 1, 1, 1, 1, "Threshold"},
    {"Dropout", convert_dropout, 1, 1, 1, 1, "nothing; Dropout with --no-optimize"},
    {"Eltwise", convert_eltwise, 2, kAny, 1, 1, "Eltwise"},
    {"Axpy", convert_axpy, 3, 3, 1, 1, "BinaryOp and Eltwise"},
    {"Softmax", convert_softmax, 1, 1, 1, 1, "Softmax"},
    // Normalisation
    {"BatchNorm", convert_batch_norm, 1, 1, 1, 1, "BatchNorm"},
    {"BN", convert_bn, 1, 1, 1, 1, "Scale or BatchNorm"},
    {"Scale", convert_scale, 1, 2, 1, 1, "Scale; BinaryOp or Power where the factor is not one a channel"},
    {"Bias", convert_bias, 1, 2, 1, 1, "Bias; BinaryOp or Power likewise"},
    {"LRN", convert_lrn, 1, 1, 1, 1, "LRN"},
    {"MVN", convert_mvn, 1, 1, 1, 1, "MVN"},
    {"Normalize", convert_normalize, 1, 1, 1, 1, "Normalize"},
    // Shapes
    {"Concat", convert_concat, 1, kAny, 1, 1, "Concat"},
    {"Slice", convert_slice, 1, 1, 1, kAny, "Slice"},
    {"Split", convert_split, 1, 1, 1, kAny, "Split"},
    {"Crop", convert_crop, 2, 2, 1, 1, "Crop"},
    {"Flatten", convert_flatten, 1, 1, 1, 1, "Flatten or Reshape"},
    {"Reshape", convert_reshape, 1, 1, 1, 1, "Reshape or Flatten"},
    {"Permute", convert_permute, 1, 1, 1, 1, "Permute"},
    {"Reduction", convert_reduction, 1, 1, 1, 1, "Reduction"},
    {"ArgMax", convert_argmax, 1, 1, 1, 1, "ArgMax"},
    {"Tile", convert_tile, 1, 1, 1, 1, "Tile"},
    {"Interp", convert_interp, 1, 2, 1, 1, "Interp"},
    {"ShuffleChannel", convert_shuffle_channel, 1, 1, 1, 1, "ShuffleChannel"},
    {"Reorg", convert_reorg, 1, 1, 1, 1, "Reorg"},
    // Detection
    {"PriorBox", convert_prior_box, 1, 2, 1, 1, "PriorBox"},
    {"DetectionOutput", convert_detection_output, 3, 4, 1, 1, "DetectionOutput"},
    {"Proposal", convert_proposal, 3, 3, 1, 2, "Proposal"},
    {"Python", convert_python, 3, 4, 1, 2, "Proposal, if it is py-faster-rcnn's ProposalLayer"},
    {"ROIPooling", convert_roi_pooling, 2, 2, 1, 1, "ROIPooling"},
    {"PSROIPooling", convert_psroi_pooling, 2, 2, 1, 1, "PSROIPooling"},
    {"YoloDetectionOutput", convert_yolo_detection_output, 1, 1, 1, 1, "YoloDetectionOutput"},
    {"Yolov3DetectionOutput", convert_yolov3_detection_output, 1, kAny, 1, 1, "Yolov3DetectionOutput"},
    // Sequences
    {"RNN", convert_recurrent, 2, 4, 1, 2, "RNN, InnerProduct and TanH"},
    {"LSTM", convert_recurrent, 2, 5, 1, 3, "LSTM"},
    // Training only
    {"SoftmaxWithLoss", convert_softmax_loss, 1, 3, 0, 2, "Softmax, its blob named prob"},
    {"SigmoidCrossEntropyLoss", convert_sigmoid_loss, 1, 2, 0, 1, "Sigmoid, its blob named prob"},
    {"Silence", convert_silence, 1, kAny, 0, 0, "nothing"},
    {"Accuracy", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"EuclideanLoss", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"HingeLoss", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"InfogainLoss", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"ContrastiveLoss", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"MultinomialLogisticLoss", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"SmoothL1Loss", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"MultiBoxLoss", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"DetectionEvaluate", convert_nothing, 0, kAny, 0, kAny, "nothing"},
    {"HDF5Output", convert_nothing, 0, kAny, 0, kAny, "nothing"},
};

}  // namespace

Span<const LayerHandler> layer_handlers() {
    return kHandlers;
}

bool LayerHandler::dropped() const {
    return convert == convert_nothing;
}

const LayerHandler* find_handler(const std::string& type) {
    for (const LayerHandler& handler : kHandlers) {
        if (type == handler.type) {
            return &handler;
        }
    }
    return nullptr;
}

}  // namespace fw::caffe
