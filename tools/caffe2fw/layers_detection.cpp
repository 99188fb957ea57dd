// Layers of SSD, YOLO and Faster R-CNN.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <string_view>

#include "caffe2fw/layers.h"
#include "model/text.h"

namespace fw::caffe {

namespace {

// No bound: Caffe's -1 for "all boxes".
int64_t limit_or_all(int64_t value, int64_t all) {
    return value < 0 || value > all ? all : value;
}

}  // namespace

void convert_prior_box(LayerContext* ctx) {
    const PriorBoxParameter& prior = ctx->param().prior_box_param();
    if (!ctx->is_image(0)) {
        return ctx->give_up();
    }
    const auto sizes_ok = [&](const char* what, const auto& values) {
        for (const float v : values) {
            if (!(v > 0.0F && v < FLT_MAX)) {
                ctx->error("%s is %g, expected more than 0", what, static_cast<double>(v));
                return false;
            }
        }
        return true;
    };
    if (prior.min_size_size() < 1) {
        ctx->error("has no min_size, expected at least one");
        return ctx->give_up();
    }
    if (prior.max_size_size() > 0 && prior.max_size_size() != prior.min_size_size()) {
        ctx->error("has %d max_size, expected none or %d as of min_size", prior.max_size_size(), prior.min_size_size());
        return ctx->give_up();
    }
    if (prior.variance_size() > 1 && prior.variance_size() != 4) {
        ctx->error("has %d variances, expected 0, 1 or 4", prior.variance_size());
        return ctx->give_up();
    }
    if (!sizes_ok("min_size", prior.min_size()) || !sizes_ok("max_size", prior.max_size()) ||
        !sizes_ok("aspect_ratio", prior.aspect_ratio()) || !sizes_ok("variance", prior.variance())) {
        return ctx->give_up();
    }
    // Caffe keeps a ratio once, and 1 is always there.
    std::vector<float> ratios;
    std::vector<float> seen = {1.0F};
    for (const float ratio : prior.aspect_ratio()) {
        bool known = false;
        for (const float s : seen) {
            known = known || std::fabs(ratio - s) < 1e-6F;
        }
        if (known) {
            continue;
        }
        ratios.push_back(ratio);
        seen.push_back(ratio);
        if (prior.flip()) {
            seen.push_back(1.0F / ratio);
        }
    }
    LayerBuilder& layer =
        ctx->add("PriorBox", ctx->bottoms() == 2 ? std::vector<BlobId>{ctx->natural(0), ctx->natural(1)}
                                                 : std::vector<BlobId>{ctx->natural(0)});
    layer.set("min_sizes", std::vector<float>(prior.min_size().begin(), prior.min_size().end()));
    if (prior.max_size_size() > 0) {
        layer.set("max_sizes", std::vector<float>(prior.max_size().begin(), prior.max_size().end()));
    }
    if (!ratios.empty()) {
        layer.set("aspect_ratios", ratios);
    }
    static const char* const kVariances[4] = {"variances[0]", "variances[1]", "variances[2]", "variances[3]"};
    for (int i = 0; i < 4; ++i) {
        const int n = prior.variance_size();
        layer.set(kVariances[i], n == 0 ? 0.1F : prior.variance(n == 1 ? 0 : i));
    }
    layer.set("flip", prior.flip() ? 1 : 0).set("clip", prior.clip() ? 1 : 0);
    const int64_t image_w = prior.has_img_w() ? prior.img_w() : prior.img_size();
    const int64_t image_h = prior.has_img_h() ? prior.img_h() : prior.img_size();
    if (!ctx->in_range("img_w", image_w, 0) || !ctx->in_range("img_h", image_h, 0)) {
        return ctx->give_up();
    }
    if (ctx->bottoms() == 1 && (image_w == 0 || image_h == 0)) {
        ctx->error("has one bottom and no image size, expected the image as second bottom or img_size");
        return ctx->give_up();
    }
    // -233 = the second bottom's extent; ncnn takes 0 for a size.
    layer.set("image_width", image_w == 0 ? -233.0 : static_cast<double>(image_w));
    layer.set("image_height", image_h == 0 ? -233.0 : static_cast<double>(image_h));
    const float step_w = prior.has_step_w() ? prior.step_w() : prior.step();
    const float step_h = prior.has_step_h() ? prior.step_h() : prior.step();
    if (!(step_w >= 0.0F && step_h >= 0.0F)) {
        ctx->error("step is negative, expected 0 or more");
        return ctx->give_up();
    }
    // Caffe's 0 = image / map.
    layer.set("step_width", step_w == 0.0F ? -233.0F : step_w).set("step_height", step_h == 0.0F ? -233.0F : step_h);
    layer.set("offset", prior.offset());
    const auto ratio_count = static_cast<int64_t>(ratios.size()) * (prior.flip() ? 2 : 1);
    const int64_t cell = prior.min_size_size() * (1 + ratio_count) + prior.max_size_size();
    const Dims& map = ctx->dims(0);
    const int64_t cells = dims_count({map[2], map[3]});
    ctx->top(&layer, 0, {1, 2, dims_count({cells, cell, 4})});
}

void convert_detection_output(LayerContext* ctx) {
    const DetectionOutputParameter& det = ctx->param().detection_output_param();
    const NonMaximumSuppressionParameter& nms = det.nms_param();
    if (!ctx->in_range("num_classes", det.num_classes(), 1)) {
        return ctx->give_up();
    }
    if (!det.share_location()) {
        ctx->error("share_location is false, expected true (one box for all classes)");
    }
    if (det.code_type() != PriorBoxParameter::CENTER_SIZE) {
        ctx->error("code_type is %s, expected CENTER_SIZE", PriorBoxParameter::CodeType_Name(det.code_type()).c_str());
    }
    if (det.variance_encoded_in_target()) {
        ctx->error("variance_encoded_in_target is true, expected false");
    }
    if (det.background_label_id() != 0) {
        ctx->error("background_label_id is %d, expected 0", det.background_label_id());
    }
    if (nms.eta() != 1.0F) {
        ctx->error("nms_param.eta is %g, expected 1", static_cast<double>(nms.eta()));
    }
    const int64_t classes = det.num_classes();
    const int64_t loc = dims_count(ctx->dims(0));
    const int64_t conf = dims_count(ctx->dims(1));
    const Dims& prior = ctx->dims(2);
    if (prior.size() != 3 || prior[0] != 1 || prior[1] != 2 || prior[2] % 4 != 0) {
        ctx->error("bottom '%s' has shape %s, expected priors of (1,2,4 x boxes)", ctx->param().bottom(2).c_str(),
                   dims_text(prior).c_str());
        return ctx->give_up();
    }
    const int64_t boxes = prior[2] / 4;
    const int64_t locations = 4 * boxes;
    const int64_t scores = classes * boxes;
    if (loc != locations) {
        ctx->error("bottom '%s' has %lld elements, expected %lld (4 for each of %lld priors)",
                   ctx->param().bottom(0).c_str(), static_cast<long long>(loc), static_cast<long long>(locations),
                   static_cast<long long>(boxes));
    }
    if (conf != scores) {
        ctx->error("bottom '%s' has %lld elements, expected %lld (%lld classes for each of %lld priors)",
                   ctx->param().bottom(1).c_str(), static_cast<long long>(conf), static_cast<long long>(scores),
                   static_cast<long long>(classes), static_cast<long long>(boxes));
    }
    if (ctx->failed()) {
        return ctx->give_up();
    }
    std::vector<BlobId> inputs;
    for (int i = 0; i < 2; ++i) {
        const bool flat = ctx->shape(i).size() == 1;
        inputs.push_back(flat ? ctx->in(i)
                              : ctx->reshape(ctx->in(i), "flatten" + std::to_string(i), {-1},
                                             {1, dims_count(ctx->dims(i))}, {dims_count(ctx->dims(i))}));
    }
    inputs.push_back(ctx->natural(2));
    LayerBuilder& layer = ctx->add("DetectionOutput", inputs);
    const int64_t keep = limit_or_all(det.keep_top_k(), boxes * std::max<int64_t>(1, classes - 1));
    layer.set("num_class", static_cast<double>(classes)).set("nms_threshold", nms.nms_threshold());
    layer.set("nms_top_k", static_cast<double>(limit_or_all(nms.has_top_k() ? nms.top_k() : -1, boxes)));
    layer.set("keep_top_k", static_cast<double>(keep));
    layer.set("confidence_threshold", det.has_confidence_threshold() ? det.confidence_threshold() : -FLT_MAX);
    // Rows of label, score and box; Caffe's rows begin with the image's index besides.
    ctx->top(&layer, 0, {1, 1, keep, 7}, {keep, 6});
}

namespace {

// Regions from scores (background and object of each anchor), boxes and the image's height, width and scale.
void proposal(LayerContext* ctx, const ProposalParameter& p) {
    const std::vector<float> ratios = p.ratio_size() == 0 ? std::vector<float>{0.5F, 1.0F, 2.0F}
                                                          : std::vector<float>(p.ratio().begin(), p.ratio().end());
    const std::vector<float> scales = p.scale_size() == 0 ? std::vector<float>{8.0F, 16.0F, 32.0F}
                                                          : std::vector<float>(p.scale().begin(), p.scale().end());
    const auto anchors = static_cast<int64_t>(ratios.size() * scales.size());
    if (!ctx->is_image(0) || !ctx->is_image(1) || !ctx->in_range("feat_stride", p.feat_stride(), 1) ||
        !ctx->in_range("base_size", p.base_size(), 1) || !ctx->in_range("pre_nms_topn", p.pre_nms_topn(), 1) ||
        !ctx->in_range("post_nms_topn", p.post_nms_topn(), 1) || !ctx->in_range("min_size", p.min_size(), 0)) {
        return ctx->give_up();
    }
    const Dims& scores = ctx->dims(0);
    const Dims& boxes = ctx->dims(1);
    if (scores[1] != 2 * anchors || boxes != Dims{1, 4 * anchors, scores[2], scores[3]} ||
        dims_count(ctx->dims(2)) < 3) {
        ctx->error("bottoms are %s, %s and %s, expected 2 and 4 channels for each of %lld anchors, and 3 numbers",
                   dims_text(scores).c_str(), dims_text(boxes).c_str(), dims_text(ctx->dims(2)).c_str(),
                   static_cast<long long>(anchors));
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("Proposal", {ctx->natural(0), ctx->natural(1), ctx->in(2)});
    layer.set("feat_stride", p.feat_stride()).set("base_size", p.base_size()).set("min_size", p.min_size());
    layer.set("pre_nms_topN", p.pre_nms_topn()).set("after_nms_topN", p.post_nms_topn());
    layer.set("nms_thresh", p.nms_thresh());
    if (p.ratio_size() > 0) {
        layer.set("ratios", ratios);
    }
    if (p.scale_size() > 0) {
        layer.set("scales", scales);
    }
    // Rows of corners; Caffe's begin with the image's index besides.
    const int64_t regions = std::min<int64_t>(p.post_nms_topn(), dims_count({anchors, scores[2], scores[3]}));
    ctx->top(&layer, 0, {regions, 4}, {regions, 4});
    if (ctx->tops() > 1) {
        ctx->top(&layer, 1, {regions, 1}, {regions});
    }
}

// The numbers behind `key` in a Python layer's param_str: "'feat_stride': 16, 'scales': (4, 8)", or YAML's likewise.
std::vector<float> python_numbers(std::string_view text, std::string_view key) {
    std::vector<float> out;
    const size_t at = text.find(key);
    const size_t colon = at == std::string_view::npos ? at : text.find(':', at);
    if (colon == std::string_view::npos) {
        return out;
    }
    text.remove_prefix(colon + 1);
    skip_blanks(&text);
    const bool list = !text.empty() && (text[0] == '(' || text[0] == '[');
    text.remove_prefix(list ? 1 : 0);
    text = text.substr(0, text.find_first_of(list ? ")]" : ",}\n"));
    while (!text.empty()) {
        const size_t comma = std::min(text.find(','), text.size());
        std::string_view item = text.substr(0, comma);
        float value = 0.0F;
        if (parse_float(next_token(&item), &value) != NumberError::kNone) {
            break;
        }
        out.push_back(value);
        text.remove_prefix(std::min(comma + 1, text.size()));
        skip_blanks(&text);
    }
    return out;
}

}  // namespace

void convert_proposal(LayerContext* ctx) {
    proposal(ctx, ctx->param().proposal_param());
}

void convert_python(LayerContext* ctx) {
    const PythonParameter& python = ctx->param().python_param();
    if (python.layer() != "ProposalLayer") {
        ctx->error("runs '%s' of the Python module '%s', expected a layer of another type, or ProposalLayer",
                   python.layer().c_str(), python.module().c_str());
        return ctx->give_up();
    }
    ProposalParameter p;
    const std::string& text = python.param_str();
    const std::vector<float> stride = python_numbers(text, "feat_stride");
    if (stride.size() == 1 && stride[0] >= 1.0F && stride[0] <= 4096.0F) {
        p.set_feat_stride(static_cast<uint32_t>(stride[0]));
    } else {
        ctx->error("param_str is '%.200s', expected feat_stride: and a number", text.c_str());
        return ctx->give_up();
    }
    for (const float ratio : python_numbers(text, "ratios")) {
        p.add_ratio(ratio);
    }
    for (const float scale : python_numbers(text, "scales")) {
        p.add_scale(scale);
    }
    proposal(ctx, p);
}

namespace {

// Feature map and regions of both poolings, the regions as rows of 5 (the image's index first) or of 4 corners, which
// Proposal gives; their number, 0 after an error.
int64_t roi_inputs(LayerContext* ctx, std::vector<BlobId>* inputs) {
    if (!ctx->is_image(0)) {
        return 0;
    }
    const Dims rois = ctx->dims(1);
    const int64_t columns = rois.size() < 2 ? 0 : rois[1];
    if ((columns != 4 && columns != 5) || dims_count(rois) != rois[0] * columns) {
        ctx->error("bottom '%s' has shape %s, expected regions of (regions,5)", ctx->param().bottom(1).c_str(),
                   dims_text(rois).c_str());
        return 0;
    }
    const Dims shape = {rois[0], columns};
    const BlobId rows =
        ctx->shape(1).size() <= 2 ? ctx->in(1) : ctx->reshape(ctx->in(1), "rows", shape, {1, rois[0], columns}, shape);
    *inputs = {ctx->natural(0), rows};
    return rois[0];
}

void pooled_top(LayerContext* ctx, LayerBuilder* layer, int64_t w, int64_t h, float scale, const Dims& out) {
    layer->set("pooled_width", static_cast<double>(w)).set("pooled_height", static_cast<double>(h));
    layer->set("spatial_scale", scale);
    if (!(scale > 0.0F && scale < 1e6F)) {
        ctx->error("spatial_scale is %g, expected a number above 0", static_cast<double>(scale));
        return ctx->give_up();
    }
    ctx->top(layer, 0, out);
}

}  // namespace

void convert_roi_pooling(LayerContext* ctx) {
    const ROIPoolingParameter& roi = ctx->param().roi_pooling_param();
    std::vector<BlobId> inputs;
    const int64_t regions = roi_inputs(ctx, &inputs);
    if (regions == 0 || !ctx->in_range("pooled_w", roi.pooled_w(), 1) ||
        !ctx->in_range("pooled_h", roi.pooled_h(), 1)) {
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("ROIPooling", inputs);
    pooled_top(ctx, &layer, roi.pooled_w(), roi.pooled_h(), roi.spatial_scale(),
               {regions, ctx->dims(0)[1], roi.pooled_h(), roi.pooled_w()});
}

void convert_psroi_pooling(LayerContext* ctx) {
    const PSROIPoolingParameter& roi = ctx->param().psroi_pooling_param();
    std::vector<BlobId> inputs;
    const int64_t regions = roi_inputs(ctx, &inputs);
    const int64_t side = roi.group_size();
    if (regions == 0 || !ctx->in_range("group_size", side, 1) || !ctx->in_range("output_dim", roi.output_dim(), 1)) {
        return ctx->give_up();
    }
    if (ctx->dims(0)[1] != dims_count({roi.output_dim(), side, side})) {
        ctx->error("bottom '%s' has shape %s, expected output_dim x group_size x group_size channels",
                   ctx->param().bottom(0).c_str(), dims_text(ctx->dims(0)).c_str());
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("PSROIPooling", inputs);
    layer.set("output_dim", roi.output_dim());
    pooled_top(ctx, &layer, side, side, roi.spatial_scale(), {regions, roi.output_dim(), side, side});
}

void convert_yolo_detection_output(LayerContext* ctx) {
    const YoloDetectionOutputParameter& yolo = ctx->param().yolo_detection_output_param();
    if (!ctx->in_range("num_classes", yolo.num_classes(), 1) || !ctx->in_range("num_box", yolo.num_box(), 1) ||
        !ctx->is_image(0)) {
        return ctx->give_up();
    }
    if (yolo.coords() != 4) {
        ctx->error("coords is %u, expected 4", yolo.coords());
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("YoloDetectionOutput", ctx->all_natural());
    layer.set("num_class", yolo.num_classes()).set("num_box", yolo.num_box());
    layer.set("confidence_threshold", yolo.confidence_threshold()).set("nms_threshold", yolo.nms_threshold());
    layer.set("biases", std::vector<float>(yolo.biases().begin(), yolo.biases().end()));
    const int64_t boxes = dims_count({ctx->dims(0)[2], ctx->dims(0)[3], yolo.num_box()});
    ctx->top(&layer, 0, {1, 1, boxes, 7}, {boxes, 6});
}

void convert_yolov3_detection_output(LayerContext* ctx) {
    const Yolov3DetectionOutputParameter& yolo = ctx->param().yolov3_detection_output_param();
    if (!ctx->in_range("num_classes", yolo.num_classes(), 1) || !ctx->in_range("num_box", yolo.num_box(), 1)) {
        return ctx->give_up();
    }
    int64_t cells = 0;
    for (int i = 0; i < ctx->bottoms(); ++i) {
        if (!ctx->is_image(i)) {
            return ctx->give_up();
        }
        cells += ctx->dims(i)[2] * ctx->dims(i)[3];
    }
    LayerBuilder& layer = ctx->add("Yolov3DetectionOutput", ctx->all_natural());
    layer.set("num_class", yolo.num_classes()).set("num_box", yolo.num_box());
    layer.set("confidence_threshold", yolo.confidence_threshold()).set("nms_threshold", yolo.nms_threshold());
    layer.set("biases", std::vector<float>(yolo.biases().begin(), yolo.biases().end()));
    layer.set("mask", std::vector<int>(yolo.mask().begin(), yolo.mask().end()));
    layer.set("anchors_scale", std::vector<float>(yolo.anchors_scale().begin(), yolo.anchors_scale().end()));
    const int64_t boxes = dims_count({cells, yolo.num_box()});
    ctx->top(&layer, 0, {1, 1, boxes, 7}, {boxes, 6});
}

}  // namespace fw::caffe
