#include "zoo/zoo.h"

#include <algorithm>

#include "fw/image.h"
#include "import/report.h"
#include "model/model_io.h"
#include "zoo/networks.h"

namespace fw::zoo {

namespace {

constexpr Network kNetworks[] = {
    {"alexnet", "Krizhevsky et al. 2012; figures of Caffe's model with its groups", 724000000, 61000000, alexnet},
    {"blazeface", "Bazarevsky et al. 2019; figures of MediaPipe's short-range model", 30760960, 101390, blazeface},
    {"deeplabv3_mobilenetv2", "Sandler et al. 2018, table 7", 2750000000, 2110000, deeplabv3_mobilenetv2},
    {"efficientnet_b0", "Tan and Le 2019, table 2", 390000000, 5300000, efficientnet_b0},
    {"facemesh", "Kartynnik et al. 2019; figures of MediaPipe's face_landmark", 34979040, 604685, facemesh},
    {"googlenet", "Szegedy et al. 2014; figures of Caffe's model", 1582000000, 6998552, googlenet},
    {"mnasnet", "Tan et al. 2018, B1", 315000000, 4383312, mnasnet},
    {"mobilenet_ssd", "Howard et al. 2017, table 13; parameters of the Caffe model for PASCAL VOC", 1200000000, 5790000,
     mobilenet_ssd},
    {"mobilenet_v1", "Howard et al. 2017, table 4", 569000000, 4200000, mobilenet_v1},
    {"mobilenet_v2", "Sandler et al. 2018, table 4", 300000000, 3400000, mobilenet_v2},
    {"mobilenet_v3_large", "Howard et al. 2019, table 3", 219000000, 5400000, mobilenet_v3_large},
    {"mobilenet_v3_small", "Howard et al. 2019, table 3", 56000000, 2500000, mobilenet_v3_small},
    {"mobilenetv3_ssdlite", "Howard et al. 2019, section 6.4; figures of torchvision's ssdlite320_mobilenet_v3_large",
     583000000, 3440060, mobilenetv3_ssdlite},
    {"nanodet_m", "NanoDet's repository", 360000000, 950000, nanodet_m},
    {"resnet18", "He et al. 2015, table 1", 1800000000, 11700000, resnet18},
    {"resnet50", "He et al. 2015, table 1", 3800000000, 25600000, resnet50},
    {"shufflenet_v2", "Ma et al. 2018, table 8", 146000000, 2300000, shufflenet_v2},
    {"squeezenet_ssd", "SqueezeNet with the head of Liu et al. 2016; none published, counted from their tables",
     1176000000, 5525088, squeezenet_ssd},
    {"squeezenet_v1_1", "Iandola et al. 2016; version 1.1 of the authors' repository", 360000000, 1235496,
     squeezenet_v1_1},
    {"vgg16", "Simonyan and Zisserman 2014, table 2", 15500000000, 138000000, vgg16},
    {"vision_transformer_tiny", "Touvron et al. 2020, table 1", 1260000000, 5700000, vision_transformer_tiny},
    {"yolo_fastest", "Yolo-Fastest's repository, 1.1", 126000000, 350000, yolo_fastest},
    {"yolov4_tiny", "Wang et al. 2021, section 4.1; Darknet's figures", 3455000000, 6057000, yolov4_tiny},
};

}  // namespace

Span<const Network> networks() {
    return kNetworks;
}

const Network* find(const std::string& name) {
    const auto* const end = std::end(kNetworks);
    const auto* const found =
        std::find_if(std::begin(kNetworks), end, [&](const Network& network) { return network.name == name; });
    return found == end ? nullptr : found;
}

Result<NetDef> build(const Network& network, uint64_t seed, int largest_side) {
    import::Report report;
    import::NetBuilder builder(&report);
    Blocks blocks(&builder, seed, largest_side);
    network.describe(&blocks);
    NetDef def = builder.finish(network.name);
    FW_RETURN_IF_ERROR(report.status().with_prefix("%s", network.name));
    Preprocess preprocess;
    preprocess.pixel = Pixel::kRgb;
    preprocess.mean = {127.5F};
    preprocess.norm = {1.0F / 127.5F};
    def.set_preprocess(preprocess);
    return def;
}

Status load(const NetDef& def, Net* net, ModelFiles* files) {
    FW_ASSIGN_OR_RETURN(files->param, param_text(def));
    FW_ASSIGN_OR_RETURN(files->bin, bin_bytes(def));
    return net->load_model_memory({files->param.data(), files->param.size()}, {files->bin.data(), files->bin.size()});
}

}  // namespace fw::zoo
