#include "zoo/golden.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <set>

#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw::zoo {

namespace {

std::string hash_of(const Mat& mat) {
    uint64_t hash = 0xcbf29ce484222325U;
    for (int64_t i = 0; i < mat.count(); ++i) {
        hash = (hash ^ static_cast<uint8_t>(mat.data<int8_t>()[i])) * 0x100000001b3U;
    }
    char text[17];
    std::snprintf(text, sizeof text, "%016" PRIx64, hash);
    return text;
}

std::string first_bottom(const NetDef& def, const std::string& layer) {
    for (const LayerDef& l : def.layers) {
        if (l.name == layer && !l.bottoms.empty()) {
            return l.bottoms[0];
        }
    }
    return {};
}

/// Blobs where int8 ends.
Result<std::set<std::string>> last_int8_blobs(const NetDef& def, const Net& net, int* conversions) {
    FW_ASSIGN_OR_RETURN(const std::vector<LayerPlan> plan, net.plan());
    const std::vector<std::string> outputs = net.output_names();
    std::set<std::string> blobs;
    for (const LayerPlan& step : plan) {
        *conversions += step.is_conversion ? 1 : 0;
        if (step.output_type == DType::kInt8) {
            if (std::find(outputs.begin(), outputs.end(), step.output) != outputs.end()) {
                blobs.insert(step.output);
            }
        } else if (step.input_type == DType::kInt8 && step.type != "PriorBox") {
            blobs.insert(step.is_conversion ? step.name : first_bottom(def, step.name));
        }
    }
    return blobs;
}

}  // namespace

const std::vector<std::string>& golden_networks() {
    static const std::vector<std::string> kNames = {"blazeface",          "deeplabv3_mobilenetv2",
                                                    "efficientnet_b0",    "facemesh",
                                                    "googlenet",          "mnasnet",
                                                    "mobilenet_ssd",      "mobilenet_v1",
                                                    "mobilenet_v2",       "mobilenet_v3_large",
                                                    "mobilenet_v3_small", "resnet18",
                                                    "resnet50",           "shufflenet_v2",
                                                    "squeezenet_v1_1"};
    return kNames;
}

Result<Golden> run_golden(const NetDef& def, const ScaleTable& table, Option option, const Golden* like) {
    option.precision = Precision::kInt8;
    Net net;
    FW_RETURN_IF_ERROR(net.set_option(option));
    FW_RETURN_IF_ERROR(net.load_table(table));
    ModelFiles files;
    FW_RETURN_IF_ERROR(load(def, &net, &files));
    Golden golden;
    FW_ASSIGN_OR_RETURN(std::set<std::string> blobs, last_int8_blobs(def, net, &golden.conversions));
    if (like != nullptr) {
        blobs.clear();
        for (const auto& [blob, hash] : like->blobs) {
            blobs.insert(blob);
        }
    }
    Extractor extractor = net.create_extractor();
    uint64_t seed = kGoldenSeed;
    for (const std::string& name : net.input_names()) {
        const Shape shape = net.input_shape(name.c_str());
        const std::vector<uint8_t> bytes = made_image(shape, seed++);
        FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(shape, DType::kInt8));
        for (size_t i = 0; i < bytes.size(); ++i) {
            mat.data<int8_t>()[i] = static_cast<int8_t>(std::max(-127, bytes[i] - 128));
        }
        FW_RETURN_IF_ERROR(extractor.input(name.c_str(), mat));
    }
    for (const std::string& blob : blobs) {
        Mat out;
        QuantParams quant;
        FW_RETURN_IF_ERROR(extractor.extract_raw(blob.c_str(), &out, &quant));
        if (out.dtype() != DType::kInt8) {
            continue;  // float by itself, quantized for the reader
        }
        char scale[48];
        std::snprintf(scale, sizeof scale, " %.9g %d ", static_cast<double>(quant.scale), quant.zero_point);
        golden.blobs[blob] = out.shape().str() + scale + hash_of(out);
    }
    return golden;
}

}  // namespace fw::zoo
