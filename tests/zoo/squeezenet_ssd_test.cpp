// squeezenet_ssd has no published figures: neither paper has the combination, and the Caffe model's repository states
// none. The zoo's figures for it are counted here from the two papers' tables, by hand and without the builder, and the
// layers are those of the file that ncnn measures (where real data are).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "model/model_io.h"
#include "support/data_dir.h"
#include "zoo/zoo.h"

namespace fw::zoo {
namespace {

// A convolution with bias on a map of `size` x `size` outputs.
struct Conv {
    int64_t in, out, kernel, size;
};

// Iandola et al. 2016, figure 1: one squeezing and two expanding convolutions.
void fire(int64_t in, int64_t squeeze, int64_t expand, int64_t size, std::vector<Conv>* convs) {
    convs->insert(convs->end(), {{in, squeeze, 1, size}, {squeeze, expand, 1, size}, {squeeze, expand, 3, size}});
}

std::vector<Conv> convolutions() {
    std::vector<Conv> convs = {{3, 64, 3, 149}};  // 300 x 300, stride 2; pooling then halves to 74, 37, 18, 9, 4
    fire(64, 16, 64, 74, &convs);
    fire(128, 16, 64, 74, &convs);
    fire(128, 32, 128, 37, &convs);
    fire(256, 32, 128, 37, &convs);
    fire(256, 48, 192, 18, &convs);
    fire(384, 48, 192, 18, &convs);
    fire(384, 64, 256, 18, &convs);
    fire(512, 64, 256, 18, &convs);
    fire(512, 96, 384, 9, &convs);
    fire(768, 96, 384, 4, &convs);
    // Liu et al. 2016, section 2.1: two extra layers of a 1x1 and a 3x3 of stride 2.
    convs.insert(convs.end(), {{768, 128, 1, 4}, {128, 256, 3, 2}, {256, 64, 1, 2}, {64, 128, 3, 1}});
    // ... and at six maps 4 or 6 boxes with 4 offsets and 21 classes each.
    for (const auto& [channels, size, boxes] : std::vector<std::tuple<int64_t, int64_t, int64_t>>{
             {256, 37, 4}, {512, 18, 6}, {768, 9, 6}, {768, 4, 6}, {256, 2, 6}, {128, 1, 4}}) {
        convs.insert(convs.end(), {{channels, boxes * 4, 3, size}, {channels, boxes * 21, 3, size}});
    }
    return convs;
}

TEST(SqueezenetSsd, FiguresAreThoseOfThePapersTables) {
    int64_t macs = 0;
    int64_t params = 0;  // of convolutions; the 256 factors of the normalised map fire5 are not among the figures
    for (const Conv& conv : convolutions()) {
        const int64_t weights = conv.in * conv.out * conv.kernel * conv.kernel;
        macs += weights * conv.size * conv.size;
        params += weights + conv.out;
    }
    const Network* network = find("squeezenet_ssd");
    ASSERT_NE(network, nullptr);
    EXPECT_NEAR(static_cast<double>(macs) / static_cast<double>(network->macs), 1.0, 1e-3) << macs;
    EXPECT_EQ(params, network->params);
}

// Weights and outputs of every convolution, in any order: {count of weights, output channels}.
std::multiset<std::pair<int64_t, int>> convolutions_of(const NetDef& net) {
    std::multiset<std::pair<int64_t, int>> found;
    for (const LayerDef& layer : net.layers) {
        if (layer.type == "Convolution") {
            found.emplace(layer.params.get(6, 0), layer.params.get(0, 0));
        }
    }
    return found;
}

TEST(SqueezenetSsd, HasTheConvolutionsOfTheFileThatNcnnMeasures) {
    const std::string path = test::data_dir() + "/models/ncnn-zoo-params/squeezenet_ssd.param";
    FW_SKIP_WITHOUT(path);
    const Result<FileData> file = map_file(path.c_str());
    ASSERT_TRUE(file.ok()) << file.status().message();
    const auto* text = reinterpret_cast<const char*>(file->bytes.data());
    const Result<NetDef> theirs = parse_param({text, file->bytes.size()}, path.c_str());
    ASSERT_TRUE(theirs.ok()) << theirs.status().message();
    const Result<NetDef> ours = build(*find("squeezenet_ssd"), 1);
    ASSERT_TRUE(ours.ok()) << ours.status().message();
    EXPECT_EQ(convolutions_of(*ours), convolutions_of(*theirs));
}

}  // namespace
}  // namespace fw::zoo
