// Attention whole and in parts: the same floats; in int8 the same bits of every projection at every level.
#include "base/cpu.h"
#include "quant/quant.h"
#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;
using test::run;

struct Sizes {
    const char* name;
    int embed, heads, query, key, value, queries, keys;
    int mask;            ///< 0 none, 2 one for all heads, 3 one a head
    int inputs;          ///< without the mask
    const char* stated;  ///< scale; "" = that of the head's length

    float scale() const {
        return *stated != '\0' ? std::strtof(stated, nullptr) : 1.0F / std::sqrt(static_cast<float>(embed / heads));
    }
};

const Sizes kSizes[] = {
    {"self", 32, 2, 24, 24, 24, 7, 7, 0, 1, ""},    {"odd heads", 15, 3, 10, 10, 10, 5, 5, 2, 1, "0.3"},
    {"cross", 16, 4, 12, 9, 7, 5, 11, 0, 3, ""},    {"key is value", 16, 1, 8, 9, 9, 1, 4, 3, 2, ""},
    {"one row", 48, 3, 20, 20, 20, 1, 1, 0, 1, ""},
};

// Query, key and value come from layers that can run int8; a sum follows.
NetFiles files_of(const Sizes& s, unsigned seed) {
    Random random(seed);
    const auto rows = [](const char* name, int length, int count) {
        return std::string("Input ") + name + " 0 1 " + name + " 0=" + std::to_string(length) +
               " 1=" + std::to_string(count);
    };
    NetFiles files;
    files.layer(rows("query", s.query, s.queries));
    files.layer(rows("key", s.key, s.keys));
    files.layer(rows("value", s.value, s.keys));
    files.layer(rows("mask", s.keys, s.queries) + (s.mask == 3 ? " 2=" + std::to_string(s.heads) : ""));
    std::string line = "MultiHeadAttention m " + std::to_string(s.inputs + (s.mask != 0 ? 1 : 0)) + " 1";
    const char* const names[] = {" query", " key", " value"};
    for (int i = 0; i < s.inputs; ++i) {
        line += names[i];
    }
    line += std::string(s.mask != 0 ? " mask" : "") + " m 0=" + std::to_string(s.embed) +
            " 1=" + std::to_string(s.heads) + " 2=" + std::to_string(s.embed * s.query) +
            " 3=" + std::to_string(s.key) + " 4=" + std::to_string(s.value) + (s.mask != 0 ? " 5=1" : "") +
            (*s.stated != '\0' ? std::string(" 6=") + s.stated : "");
    files.layer(line);
    for (const int length : {s.query, s.key, s.value}) {
        files.tagged(random.floats(static_cast<size_t>(s.embed * length), -0.4F, 0.4F));
        files.raw(random.floats(static_cast<size_t>(s.embed), -0.2F, 0.2F));
    }
    files.tagged(random.floats(static_cast<size_t>(s.embed * s.query), -0.4F, 0.4F));
    files.raw(random.floats(static_cast<size_t>(s.query), -0.2F, 0.2F));
    files.layer("BinaryOp sum 2 1 m query sum 0=0");
    return files;
}

std::map<std::string, Mat> inputs_of(const Sizes& s, unsigned seed) {
    Random random(seed);
    const Shape mask = s.mask == 3 ? Shape(s.heads, s.queries, s.keys) : Shape(s.queries, s.keys);
    return {{"query", random.mat(Shape(s.queries, s.query))},
            {"key", random.mat(Shape(s.keys, s.key))},
            {"value", random.mat(Shape(s.keys, s.value))},
            {"mask", random.mat(mask, -2.0F, 0.0F)}};
}

ScaleTable table_of(bool affine) {
    ScaleTable table;
    table.source = "made";
    for (const char* blob : {"query", "key", "value", "m/query", "m/key", "m/value", "m/context", "m", "sum"}) {
        table.blobs[blob] = affine ? QuantParams{75.0F, 3} : QuantParams{70.0F, 0};
    }
    return table;
}

std::map<std::string, std::string> types_of(const Net& net) {
    std::map<std::string, std::string> types;
    const Result<std::vector<LayerPlan>> plan = net.plan();
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    for (const LayerPlan& step : *plan) {
        if (!step.is_conversion) {
            types[step.name] = step.type + (step.input_type == DType::kInt8 ? " int8" : " float");
        }
    }
    return types;
}

