// Measures the planner's cost table: fit_costs [ISA] prints the row of src/runtime/cost_table.cpp for each kernel
// level.
//
// Every network of the zoo below a billion multiply-accumulates runs in float and in int8, one thread; a step's time is
// the fastest of several runs, and a kind of work costs the sum of its steps' times over the sum of their units.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "graph/pass.h"
#include "runtime/cost_model.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

constexpr int kLoops = 9;
constexpr int64_t kMostMacs = 1000000000;
constexpr int kConversion = kWorkKinds;  // one more than the kinds of work

struct Sums {
    double picoseconds[2][kWorkKinds + 1] = {};
    double units[2][kWorkKinds + 1] = {};
    double layer = 1e12;
};

/// Work of each layer, by name.
Result<std::map<std::string, Work>> work_by_name(const NetDef& def) {
    Model model;
    model.def = def;
    FW_RETURN_IF_ERROR(describe_model(&model));
    FW_ASSIGN_OR_RETURN(Graph graph, Graph::build(def));
    const Option option;
    PassContext context;
    context.option = &option;
    FW_RETURN_IF_ERROR(run_passes(&graph, context));
    std::vector<Work> work;
    std::vector<int64_t> elements;
    if (!find_work(model, graph, true, &work, &elements)) {
        return Status::error(Code::kInternal, "%s: shapes are open", def.source.c_str());
    }
    std::map<std::string, Work> by_name;
    for (const NodeId id : graph.order()) {
        by_name[graph.node(id).name] = work[static_cast<size_t>(id)];
    }
    return by_name;
}

Result<std::vector<double>> fastest_steps(const Net& net) {
    Extractor extractor = net.create_extractor();
    extractor.enable_profile(true);
    std::vector<double> fastest;
    for (int loop = 0; loop < kLoops; ++loop) {
        for (const std::string& name : net.input_names()) {
            const Shape shape = net.input_shape(name.c_str());
            FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(shape));
            const std::vector<uint8_t> bytes = zoo::made_image(shape, 1);
            std::transform(bytes.begin(), bytes.end(), mat.data(), [](uint8_t b) { return b / 127.5F - 1.0F; });
            FW_RETURN_IF_ERROR(extractor.input(name.c_str(), mat));
        }
        for (const std::string& name : net.output_names()) {
            Mat out;
            FW_RETURN_IF_ERROR(extractor.extract(name.c_str(), &out));
        }
        fastest.resize(extractor.profile().size(), 1e12);
        std::transform(fastest.begin(), fastest.end(), extractor.profile().begin(), fastest.begin(),
                       [](double a, double b) { return std::min(a, b); });
    }
    return fastest;
}

Status add_network(const NetDef& def, const ScaleTable& table, bool int8, Sums* sums) {
    FW_ASSIGN_OR_RETURN(const auto work, work_by_name(def));
    Net net;
    Option option;
    option.precision = int8 ? Precision::kInt8 : Precision::kFloat;
    FW_RETURN_IF_ERROR(net.set_option(option));
    FW_RETURN_IF_ERROR(net.load_table(table));
    zoo::ModelFiles files;
    FW_RETURN_IF_ERROR(zoo::load(def, &net, &files));
    FW_ASSIGN_OR_RETURN(const std::vector<double> times, fastest_steps(net));
    FW_ASSIGN_OR_RETURN(const std::vector<LayerPlan> plan, net.plan());
    for (size_t i = 0; i < plan.size() && i < times.size(); ++i) {
        const LayerPlan& step = plan[i];
        const auto found = work.find(step.name);
        Work done;
        size_t kind = kConversion;
        if (step.is_conversion && step.type != "Copy") {
            done.units = static_cast<double>(step.output_shape.count());
        } else if (step.type != "Copy" && found != work.end()) {
            done = found->second;
            kind = static_cast<size_t>(done.kind);
        }
        if (done.units == 0 || (int8 && !step.is_conversion && step.input_type != DType::kInt8)) {
            continue;
        }
        sums->picoseconds[int8 ? 1 : 0][kind] += times[i] * 1e9;
        sums->units[int8 ? 1 : 0][kind] += done.units * (int8 ? done.int8_share : done.float_share);
        sums->layer = std::min(sums->layer, times[i] * 1e9);
    }
    return {};
}

Status measure(Isa isa) {
    const ScopedIsa forced(isa);
    Sums sums;
    for (const zoo::Network& network : zoo::networks()) {
        if (network.macs > kMostMacs) {
            continue;
        }
        FW_ASSIGN_OR_RETURN(const NetDef def, zoo::build(network, 1));
        FW_ASSIGN_OR_RETURN(const ScaleTable table, zoo::made_table(def, 1, 1));
        for (const bool int8 : {false, true}) {
            FW_RETURN_IF_ERROR(add_network(def, table, int8, &sums));
        }
    }
    const auto rate = [&](int precision, int kind) {
        const double units = sums.units[precision][kind];
        return units > 0 ? sums.picoseconds[precision][kind] / units : 0.0;
    };
    std::printf("%s: {%.0f,", name(isa), sums.layer);
    for (const int precision : {0, 1}) {
        std::printf(" {0");
        for (int kind = 1; kind < kWorkKinds; ++kind) {
            std::printf(", %.3g", rate(precision, kind));
        }
        std::printf("},");
    }
    std::printf(" %.3g}\n", rate(1, kConversion));
    return {};
}

}  // namespace
}  // namespace fw

int main(int argc, char** argv) {
    for (const fw::Isa isa : fw::available_isas()) {
        if (argc > 1 && std::string(argv[1]) != fw::name(isa)) {
            continue;
        }
        const fw::Status status = fw::measure(isa);
        if (!status.ok()) {
            std::fprintf(stderr, "error: %s\n", status.message());
            return 1;
        }
    }
    return 0;
}
