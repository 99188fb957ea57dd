// Layers that move, drop or repeat elements, and resizing.
#include "model/schema/tables.h"

namespace fw::schema {

namespace {

constexpr auto kConcat = params(int_param(0, "axis", 0, "axis to join along"));
constexpr auto kSlice =
    params(ints_param(0, "slices", "extent of each output; -233 = an equal share of the rest"),
           int_param(1, "axis", 0, "axis to cut"), ints_param(2, "indices", "where to cut, instead of slices"));
constexpr auto kCrop = params(
    int_param(0, "woffset", 0, "columns dropped on the left"), int_param(1, "hoffset", 0, "rows dropped above"),
    int_param(13, "doffset", 0, "planes dropped in front"), int_param(2, "coffset", 0, "channels dropped in front"),
    int_param(3, "outw", 0, "width kept; 0 or -233 = all that is left"),
    int_param(4, "outh", 0, "height kept, likewise"), int_param(14, "outd", 0, "depth kept, likewise"),
    int_param(5, "outc", 0, "channels kept, likewise"), int_param(6, "woffset2", 0, "columns dropped on the right"),
    int_param(7, "hoffset2", 0, "rows dropped below"), int_param(15, "doffset2", 0, "planes dropped behind"),
    int_param(8, "coffset2", 0, "channels dropped behind"), ints_param(9, "starts", "first index of each axis"),
    ints_param(10, "ends", "one past the last index of each axis"),
    ints_param(11, "axes", "the axes of starts and ends; empty = all in order"),
    string_param(19, "starts_expr", "starts as an expression"), string_param(20, "ends_expr", "ends as an expression"),
    string_param(21, "axes_expr", "axes as an expression"));
constexpr auto kPadding =
    params(int_param(0, "top", 0, "rows above"), int_param(1, "bottom", 0, "rows below"),
           int_param(2, "left", 0, "columns on the left"), int_param(3, "right", 0, "columns on the right"),
           int_param(4, "type", 0, "0 constant, 1 replicate, 2 reflect"),
           float_param(5, "value", 0, "value of constant padding"),
           int_param(6, "per_channel_pad_data_size", 0, "number of values by channel, 0 = one for all"),
           int_param(7, "front", 0, "channels in front"), int_param(8, "behind", 0, "channels behind"));
constexpr auto kReshape =
    params(int_param(0, "w", -233, "width; 0 = as the input's, -1 = what is left, -233 = no such axis"),
           int_param(1, "h", -233, "height, likewise"), int_param(11, "d", -233, "depth, likewise"),
           int_param(2, "c", -233, "channels, likewise"), int_param(12, "input_batch_axis", 233, "ignored"),
           int_param(13, "output_batch_axis", 233, "ignored"), string_param(6, "shape_expr", "shape as an expression"));
constexpr auto kSqueeze = params(
    int_param(0, "squeeze_w", 0, "1 = drop the width if it is 1"), int_param(1, "squeeze_h", 0, "likewise the height"),
    int_param(11, "squeeze_d", 0, "likewise the depth"), int_param(2, "squeeze_c", 0, "likewise the channels"),
    ints_param(3, "axes", "axes to drop, instead of the above"));
constexpr auto kExpandDims = params(ints_param(3, "axes", "where axes of extent 1 appear"));
constexpr auto kPermute = params(
    int_param(0, "order_type", 0,
              "3-d: 0 whc 1 hwc 2 wch 3 cwh 4 hcw 5 chw, the new order from width outwards; 2-d: 1 = transpose"));
constexpr auto kShuffleChannel =
    params(int_param(0, "group", 1, "groups"), int_param(1, "reverse", 0, "1 = the inverse"));
constexpr auto kPixelShuffle = params(int_param(0, "upscale_factor", 1, "factor of width and height"),
                                      int_param(1, "mode", 0, "0 CRD (torch), 1 DCR (depth to space)"));
constexpr auto kReorg =
    params(int_param(0, "stride", 1, "factor of width and height"), int_param(1, "mode", 0, "0 CRD, 1 DCR"));
constexpr auto kInterp =
    params(int_param(0, "resize_type", 0, "1 nearest, 2 bilinear, 3 bicubic"),
           float_param(1, "height_scale", 1, "factor, where no size is given"),
           float_param(2, "width_scale", 1, "factor, where no size is given"),
           int_param(3, "output_height", 0, "0 = by factor"), int_param(4, "output_width", 0, "0 = by factor"),
           int_param(5, "dynamic_target_size", 0, "1 = the second input has the wanted size"),
           int_param(6, "align_corner", 0, "1 = corner pixels keep their places"),
           string_param(9, "size_expr", "size as an expression"),
           int_param(20, "coordinates", 0,
                     "where samples lie: 0 nearest as 2, others as 1; 1 half_pixel, 2 asymmetric, 3 align_corners, 4 "
                     "half_pixel, but 0 for one output"),
           int_param(21, "nearest_rounding", 0, "0 floor, 1 ceil, 2 round half down, 3 round half up"),
           float_param(22, "cubic_a", -0.75, "coefficient of bicubic"));
constexpr auto kTile = params(int_param(0, "axis", 0, "axis to repeat"), int_param(1, "tiles", 1, "how often"),
                              ints_param(2, "repeats", "repeats of every axis, instead of the above"));
constexpr auto kDropout = params(float_param(0, "scale", 1, "factor of the output"));
constexpr auto kPooling =
    params(int_param(0, "pooling_type", 0, "0 maximum, 1 average"), int_param(1, "kernel_w", 0, "window width"),
           int_like(11, "kernel_h", 1, "window height"), int_param(2, "stride_w", 1, "step in a row"),
           int_like(12, "stride_h", 2, "step of rows"), int_param(3, "pad_left", 0, "padding on the left"),
           int_like(14, "pad_right", 3, "padding on the right"), int_like(13, "pad_top", 3, "padding above"),
           int_like(15, "pad_bottom", 13, "padding below"),
           int_param(4, "global_pooling", 0, "1 = the window is the whole channel"),
           int_param(5, "pad_mode", 0, "0 full (Caffe's ceil), 1 valid, 2 SAME_UPPER, 3 SAME_LOWER"),
           int_param(6, "avgpool_count_include_pad", 0, "1 = padding counts in the divisor"),
           int_param(7, "adaptive_pooling", 0, "1 = windows follow from the output size"),
           int_param(8, "out_w", 0, "adaptive: output width, -233 = the input's"),
           int_like(18, "out_h", 8, "adaptive: output height, likewise"));

Status padding_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t values, count_param(p, 6, 0));
    if (values > 0) {
        out->push_back({"per_channel_pad_data", values, false});
    }
    return {};
}