// Every blob that was seen, and "sum".
std::map<std::string, std::vector<float>> observed(const Net& net, const std::map<std::string, Mat>& inputs) {
    std::map<std::string, std::vector<float>> seen;
    Extractor extractor = net.create_extractor();
    for (const auto& [name, mat] : inputs) {
        EXPECT_TRUE(extractor.input(name.c_str(), mat).ok());
    }
    extractor.set_observer([&seen](const std::string& blob, const Mat& value) -> Status {
        seen[blob] = test::values(value);
        return {};
    });
    Mat out;
    const Status status = extractor.extract("sum", &out);
    EXPECT_TRUE(status.ok()) << status.message();
    seen["sum"] = test::values(out);
    return seen;
}

TEST(Attention, PartsComputeWhatTheWholeDoes) {
    for (const Sizes& s : kSizes) {
        SCOPED_TRACE(s.name);
        const NetFiles files = files_of(s, 4);
        const std::map<std::string, Mat> inputs = inputs_of(s, 5);
        for (const Isa isa : available_isas()) {
            const ScopedIsa forced(isa);
            Net whole;
            FW_ASSERT_OK(files.load(&whole));
            EXPECT_EQ(types_of(whole).count("m/query"), 0U);
            const Mat expected = run(whole, inputs, "m");
            for (const int threads : {1, 3}) {
                Option option;
                option.threads = threads;
                option.split_attention = true;
                Net parts;
                FW_ASSERT_OK(parts.set_option(option));
                FW_ASSERT_OK(files.load(&parts));
                EXPECT_EQ(types_of(parts).count("m/query"), 1U);
                EXPECT_LT(test::relative_difference(run(parts, inputs, "m"), expected), 1e-5) << name(isa);
            }
        }
    }
}

TEST(Attention, FloatIgnoresATableOfTheParts) {
    const NetFiles files = files_of(kSizes[0], 4);
    const std::map<std::string, Mat> inputs = inputs_of(kSizes[0], 5);
    Net plain;
    FW_ASSERT_OK(files.load(&plain));
    Option option;
    option.precision = Precision::kFloat;
    Net with_table;
    FW_ASSERT_OK(with_table.set_option(option));
    FW_ASSERT_OK(with_table.load_table(table_of(true)));
    FW_ASSERT_OK(files.load(&with_table));
    EXPECT_EQ(types_of(with_table), types_of(plain));
    EXPECT_EQ(test::values(run(with_table, inputs, "sum")), test::values(run(plain, inputs, "sum")));
}

// What a projection is to give: the contract's accumulator, as floats.
std::vector<float> projected(const Mat& x, const std::vector<float>& weights, const std::vector<float>& bias,
                             const QuantParams& quant) {
    const size_t in = static_cast<size_t>(x.w());
    const size_t outputs = bias.size();
    const std::vector<float> scales =
        fit_weight_scales(quant, absmax_weight_scales(weights, static_cast<int>(outputs)), bias);
    std::vector<float> y;
    for (int row = 0; row < x.h(); ++row) {
        for (size_t o = 0; o < outputs; ++o) {
            const double scale = static_cast<double>(quant.scale) * static_cast<double>(scales[o]);
            auto acc = static_cast<int32_t>(std::nearbyint(static_cast<double>(bias[o]) * scale));
            for (size_t i = 0; i < in; ++i) {
                const int q = quantize(x.data()[static_cast<size_t>(row) * in + i], quant) - quant.zero_point;
                acc += q * static_cast<int>(std::nearbyint(weights[o * in + i] * scales[o]));
            }
            y.push_back(static_cast<float>(acc) * static_cast<float>(1.0 / scale));
        }
    }
    return y;
}

