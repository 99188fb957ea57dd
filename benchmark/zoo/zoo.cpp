#include "zoo/zoo.h"

#include <algorithm>

#include "fw/image.h"
#include "import/report.h"
#include "model/model_io.h"
#include "zoo/networks.h"

namespace fw::zoo {

namespace {

constexpr Network kNetworks[] = {
    {"mobilenet_v1", "Howard et al. 2017, table 4", 569000000, 4200000, mobilenet_v1},
    {"mobilenet_v2", "Sandler et al. 2018, table 4", 300000000, 3400000, mobilenet_v2},
    {"mobilenet_v3_large", "Howard et al. 2019, table 3", 219000000, 5400000, mobilenet_v3_large},
    {"mobilenet_v3_small", "Howard et al. 2019, table 3", 56000000, 2500000, mobilenet_v3_small},
    {"resnet18", "He et al. 2015, table 1", 1800000000, 11700000, resnet18},
    {"squeezenet_v1_1", "Iandola et al. 2016, version 1.1 of the authors' repository", 360000000, 1235496,
     squeezenet_v1_1},
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

Result<NetDef> build(const Network& network, uint64_t seed) {
    import::Report report;
    import::NetBuilder builder(&report);
    Blocks blocks(&builder, seed);
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
