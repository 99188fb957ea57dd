// The int8 contract on whole networks: the bytes of the golden file for any number of threads, at every level, and with
// the passes off. `zoo_golden tests/golden/zoo` writes the file anew (at the scalar level), where a formula or a
// network has changed on purpose; `--tables` makes the tables anew too.
#include "zoo/golden.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "graph/pass.h"
#include "support/source_dir.h"
#include "zoo/zoo.h"

namespace fw::zoo {
namespace {

// An emulator (FW_EMULATED) takes a hundred times as long as the processor.
#ifdef FW_EMULATED
constexpr int64_t kMostMacs = 60000000;
#else
constexpr int64_t kMostMacs = INT64_MAX;
#endif

std::string golden_dir() {
    return std::string(FW_SOURCE_DIR) + "/tests/golden/zoo/";
}

const nlohmann::json& golden_file() {
    static const nlohmann::json json = nlohmann::json::parse(std::ifstream(golden_dir() + "golden.json"));
    return json;
}

struct Loaded {
    const Network* network = nullptr;
    NetDef def;
    ScaleTable table;
    Golden want;
};

void load_golden(const std::string& name, Loaded* out) {
    out->network = find(name);
    ASSERT_NE(out->network, nullptr) << name;
    Result<NetDef> def = build(*out->network, kGoldenSeed);
    ASSERT_TRUE(def.ok()) << def.status().message();
    out->def = std::move(*def);
    Result<ScaleTable> table = ScaleTable::load((golden_dir() + name + ".table").c_str());
    ASSERT_TRUE(table.ok()) << table.status().message();
    out->table = std::move(*table);
    const nlohmann::json& entry = golden_file().at(name);
    out->want.conversions = entry.at("conversions");
    out->want.blobs = entry.at("blobs").get<std::map<std::string, std::string>>();
    ASSERT_FALSE(out->want.blobs.empty());
}

void expect_golden(const Loaded& net, const Option& option) {
    const Result<Golden> got = run_golden(net.def, net.table, option, &net.want);
    ASSERT_TRUE(got.ok()) << got.status().message();
    EXPECT_EQ(got->blobs, net.want.blobs);
    if (option.optimize) {
        EXPECT_EQ(got->conversions, net.want.conversions);
    }
}

class GoldenZoo : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        if (find(GetParam())->macs > kMostMacs) {
            GTEST_SKIP() << GetParam() << " takes too long under an emulator";
        }
        load_golden(GetParam(), &net_);
    }
    Loaded net_;
};
INSTANTIATE_TEST_SUITE_P(All, GoldenZoo, testing::ValuesIn(golden_networks()),
                         [](const auto& instance) { return instance.param; });

TEST_P(GoldenZoo, TheSameBytesForAnyNumberOfThreads) {
    for (const int threads : {1, 2, 3, 8}) {
        SCOPED_TRACE(threads);
        Option option;
        option.threads = threads;
        expect_golden(net_, option);
    }
}

TEST_P(GoldenZoo, TheSameBytesAtEveryLevel) {
    for (const Isa isa : available_isas()) {
        SCOPED_TRACE(name(isa));
        const ScopedIsa forced(isa);
        Option option;
        option.threads = 2;
        expect_golden(net_, option);
    }
}

TEST_P(GoldenZoo, TheSameBytesWithoutPasses) {
    Option option;
    option.threads = 2;
    option.optimize = false;
    expect_golden(net_, option);
}

// Layers that are left with an int8 table and these options.
size_t layers_left(const NetDef& def, ScaleTable table, const Option& option) {
    Result<Graph> graph = Graph::build(def);
    EXPECT_TRUE(graph.ok());
    PassContext context;
    context.option = &option;
    context.table = &table;
    const Status status = run_passes(&*graph, context);
    EXPECT_TRUE(status.ok()) << status.message();
    return graph->order().size();
}

TEST_P(GoldenZoo, TheSameBytesWithEachPassLeftOut) {
    Option option;
    option.threads = 2;
    option.precision = Precision::kInt8;
    const size_t with_all = layers_left(net_.def, net_.table, option);
    for (const Pass& pass : all_passes()) {
        if (!pass.optional) {
            continue;
        }
        option.disabled_passes = {pass.name};
        if (layers_left(net_.def, net_.table, option) == with_all) {
            continue;  // every such pass takes layers away: this one found nothing here
        }
        SCOPED_TRACE(pass.name);
        const Result<Golden> got = run_golden(net_.def, net_.table, option, &net_.want);
        ASSERT_TRUE(got.ok()) << got.status().message();
        EXPECT_EQ(got->blobs, net_.want.blobs);
    }
}

// Inputs, and for every layer that is float by nature (softmax, detections, LRN) what it reads and writes.
int most_conversions(const NetDef& def) {
    int most = 0;
    for (const LayerDef& layer : def.layers) {
        if (layer.type == "Input") {
            ++most;
        } else if (layer.type == "LRN") {
            most += 2;
        } else if (layer.type == "Softmax" || layer.type == "DetectionOutput") {
            most += static_cast<int>(layer.bottoms.size());
        }
    }
    return most;
}

TEST_P(GoldenZoo, ConvertsInputsAndFloatTailsOnly) {
    EXPECT_LE(net_.want.conversions, most_conversions(net_.def));
}

// Largest arena allowed beside the largest set of blobs that must exist at one time.
constexpr double kMostMemory = 1.25;

TEST_P(GoldenZoo, TheArenaIsNearTheLeastPossible) {
    for (const Precision precision : {Precision::kFloat, Precision::kInt8}) {
        Net net;
        Option option;
        option.precision = precision;
        ASSERT_TRUE(net.set_option(option).ok());
        ASSERT_TRUE(net.load_table(net_.table).ok());
        ModelFiles files;
        ASSERT_TRUE(load(net_.def, &net, &files).ok());
        const MemoryUse use = net.memory_use();
        const double ratio = static_cast<double>(use.activations) / static_cast<double>(use.least_activations);
        std::printf("%-20s %-5s arena %8.1f KiB, least %8.1f KiB, ratio %.3f\n", GetParam().c_str(),
                    precision == Precision::kFloat ? "float" : "int8", static_cast<double>(use.activations) / 1024.0,
                    static_cast<double>(use.least_activations) / 1024.0, ratio);
        EXPECT_LE(ratio, kMostMemory);
        EXPECT_GE(ratio, 1.0);
    }
}

}  // namespace
}  // namespace fw::zoo
