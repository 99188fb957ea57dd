#include "zoo/ssd.h"

namespace fw::zoo {

namespace {

Value prior_boxes(Blocks* net, const Value& image, const SsdMap& map) {
    const std::string name = map.name + "_mbox_priorbox";
    import::LayerBuilder& priors = net->layer("PriorBox", name, {map.feature, image});
    priors.set("min_sizes", std::vector<float>{map.min_size}).set("aspect_ratios", map.ratios).set("offset", 0.5);
    if (map.max_size > 0) {
        priors.set("max_sizes", std::vector<float>{map.max_size});
    }
    if (map.step > 0) {
        priors.set("step_width", static_cast<double>(map.step)).set("step_height", static_cast<double>(map.step));
    }
    Value y = image;
    y.id = priors.top(name);
    return y;
}

}  // namespace

Value predict_1x1(Blocks* net, const std::string& name, const Value& x, const Conv& conv) {
    return net->conv(name, x, conv);
}

Value predict_3x3(Blocks* net, const std::string& name, const Value& x, const Conv& conv) {
    Conv wide = conv;
    wide.kernel = 3;
    return net->conv(name, x, wide);
}

Value predict_depthwise(Blocks* net, const std::string& name, const Value& x, const Conv& conv) {
    return net->conv(name, net->depthwise(name + "/depthwise", x, {0, 3, 1, Act::kRelu6}), conv);
}

void ssd_head(Blocks* net, const Value& image, const std::vector<SsdMap>& maps, int classes, SsdPredictor predict) {
    std::vector<Value> locations;
    std::vector<Value> confidences;
    std::vector<Value> priors;
    std::vector<float> background(static_cast<size_t>(classes), 0.0F);
    background[0] = 6.0F;
    for (const SsdMap& map : maps) {
        const int boxes = 1 + (map.max_size > 0 ? 1 : 0) + 2 * static_cast<int>(map.ratios.size());
        Conv location{boxes * 4, 1, 1, Act::kNone};
        location.deviation = 0.5;
        Conv confidence{boxes * classes, 1, 1, Act::kNone};
        confidence.offset = background;
        confidence.deviation = 3;
        const std::string name = map.name + "_mbox";
        locations.push_back(net->flatten_pixels(name + "_loc", predict(net, name + "_loc", map.feature, location)));
        confidences.push_back(
            net->flatten_pixels(name + "_conf", predict(net, name + "_conf", map.feature, confidence)));
        priors.push_back(prior_boxes(net, image, map));
    }
    const Value location = net->concat("mbox_loc", locations);
    Value confidence = net->concat("mbox_conf", confidences);
    confidence = net->reshape("mbox_conf_reshape", confidence, 1, confidence.c / classes, classes);
    import::LayerBuilder& softmax = net->layer("Softmax", "mbox_conf_softmax", {confidence});
    confidence.id = softmax.set("axis", 1).set("fixbug0", 1).top("mbox_conf_softmax");
    confidence.id = net->layer("Flatten", "mbox_conf_flatten", {confidence}).top("mbox_conf_flatten");
    import::LayerBuilder& join = net->layer("Concat", "mbox_priorbox", priors);
    Value prior = image;
    prior.id = join.set("axis", 1).top("mbox_priorbox");
    import::LayerBuilder& output = net->layer("DetectionOutput", "detection_out", {location, confidence, prior});
    output.set("num_class", classes).set("nms_threshold", 0.45).set("nms_top_k", 100).set("keep_top_k", 100);
    output.set("confidence_threshold", 0.25).top("detection_out");
}

}  // namespace fw::zoo
