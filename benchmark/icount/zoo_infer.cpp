// Runs inferences of a network of the zoo: zoo_infer NETWORK float|fp16|TABLE INFERENCES
//
// What is counted around it (icount.py) is loading plus so many inferences; the difference of two runs is a steady one.
// Prints the network's multiply-accumulates and how many conversions its plan has.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "fw/net.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace {

using Inputs = std::map<std::string, fw::Mat>;

fw::Result<Inputs> make_inputs(const fw::Net& net) {
    Inputs inputs;
    for (const std::string& name : net.input_names()) {
        FW_ASSIGN_OR_RETURN(fw::Mat mat, fw::Mat::create(net.input_shape(name.c_str())));
        std::fill_n(mat.data(), mat.count(), 0.5F);
        inputs[name] = mat;
    }
    return inputs;
}

fw::Status infer(const fw::Net& net, const Inputs& inputs) {
    fw::Extractor extractor = net.create_extractor();
    for (const auto& [name, mat] : inputs) {
        FW_RETURN_IF_ERROR(extractor.input(name.c_str(), mat));
    }
    for (const std::string& name : net.output_names()) {
        fw::Mat out;
        FW_RETURN_IF_ERROR(extractor.extract(name.c_str(), &out));
    }
    return {};
}

fw::Status run(const fw::zoo::Network& network, const char* precision, int inferences) {
    FW_ASSIGN_OR_RETURN(const fw::NetDef def, fw::zoo::build(network, 1));
    const bool fp16 = std::strcmp(precision, "fp16") == 0;
    const bool int8 = !fp16 && std::strcmp(precision, "float") != 0;
    fw::Net net;
    fw::Option option;
    option.threads = 1;
    option.precision = int8 ? fw::Precision::kInt8 : fp16 ? fw::Precision::kFp16 : fw::Precision::kFloat;
    option.fp16_arithmetic = fp16;
    FW_RETURN_IF_ERROR(net.set_option(option));
    if (int8) {
        FW_RETURN_IF_ERROR(net.load_table(precision));
    }
    fw::zoo::ModelFiles files;
    FW_RETURN_IF_ERROR(fw::zoo::load(def, &net, &files));
    FW_ASSIGN_OR_RETURN(const Inputs inputs, make_inputs(net));
    for (int i = 0; i < inferences; ++i) {
        FW_RETURN_IF_ERROR(infer(net, inputs));
    }
    int64_t macs = 0;
    int conversions = 0;
    FW_ASSIGN_OR_RETURN(const std::vector<fw::LayerPlan> plan, net.plan());
    for (const fw::LayerPlan& step : plan) {
        macs += step.macs;
        conversions += step.is_conversion ? 1 : 0;
    }
    std::printf("%" PRId64 " %d\n", macs, conversions);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    const fw::zoo::Network* network = argc == 4 ? fw::zoo::find(argv[1]) : nullptr;
    if (network == nullptr) {
        std::fprintf(stderr, "usage: zoo_infer NETWORK float|fp16|TABLE INFERENCES (TABLE for int8)\n");
        return 2;
    }
    const fw::Status status = run(*network, argv[2], std::atoi(argv[3]));
    if (!status.ok()) {
        std::fprintf(stderr, "error: %s\n", status.message());
        return 1;
    }
    return 0;
}
