// The arena: what is copied, what is not, and how near its size comes to the least that is possible.
#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

int copies(const Net& net) {
    const Result<std::vector<LayerPlan>> plan = net.plan();
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    int count = 0;
    for (const LayerPlan& layer : *plan) {
        const bool input = layer.type == "Copy" && !layer.is_conversion;
        count += !input && (layer.type == "Copy" || layer.kernel == "copy") ? 1 : 0;
        if (layer.type == "Concat" || layer.type == "Flatten" || layer.type == "Permute") {
            EXPECT_EQ(layer.kernel, "in place") << layer.name;
        }
    }
    return count;
}

TEST(MemoryPlan, ChannelSlicesAreConvolvedWhereTheyLie) {
    // A channel split as ShuffleNet v2 has it: nothing is copied on the way in or out.
    Random random(1);
    NetFiles files;
    files.layer("Input in 0 1 data 0=9 1=7 2=3")
        .layer("Convolution stem 1 1 data x 0=48 1=1 6=144")
        .layer("Slice cut 1 2 x a b -23300=2,-233,-233 1=0")
        .layer("Convolution left 1 1 a c 0=20 1=3 4=1 6=4320")
        .layer("ConvolutionDepthWise right 1 1 b d 0=24 1=3 4=1 6=216 7=24")
        .layer("Concat join 2 1 c d out");
    const std::vector<float> stem = random.floats(144);
    const std::vector<float> left = random.floats(4320);
    const std::vector<float> right = random.floats(216);
    files.tagged(stem).tagged(left).tagged(right);
    Net net;
    FW_ASSERT_OK(files.load(&net));
    EXPECT_EQ(copies(net), 0);

    // The halves from networks of their own.
    const Mat data = random.mat(Shape(3, 7, 9));
    const Mat out = test::run(net, {{"data", data}}, "out");
    const auto half = [&](bool first) {
        const std::vector<float> part(stem.begin() + (first ? 0 : 72), stem.begin() + (first ? 72 : 144));
        NetFiles one;
        one.layer("Input in 0 1 data 0=9 1=7 2=3").layer("Convolution stem 1 1 data x 0=24 1=1 6=72");
        one.layer(first ? "Convolution c 1 1 x out 0=20 1=3 4=1 6=4320"
                        : "ConvolutionDepthWise c 1 1 x out 0=24 1=3 4=1 6=216 7=24");
        one.tagged(part).tagged(first ? left : right);
        Net small;
        const Status loaded = one.load(&small);
        EXPECT_TRUE(loaded.ok()) << loaded.message();
        return test::values(test::run(small, {{"data", data}}, "out"));
    };
    std::vector<float> want = half(true);
    const std::vector<float> more = half(false);
    want.insert(want.end(), more.begin(), more.end());
    const std::vector<float> got = test::values(out);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_NEAR(got[i], want[i], 1e-4F) << i;
    }
}

// Heads of a detector: every one is transposed, flattened and joined with the others.
NetFiles heads(std::vector<std::vector<float>>* weights) {
    Random random(2);
    NetFiles files;
    files.layer("Input in 0 1 data 0=8 1=8 2=3")
        .layer("Convolution f1 1 1 data x 0=16 1=3 4=1 6=432")
        .layer("Split s1 1 2 x x1 x2")
        .layer("Convolution f2 1 1 x1 y 0=16 1=3 3=2 4=1 6=2304")
        .layer("Convolution h1 1 1 x2 h1 0=12 1=1 6=192")
        .layer("Permute p1 1 1 h1 p1 0=3")
        .layer("Flatten l1 1 1 p1 l1")
        .layer("Convolution h2 1 1 y h2 0=12 1=3 4=1 6=1728")
        .layer("Permute p2 1 1 h2 p2 0=3")
        .layer("Flatten l2 1 1 p2 l2")
        .layer("Concat k 2 1 l1 l2 all");
    for (const size_t count : {432U, 2304U, 192U, 1728U}) {
        weights->push_back(random.floats(count));
        files.tagged(weights->back());
    }
    return files;
}

TEST(MemoryPlan, HeadsOfADetectorAreWrittenWhereTheyAreJoined) {
    std::vector<std::vector<float>> weights;
    const NetFiles files = heads(&weights);
    Net net;
    FW_ASSERT_OK(files.load(&net));
    EXPECT_EQ(copies(net), 0);
    const Mat data = Random(3).mat(Shape(3, 8, 8));
    const Mat all = test::run(net, {{"data", data}}, "all");
    ASSERT_EQ(all.count(), 12 * 64 + 12 * 16);
    int64_t at = 0;
    for (const char* head : {"h1", "h2"}) {
        const Mat part = test::run(net, {{"data", data}}, head);
        for (int y = 0; y < part.h(); ++y) {
            for (int x = 0; x < part.w(); ++x) {
                for (int c = 0; c < 12; ++c) {
                    ASSERT_EQ(all.data()[at++], part.channel(c)[y * part.w() + x]) << head;
                }
            }
        }
    }
}

