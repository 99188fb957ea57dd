// Which changes of a model change its hash.
#include "model/model_hash.h"

#include "model_test_util.h"
#include "sample_net.h"

namespace fw {
namespace {

NetDef sample(uint64_t seed = 1) {
    Result<NetDef> net = test::parse(test::kSampleParam);
    EXPECT_TRUE(net.ok()) << net.status().message();
    const Status filled = random_weights(&*net, seed);
    EXPECT_TRUE(filled.ok()) << filled.message();
    return std::move(*net);
}

std::string hash(const NetDef& net) {
    const Result<std::string> text = model_hash(net);
    EXPECT_TRUE(text.ok()) << text.status().message();
    return text.ok() ? *text : std::string();
}

NetDef read_back(const NetDef& net, WeightFormat format) {
    Result<NetDef> again = test::parse(*param_text(net));
    EXPECT_TRUE(again.ok());
    const Result<std::vector<uint8_t>> bytes = bin_bytes(net, format);
    EXPECT_TRUE(bytes.ok());
    EXPECT_TRUE(read_weights(test::in_memory(*bytes), "net.bin", &*again).ok());
    return std::move(*again);
}

TEST(ModelHash, IsSixteenDigits) {
    const std::string text = hash(sample());
    EXPECT_EQ(text.size(), 16U);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos) << text;
    EXPECT_EQ(hash(sample()), text);
    // Tables in the field rely on its staying the same.
    EXPECT_EQ(text, "39dcb0a799c7c05e");
}

TEST(ModelHash, IsTheSameForEveryFileForm) {
    const NetDef net = sample();
    EXPECT_EQ(hash(read_back(net, WeightFormat::kAsStored)), hash(net));
    EXPECT_EQ(hash(read_back(net, WeightFormat::kFloat16)), hash(net));
    NetDef defaults = net;
    defaults.layers[1].params.set(2, 1);  // dilation, as it is anyway
    EXPECT_EQ(hash(defaults), hash(net));
}

TEST(ModelHash, LeavesOutInputSizesAndPreprocessing) {
    NetDef net = sample();
    const std::string before = hash(net);
    net.layers[0].params.set(0, 300);
    net.set_preprocess(Preprocess());
    EXPECT_EQ(hash(net), before);
}

TEST(ModelHash, TellsModelsApart) {
    const std::string before = hash(sample());
    EXPECT_NE(hash(sample(2)), before) << "other weights";
    NetDef net = sample();
    net.layers[1].name = "other";
    EXPECT_NE(hash(net), before) << "another name";
    net = sample();
    net.layers[5].params.set(1, std::vector<float>{1.0F, 1.0F});
    EXPECT_NE(hash(net), before) << "another parameter";
    net = sample();
    net.layers[5].bottoms = {"b", "e"};
    EXPECT_NE(hash(net), before) << "other connections";
    net = sample();
    std::vector<float> values = net.layers[3].weights[0].to_floats();
    values.back() = -values.back();
    net.layers[3].weights[0] = Weight::from_floats(values);
    EXPECT_NE(hash(net), before) << "one weight of a small blob";
    values.push_back(1.0F);
    net.layers[3].weights[0] = Weight::from_floats(values);
    EXPECT_NE(hash(net), before) << "one weight more";
}

TEST(ModelHash, SamplesLargeBlobsEvenly) {
    NetDef net = sample();
    std::vector<float> values(1000003, 0.5F);
    net.layers[3].weights[0] = Weight::from_floats(values);
    const std::string before = hash(net);
    for (const size_t i : {size_t{0}, values.size() / 2, values.size() - 977}) {
        // Somewhere in any 977 neighbours lies a sample.
        std::vector<float> changed = values;
        for (size_t k = i; k < std::min(values.size(), i + 977); ++k) {
            changed[k] = 0.25F;
        }
        net.layers[3].weights[0] = Weight::from_floats(changed);
        EXPECT_NE(hash(net), before) << i;
    }
}

TEST(ModelHash, FailsOnWhatNoFileCanHold) {
    NetDef net = sample();
    net.layers[1].name = "two words";
    EXPECT_FALSE(model_hash(net).ok());
}

}  // namespace
}  // namespace fw