QuantRule pooling_rule(const Params& p) {
    return p.i(0) == 0 ? QuantRule::kMove : QuantRule::kArith;
}
QuantRule interp_rule(const Params& p) {
    return p.i(0) == 1 || p.i(0) == 2 ? QuantRule::kMove : QuantRule::kFloat;
}
QuantRule dropout_rule(const Params& p) {
    return p.f(0) == 1.0F ? QuantRule::kMove : QuantRule::kPointwise;
}
/// Per-channel values need their own quantization: float for now.
QuantRule padding_rule(const Params& p) {
    return p.i(6) == 0 ? QuantRule::kMove : QuantRule::kFloat;
}

constexpr LayerSchema kSchemas[] = {
    {"Pooling", span(kPooling), nullptr, 1, 1, 1, 1, QuantRule::kMove, "maximum or average over windows", pooling_rule},
    {"Concat", span(kConcat), nullptr, 1, kAny, 1, 1, QuantRule::kUnify, "joins its inputs along an axis"},
    {"Split", {}, nullptr, 1, 1, 1, kAny, QuantRule::kMove, "its input, several times"},
    {"Slice", span(kSlice), nullptr, 1, 1, 1, kAny, QuantRule::kMove, "cuts its input along an axis"},
    {"Crop", span(kCrop), nullptr, 1, 2, 1, 1, QuantRule::kMove, "cuts out a box; a second input gives its extent"},
    {"Padding", span(kPadding), padding_blobs, 1, 1, 1, 1, QuantRule::kMove, "adds a border", padding_rule},
    {"Reshape", span(kReshape), nullptr, 1, kAny, 1, 1, QuantRule::kMove, "the same elements in another shape"},
    {"Flatten", {}, nullptr, 1, 1, 1, 1, QuantRule::kMove, "the same elements in one axis"},
    {"Squeeze", span(kSqueeze), nullptr, 1, 1, 1, 1, QuantRule::kMove, "drops axes of extent 1"},
    {"ExpandDims", span(kExpandDims), nullptr, 1, 1, 1, 1, QuantRule::kMove, "adds axes of extent 1"},
    {"Permute", span(kPermute), nullptr, 1, 1, 1, 1, QuantRule::kMove, "reorders the axes"},
    {"ShuffleChannel", span(kShuffleChannel), nullptr, 1, 1, 1, 1, QuantRule::kMove, "interleaves groups of channels"},
    {"PixelShuffle", span(kPixelShuffle), nullptr, 1, 1, 1, 1, QuantRule::kMove, "channels to space"},
    {"Reorg", span(kReorg), nullptr, 1, 1, 1, 1, QuantRule::kMove, "space to channels"},
    {"Interp", span(kInterp), nullptr, 1, kAny, 1, 1, QuantRule::kFloat, "resizes width and height", interp_rule},
    {"Tile", span(kTile), nullptr, 1, 1, 1, 1, QuantRule::kMove, "repeats its input along axes"},
    {"Dropout", span(kDropout), nullptr, 1, 1, 1, 1, QuantRule::kMove, "x * scale; nothing where scale is 1",
     dropout_rule},
    {"Noop", {}, nullptr, 1, 1, 1, kAny, QuantRule::kMove, "its input"},
    {"DeepCopy", {}, nullptr, 1, 1, 1, 1, QuantRule::kMove, "its input"},
};

}  // namespace

Span<const LayerSchema> shape_schemas() {
    static constexpr auto kBuilt = built<built_count(kSchemas)>(kSchemas);
    return {kBuilt.data(), kBuilt.size()};
}

}  // namespace fw::schema