TEST(MemoryPlan, AHeadThatIsReadElsewhereTooIsStillOneBlob) {
    std::vector<std::vector<float>> weights;
    NetFiles files = heads(&weights);
    files.layer("Permute again 1 1 p1 q 0=3").layer("BinaryOp twice 1 1 l1 t 0=0 1=1 2=1.0");
    Net net;
    FW_ASSERT_OK(files.load(&net));
    const Mat data = Random(4).mat(Shape(3, 8, 8));
    const Mat l1 = test::run(net, {{"data", data}}, "l1");
    const Mat all = test::run(net, {{"data", data}}, "all");
    const Mat plus = test::run(net, {{"data", data}}, "t");
    for (int64_t i = 0; i < l1.count(); ++i) {
        ASSERT_EQ(all.data()[i], l1.data()[i]);
        ASSERT_EQ(plus.data()[i], l1.data()[i] + 1.0F);
    }
}

TEST(MemoryPlan, AJoinAlongRowsOfTransposedBlobsIsCopiedWhereStridesDoNotFit) {
    // The slice of a join along the last axis is not what a transposed dense blob looks like.
    Random random(5);
    NetFiles files;
    files.layer("Input in 0 1 data 0=5 1=4 2=3")
        .layer("Convolution a 1 1 data a 0=6 1=1 6=18")
        .layer("Permute p 1 1 a p 0=3")
        .layer("Convolution b 1 1 data b 0=6 1=1 6=18")
        .layer("Permute q 1 1 b q 0=3")
        .layer("Concat k 2 1 p q out 0=2");
    files.tagged(random.floats(18)).tagged(random.floats(18));
    Net net;
    FW_ASSERT_OK(files.load(&net));
    const Mat data = random.mat(Shape(3, 4, 5));
    const Mat out = test::run(net, {{"data", data}}, "out");
    ASSERT_EQ(out.shape(), Shape(4, 5, 12));
    for (const char* blob : {"p", "q"}) {
        const Mat part = test::run(net, {{"data", data}}, blob);
        const int from = blob[0] == 'p' ? 0 : 6;
        for (int c = 0; c < 4; ++c) {
            for (int y = 0; y < 5; ++y) {
                for (int x = 0; x < 6; ++x) {
                    ASSERT_EQ(out.channel(c)[y * 12 + from + x], part.channel(c)[y * 6 + x]);
                }
            }
        }
    }
}

TEST(MemoryPlan, LeastActivationsOfAHandCountedNet) {
    // data 3x8x8, a 4x8x8, b 8x8x8 (ReLU in place), c = a and b joined: 12x8x8; floats of 4 bytes.
    Random random(6);
    NetFiles files;
    files.layer("Input in 0 1 data 0=8 1=8 2=3")
        .layer("Convolution c1 1 1 data a 0=4 1=1 6=12")
        .layer("Convolution c2 1 1 a b 0=8 1=1 6=32")
        .layer("PReLU r 1 1 b r 0=1")
        .layer("Concat k 2 1 a r c")
        .layer("Convolution c3 1 1 c out 0=2 1=1 6=24");
    files.tagged(random.floats(12)).tagged(random.floats(32)).raw({0.5F}).tagged(random.floats(24));
    Net net;
    FW_ASSERT_OK(files.load(&net));
    EXPECT_EQ(net.memory_use().least_activations, size_t{(12 + 2) * 64 * 4});
    EXPECT_GE(net.memory_use().activations, net.memory_use().least_activations);
    Net empty;
    EXPECT_EQ(empty.memory_use().least_activations, 0U);
}

TEST(MemoryPlan, ALongChainIsPlannedInNoTime) {
    // Layers that cannot run in place: 20,000 of them were a second's work when laying out was quadratic.
    NetFiles files;
    files.layer("Input in 0 1 b0 0=4 1=4 2=2");
    constexpr int kLayers = 20000;
    for (int i = 0; i < kLayers; ++i) {
        const std::string to = i + 1 == kLayers ? "out" : "b" + std::to_string(i + 1);
        files.layer("Pooling p" + std::to_string(i) + " 1 1 b" + std::to_string(i) + " " + to + " 0=0 1=3 2=1 3=1");
    }
    Net net;
    FW_ASSERT_OK(files.load(&net));
    EXPECT_LE(net.memory_use().activations, 3 * 128 + 1024U);
}

}  // namespace
}  // namespace fw
