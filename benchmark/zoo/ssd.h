// The head of SSD: Liu et al., "SSD: Single Shot MultiBox Detector" (2016), section 2.
#pragma once

#include <string>
#include <vector>

#include "zoo/blocks.h"

namespace fw::zoo {

/// A feature map with the boxes of its cells: a square of min_size, one of the mean with max_size (0 = none), one of
/// each ratio and its inverse. Sizes and steps in pixels of the image; step 0 = image / map.
struct SsdMap {
    std::string name;
    Value feature;
    float min_size = 0, max_size = 0;
    std::vector<float> ratios;
    float step = 0;
};

/// Makes `conv.out` channels of predictions from a feature map.
using SsdPredictor = Value (*)(Blocks* net, const std::string& name, const Value& x, const Conv& conv);
Value predict_1x1(Blocks* net, const std::string& name, const Value& x, const Conv& conv);
Value predict_3x3(Blocks* net, const std::string& name, const Value& x, const Conv& conv);
/// SSDLite (Sandler et al. 2018, section 6.2): depthwise 3x3, then 1x1.
Value predict_depthwise(Blocks* net, const std::string& name, const Value& x, const Conv& conv);

/// Locations, confidences and priors of all maps, and the DetectionOutput layer over them. `classes` counts the
/// background, which wins in most cells, as in a trained detector.
void ssd_head(Blocks* net, const Value& image, const std::vector<SsdMap>& maps, int classes, SsdPredictor predict);

}  // namespace fw::zoo