TEST(Attention, ProjectionsAreExactInInt8) {
    for (const Sizes& s : kSizes) {
        for (const bool affine : {false, true}) {
            SCOPED_TRACE(std::string(s.name) + (affine ? " affine" : ""));
            const NetFiles files = files_of(s, 6);
            const std::map<std::string, Mat> inputs = inputs_of(s, 7);
            const ScaleTable table = table_of(affine);
            const char* const blobs[] = {"m/query", "m/key", "m/value"};
            const char* const names[] = {"query", "key", "value"};
            const int lengths[] = {s.query, s.key, s.value};
            std::vector<std::vector<float>> expected;
            Random random(6);
            for (int i = 0; i < 3; ++i) {
                std::vector<float> weights = random.floats(static_cast<size_t>(s.embed * lengths[i]), -0.4F, 0.4F);
                std::vector<float> bias = random.floats(static_cast<size_t>(s.embed), -0.2F, 0.2F);
                for (std::vector<float>* list : {&weights, &bias}) {
                    for (float& value : *list) {
                        value *= i == 0 ? s.scale() : 1.0F;
                    }
                }
                expected.push_back(
                    projected(inputs.at(names[std::min(i, s.inputs - 1)]), weights, bias, table.blobs.at(names[i])));
            }
            std::vector<float> first;
            for (const Isa isa : available_isas()) {
                const ScopedIsa forced(isa);
                Option option;
                option.precision = Precision::kInt8;
                option.threads = affine ? 2 : 1;
                Net net;
                FW_ASSERT_OK(net.set_option(option));
                FW_ASSERT_OK(net.load_table(table));
                FW_ASSERT_OK(files.load(&net));
                const auto types = types_of(net);
                for (const char* projection : {"m/query", "m/key", "m/value", "m/out"}) {
                    EXPECT_EQ(types.at(projection), "InnerProduct int8");
                }
                EXPECT_EQ(types.at("m/context"), "MultiHeadAttention float");
                const auto seen = observed(net, inputs);
                for (size_t i = 0; i < 3; ++i) {
                    EXPECT_EQ(seen.at(blobs[i]), expected[i]) << name(isa) << " " << blobs[i];
                }
                if (s.keys == 1) {  // a softmax of one element: nothing of the output is rounded as floats are
                    first = first.empty() ? seen.at("sum") : first;
                    EXPECT_EQ(seen.at("sum"), first) << name(isa);
                }
                Net in_float;
                FW_ASSERT_OK(files.load(&in_float));
                const std::vector<float> wanted = observed(in_float, inputs).at("sum");
                for (size_t i = 0; i < wanted.size(); ++i) {
                    EXPECT_NEAR(seen.at("sum")[i], wanted[i], 0.1F) << name(isa);
                }
            }
        }
    }
}

// A table may keep some of the parts float; one of all parts float leaves the whole.
TEST(Attention, TheTableSaysWhichPartsAreInt8) {
    const NetFiles files = files_of(kSizes[0], 8);
    ScaleTable table = table_of(true);
    table.layers["m/value"].precision = ScaleTable::LayerPrecision::kFloat;
    table.blobs.erase("m/context");
    const auto types_with = [&files](const ScaleTable& with) {
        Option option;
        option.precision = Precision::kInt8;
        Net net;
        EXPECT_TRUE(net.set_option(option).ok());
        EXPECT_TRUE(net.load_table(with).ok());
        const Status status = files.load(&net);
        EXPECT_TRUE(status.ok()) << status.message();
        return types_of(net);
    };
    const auto some = types_with(table);
    EXPECT_EQ(some.at("m/query"), "InnerProduct int8");
    EXPECT_EQ(some.at("m/value"), "InnerProduct float");
    EXPECT_EQ(some.at("m/out"), "InnerProduct float");
    for (const char* part : {"m/query", "m/key", "m/out"}) {
        table.layers[part].precision = ScaleTable::LayerPrecision::kFloat;
    }
    EXPECT_EQ(types_with(table).count("m/query"), 0U);
    EXPECT_EQ(types_with(table).at("m"), "MultiHeadAttention float");
}

TEST(Attention, BlobsBehindItAreFoundWithATableOfTheParts) {
    const Sizes& s = kSizes[0];
    const NetFiles files = files_of(s, 9);
    const std::map<std::string, Mat> inputs = inputs_of(s, 10);
    Net net;
    Option option;
    option.precision = Precision::kInt8;
    FW_ASSERT_OK(net.set_option(option));
    FW_ASSERT_OK(net.load_table(table_of(true)));
    FW_ASSERT_OK(files.load(&net));
    const auto seen = observed(net, inputs);
    EXPECT_EQ(test::values(run(net, inputs, "m")), seen.at("m"));
    EXPECT_EQ(test::values(run(net, inputs, "sum")), seen.at("sum"));
}

}  // namespace
}  // namespace fw
