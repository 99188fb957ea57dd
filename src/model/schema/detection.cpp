// Sources of data, and the boxes of detectors.
#include <cinttypes>

#include "fw/mat.h"
#include "model/schema/tables.h"

namespace fw::schema {

namespace {

constexpr auto kInput =
    params(int_param(0, "w", 0, "width; all 0 = left open"), int_param(1, "h", 0, "height, 0 = no such axis"),
           int_param(11, "d", 0, "depth, 0 = no such axis"), int_param(2, "c", 0, "channels, 0 = no such axis"),
           int_param(24, "pixel", 0, "preprocessing: 0 none, 1 RGB, 2 BGR, 3 GRAY"),
           floats_param(25, "mean", "preprocessing: subtracted, by channel or one for all"),
           floats_param(26, "norm", "preprocessing: factors after that, likewise"));
constexpr auto kMemoryData =
    params(int_param(0, "w", 0, "width"), int_param(1, "h", 0, "height, 0 = no such axis"),
           int_param(11, "d", 0, "depth, 0 = no such axis"), int_param(2, "c", 0, "channels, 0 = no such axis"),
           int_param(21, "load_type", 1, "0 = tagged blob, 1 = raw float32"));
constexpr auto kPriorBox = params(
    floats_param(0, "min_sizes", "sizes of boxes"), floats_param(1, "max_sizes", "second sizes, as many"),
    floats_param(2, "aspect_ratios", "ratios besides 1"), float_param(3, "variances[0]", 0.1, "variance of x"),
    float_param(4, "variances[1]", 0.1, "variance of y"), float_param(5, "variances[2]", 0.2, "variance of width"),
    float_param(6, "variances[3]", 0.2, "variance of height"), int_param(7, "flip", 1, "1 = inverse ratios too"),
    int_param(8, "clip", 0, "1 = boxes end at the image"),
    int_param(9, "image_width", 0, "0 or -233 = the second input's"), int_param(10, "image_height", 0, "likewise"),
    float_param(11, "step_width", -233, "distance of boxes, -233 = image / map"),
    float_param(12, "step_height", -233, "likewise"), float_param(13, "offset", 0, "place of the first box, in steps"),
    int_param(14, "step_mmdetection", 0, "1 = steps as in mmdetection"),
    int_param(15, "center_mmdetection", 0, "1 = centres as in mmdetection"));
constexpr auto kDetectionOutput = params(
    int_param(0, "num_class", 0, "classes, background included"),
    float_param(1, "nms_threshold", 0.05, "overlap of boxes that are one"),
    int_param(2, "nms_top_k", 300, "boxes a class before suppression"), int_param(3, "keep_top_k", 100, "boxes in all"),
    float_param(4, "confidence_threshold", 0.5, "least score"), float_param(5, "variances[0]", 0.1, "variance of x"),
    float_param(6, "variances[1]", 0.1, "variance of y"), float_param(7, "variances[2]", 0.2, "variance of width"),
    float_param(8, "variances[3]", 0.2, "variance of height"));
constexpr auto kYolo = params(int_param(0, "num_class", 20, "classes"), int_param(1, "num_box", 5, "boxes a cell"),
                              float_param(2, "confidence_threshold", 0.01, "least score"),
                              float_param(3, "nms_threshold", 0.45, "overlap of boxes that are one"),
                              floats_param(4, "biases", "widths and heights of the anchors"));
constexpr auto kYolov3Only =
    params(ints_param(5, "mask", "anchors of each input"), floats_param(6, "anchors_scale", "stride of each input"));
constexpr auto kYolov3 = join(kYolo, kYolov3Only);

constexpr auto kProposal =
    params(int_param(0, "feat_stride", 16, "pixels of the image a cell of the map"),
           int_param(1, "base_size", 16, "side of the anchor that ratios and scales go by"),
           int_param(2, "pre_nms_topN", 6000, "boxes before suppression"),
           int_param(3, "after_nms_topN", 300, "boxes after it"),
           float_param(4, "nms_thresh", 0.7, "overlap of boxes that are one"),
           int_param(5, "min_size", 16, "least side, in pixels of the image before it was scaled"),
           floats_param(6, "ratios", "height / width of the anchors; none = 0.5, 1, 2"),
           floats_param(7, "scales", "sizes of the anchors in base_size; none = 8, 16, 32"));
constexpr auto kRoiPooling =
    params(int_param(0, "pooled_width", 0, "cells a row"), int_param(1, "pooled_height", 0, "rows of cells"),
           float_param(2, "spatial_scale", 1, "size of the map / size of the image"));
constexpr auto kRoiAlign =
    params(int_param(0, "pooled_width", 0, "cells a row"), int_param(1, "pooled_height", 0, "rows of cells"),
           float_param(2, "spatial_scale", 1, "size of the map / size of the image"),
           int_param(3, "sampling_ratio", 0, "samples a cell along each axis; 0 = one a pixel of the map"),
           int_param(4, "aligned", 0, "1 = pixels have their centre at .5"),
           int_param(5, "version", 0, "1 = as Detectron2 and ONNX compute it, the only one here"),
           int_param(24, "max", 0, "1 = the maximum of the weighted points instead of the mean of the samples"));
constexpr auto kPsRoiPooling =
    params(int_param(0, "pooled_width", 7, "cells a row"), int_param(1, "pooled_height", 7, "rows of cells"),
           float_param(2, "spatial_scale", 0.0625, "size of the map / size of the image"),
           int_param(3, "output_dim", 0, "channels of the output"));

/// No blobs; checks the shape, which is asked for before any layer is made, and the preprocessing, which no layer does.
Status check_input(const Params& p, std::vector<BlobSpec>* /*out*/) {
    int64_t elements = 1;
    for (const int id : {0, 1, 11, 2}) {
        const int extent = p.i(id);
        if (extent < 0) {
            return Status::error(Code::kParseError, "extent (%d) is %d, expected 0 (any) or more", id, extent);
        }
        elements *= extent > 0 ? extent : 1;
        if (elements > Shape::kMaxElements) {
            return Status::error(Code::kParseError, "w %d, h %d, d %d, c %d: more than %lld elements", p.i(0), p.i(1),
                                 p.i(11), p.i(2), static_cast<long long>(Shape::kMaxElements));
        }
    }
    const int pixel = p.i(24);
    if (pixel < 0 || pixel > 3) {
        return Status::error(Code::kParseError, "pixel (24) is %d, expected 0 to 3", pixel);
    }
    const size_t channels = pixel == 3 ? 1 : 3;
    for (const int id : {25, 26}) {
        const size_t values = p.floats(id).size();
        if (pixel != 0 && values > 1 && values != channels) {
            return Status::error(Code::kParseError, "%s (%d) has %zu values, expected 1 or %zu",
                                 id == 25 ? "mean" : "norm", id, values, channels);
        }
    }
    return {};
}

Status memory_data_blobs(const Params& p, std::vector<BlobSpec>* out) {
    int64_t count = 1;
    bool any = false;
    for (const int id : {0, 1, 11, 2}) {
        FW_ASSIGN_OR_RETURN(const int64_t extent, count_param(p, id, 0));
        any = any || extent > 0;
        count *= extent > 0 ? extent : 1;  // at most 2^31 * 2^31: checked before it can grow further
        if (count > Shape::kMaxElements) {
            return Status::error(Code::kParseError, "w x h x d x c is over the limit of %" PRId64 " elements",
                                 Shape::kMaxElements);
        }
    }
    const int load_type = p.i(21);
    if (load_type != 0 && load_type != 1) {
        return Status::error(Code::kParseError, "load_type (21) is %d, expected 0 or 1", load_type);
    }
    if (!any) {
        return Status::error(Code::kParseError, "no extent is given (w, h, d, c are all 0)");
    }
    out->push_back({"data", count, load_type == 0});
    return {};
}

constexpr LayerSchema kSchemas[] = {
    {"Input", span(kInput), check_input, 0, 0, 1, 1, QuantRule::kFloat,
     "a blob that the caller gives; carries the preprocessing"},
    {"MemoryData", span(kMemoryData), memory_data_blobs, 0, 0, 1, 1, QuantRule::kConstant, "a constant blob"},
    {"PriorBox", span(kPriorBox), nullptr, 1, 2, 1, 1, QuantRule::kFloat, "the default boxes of an SSD head"},
    {"DetectionOutput", span(kDetectionOutput), nullptr, 3, 5, 1, 1, QuantRule::kFloat,
     "decodes and filters the boxes of an SSD"},
    {"Proposal", span(kProposal), nullptr, 3, 3, 1, 2, QuantRule::kFloat,
     "regions of Faster R-CNN from scores, boxes relative to anchors, and the size of the image"},
    {"ROIPooling", span(kRoiPooling), nullptr, 2, 2, 1, 1, QuantRule::kFloat,
     "the largest value of each cell of regions of a map"},
    {"ROIAlign", span(kRoiAlign), nullptr, 2, 2, 1, 1, QuantRule::kFloat,
     "the mean of interpolated samples in each cell of regions of a map"},
    {"PSROIPooling", span(kPsRoiPooling), nullptr, 2, 2, 1, 1, QuantRule::kFloat,
     "the mean of each cell of regions, every cell from channels of its own"},
    {"YoloDetectionOutput", span(kYolo), nullptr, 1, kAny, 1, 1, QuantRule::kFloat,
     "decodes and filters the boxes of YOLO v2"},
    {"Yolov3DetectionOutput", span(kYolov3), nullptr, 1, kAny, 1, 1, QuantRule::kFloat,
     "decodes and filters the boxes of YOLO v3 and v4"},
};

}  // namespace

Span<const LayerSchema> detection_schemas() {
    static constexpr auto kBuilt = built<built_count(kSchemas)>(kSchemas);
    return {kBuilt.data(), kBuilt.size()};
}

}  // namespace fw::schema
