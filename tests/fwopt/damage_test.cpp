// 1000 damaged variants of a model's two files: an error, or a network that can be written, drawn and loaded again.
#include <gtest/gtest.h>

#include <memory>

#include "fwopt/c_array.h"
#include "fwopt/describe.h"
#include "fwopt/optimize.h"
#include "fwopt/picture.h"
#include "model/model_io.h"
#include "support/mutate.h"
#include "support/net_files.h"

namespace fw::opt {
namespace {

constexpr int kVariants = 1000;

// Reads, optimizes and writes in memory what is in both files; true if all of it went well.
bool survives(const std::string& param, const std::string& bin, int variant) {
    Result<NetDef> def = parse_param({param.data(), param.size()}, "damaged.param");
    if (!def.ok()) {
        return false;
    }
    const auto bytes = std::make_shared<const std::vector<uint8_t>>(bin.begin(), bin.end());
    if (!read_weights(FileData{*bytes, bytes, false}, "damaged.bin", &*def).ok()) {
        return false;
    }
    ScaleTable kept;
    const bool to_table = variant % 3 == 0;
    if (!optimize({}, &*def, to_table ? &kept : nullptr).ok()) {
        return false;
    }
    const auto format = variant % 2 == 0 ? WeightFormat::kFloat16 : WeightFormat::kAsStored;
    const Result<std::string> text = param_text(*def);
    const Result<std::vector<uint8_t>> weights = bin_bytes(*def, format);
    EXPECT_EQ(text.ok(), weights.ok()) << variant;
    if (!text.ok() || !weights.ok()) {
        return false;
    }
    Net net;
    if (!net.load_model_memory({text->data(), text->size()}, *weights).ok()) {
        return false;  // fwopt writes nothing then
    }
    const Result<std::string> description = describe(*def, net);
    const Result<std::string> dot = dot_text(*def, net);
    const Result<std::string> html = html_text("damaged", *def, net);
    EXPECT_EQ(dot.ok(), html.ok()) << variant;
    EXPECT_FALSE(layer_types_of(*def).empty());
    EXPECT_NE(c_array("damaged", *text, *weights).find("damaged_bin_size"), std::string::npos);
    return description.ok() && dot.ok();
}

test::NetFiles network() {
    test::Random random(2);
    test::NetFiles files;
    files.layer("Input data 0 1 data 0=6 1=6 2=3 24=1 -23325=1,127.5");
    files.layer("Convolution a 1 1 data a 0=4 1=3 4=1 5=1 6=108 8=2").tagged_int8(std::vector<int8_t>(108, 3));
    files.raw(random.floats(4)).raw({50, 60, 70, 80}).raw({100});
    files.layer("BatchNorm bn 1 1 a bn 0=4").raw(random.floats(4, 0.5F, 2.0F)).raw(random.floats(4));
    files.raw(random.floats(4, 0.5F, 2.0F)).raw(random.floats(4));
    files.layer("Split s 1 2 bn s0 s1");
    files.layer("Pooling p 1 1 s0 p 0=1 4=1");
    files.layer("ConvolutionDepthWise d 1 1 s1 d 0=4 1=3 4=1 6=36 7=4 9=1").tagged(random.floats(36));
    files.layer("InnerProduct fc 1 1 p fc 0=5 1=1 2=20").tagged(random.floats(20)).raw(random.floats(5));
    files.layer("Softmax prob 1 1 fc prob");
    return files;
}

TEST(FwoptDamaged, FilesAreErrorsOrNetworks) {
    const test::NetFiles files = network();
    const std::string param = files.param();
    const std::vector<uint8_t> bytes = files.bin();
    const std::string bin(bytes.begin(), bytes.end());
    ASSERT_TRUE(survives(param, bin, 0));
    ASSERT_TRUE(survives(param, bin, 1));
    test::Mutator mutator(4);
    int good = 0;
    for (int i = 0; i < kVariants; ++i) {
        const bool text = i % 4 != 3;
        good +=
            survives(text ? mutator.mutate(param, true) : param, text ? bin : mutator.mutate(bin, false), i) ? 1 : 0;
    }
    EXPECT_GT(good, 0);
    EXPECT_LT(good, kVariants);
}

}  // namespace
}  // namespace fw::opt
