// Same output with and without: every pass, alone and together, on nets that give it something to do.
#include <cmath>

#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;
using test::run;

struct Case {
    const char* name;
    NetFiles files;
    Shape input;
    std::vector<std::string> outputs;
};

// A residual net with everything that the passes look for.
Case everything() {
    Random random(5);
    NetFiles files;
    files.layer("Input in 0 1 data 0=11 1=9 2=3")
        .layer("Padding pad 1 1 data padded 0=1 1=1 2=1 3=1")
        .layer("Convolution c1 1 1 padded c1 0=8 1=3 5=1 6=216")
        .tagged(random.floats(216))
        .raw(random.floats(8))
        .layer("BatchNorm bn1 1 1 c1 bn1 0=8 1=0.001")
        .raw(random.floats(8, 0.5F, 1.5F))
        .raw(random.floats(8))
        .raw(random.floats(8, 0.1F, 2.0F))
        .raw(random.floats(8))
        .layer("Scale sc1 1 1 bn1 sc1 0=8 1=1")
        .raw(random.floats(8, -1.5F, 1.5F))
        .raw(random.floats(8))
        .layer("ReLU r1 1 1 sc1 r1")
        .layer("Split s1 1 3 r1 r1a r1b r1c")
        .layer("ConvolutionDepthWise dw 1 1 r1a dw 0=8 1=3 4=1 6=72 7=8")
        .tagged(random.floats(72))
        .layer("Bias b1 1 1 dw b1 0=8")
        .raw(random.floats(8))
        .layer("Clip clip 1 1 b1 clip 0=0.0 1=6.0")
        .layer("Convolution c2 1 1 r1b c2 0=8 1=1 5=1 6=64")
        .tagged(random.floats(64))
        .raw(random.floats(8))
        .layer("Sigmoid sg 1 1 c2 sg")
        .layer("Eltwise sum 3 1 clip sg r1c sum 0=1")
        .layer("Dropout drop 1 1 sum dropped")
        .layer("Split s2 1 2 dropped x0 x1")
        .layer("Deconvolution up 1 1 x0 up 0=4 1=2 3=2 5=1 6=128")
        .tagged(random.floats(128))
        .raw(random.floats(4))
        .layer("Scale sc2 1 1 up sc2 0=4")
        .raw(random.floats(4))
        .layer("HardSwish hs 1 1 sc2 spatial 0=0.1666667 1=0.5")
        .layer("Reshape rs 1 1 x1 rs 0=99 1=8")
        .layer("Flatten fl 1 1 rs fl")
        .layer("InnerProduct ip 1 1 fl ip 0=6 1=1 2=4752")
        .tagged(random.floats(4752, -0.1F, 0.1F))
        .raw(random.floats(6))
        .layer("Scale sc3 1 1 ip sc3 0=6 1=1")
        .raw(random.floats(6))
        .raw(random.floats(6))
        .layer("ReLU r3 1 1 sc3 r3 0=0.1")
        .layer("Noop n 1 1 r3 vector");
    return {"everything", files, Shape(3, 9, 11), {"spatial", "vector"}};
}

// Concats of concats, with inputs that others read, along every axis.
Case concats() {
    Random random(6);
    NetFiles files;
    files.layer("Input in 0 1 data 0=5 1=6 2=4")
        .layer("Convolution a 1 1 data a 0=4 1=1 6=16")
        .tagged(random.floats(16))
        .layer("Convolution b 1 1 data b 0=3 1=3 4=1 6=108")
        .tagged(random.floats(108))
        .layer("ReLU ra 1 1 a ra")
        .layer("Concat k1 2 1 ra b k1")
        .layer("Pooling p 1 1 ra p 0=0 1=3 2=1 3=1 5=1")
        .layer("Concat k2 3 1 k1 p ra k2")
        .layer("Concat k3 2 1 k2 k2 k3 0=1")
        .layer("Concat k4 2 1 k3 k3 k4 0=-1")
        .layer("Convolution c 1 1 k4 c 0=2 1=1 6=30")
        .tagged(random.floats(30))
        .layer("Permute pm 1 1 c pm 0=3")
        .layer("Flatten f1 1 1 pm f1")
        .layer("Flatten f2 1 1 k1 f2")
        .layer("Concat k5 2 1 f1 f2 out");
    return {"concats", files, Shape(4, 6, 5), {"out"}};
}

// As many rows as the InnerProduct has outputs: the BatchNorm behind it has one factor a row, not one an output.
Case rows() {
    Random random(7);
    NetFiles files;
    files.layer("Input in 0 1 data 0=5 1=3")
        .layer("InnerProduct ip 1 1 data ip 0=3 1=1 2=15")
        .tagged(random.floats(15))
        .raw(random.floats(3))
        .layer("BatchNorm bn 1 1 ip bn 0=3")
        .raw(random.floats(3, 0.5F, 1.5F))
        .raw(random.floats(3))
        .raw(random.floats(3, 0.1F, 2.0F))
        .raw(random.floats(3))
        .layer("InnerProduct ip2 1 1 bn ip2 0=3 2=9")
        .tagged(random.floats(9))
        .layer("Scale sc 1 1 ip2 out 0=3 1=1")
        .raw(random.floats(3))
        .raw(random.floats(3));
    return {"rows", files, Shape(3, 5), {"out"}};
}

// Channels put in another order: the crop of the first channel begins where the whole blob does, and is not all of it.
Case reordered() {
    NetFiles files;
    files.layer("Input in 0 1 data 0=5 1=4 2=3")
        .layer("AbsVal a 1 1 data a")
        .layer("Crop c2 1 1 a c2 -23309=1,2 -23310=1,3 -23311=1,0")
        .layer("Crop c1 1 1 a c1 -23309=1,1 -23310=1,2 -23311=1,0")
        .layer("Crop c0 1 1 a c0 -23309=1,0 -23310=1,1 -23311=1,0")
        .layer("Concat k 3 1 c2 c1 c0 k");
    return {"reordered", files, Shape(3, 4, 5), {"k", "a"}};
}

std::vector<Case> cases() {
    return {everything(), concats(), rows(), reordered()};
}

std::vector<Mat> outputs(const Case& c, const Option& option) {
    Net net;
    Status status = net.set_option(option);
    if (status.ok()) {
        status = c.files.load(&net);
    }
    EXPECT_TRUE(status.ok()) << c.name << ": " << status.message();
    std::vector<Mat> out;
    for (const std::string& blob : c.outputs) {
        out.push_back(run(net, {{"data", Random(9).mat(c.input)}}, blob));
    }
    return out;
}

TEST(PassesRun, OptimisedIsTheSameAsAsWritten) {
    for (const Case& c : cases()) {
        Option plain;
        plain.optimize = false;
        const std::vector<Mat> want = outputs(c, plain);
        const std::vector<Mat> got = outputs(c, Option());
        for (size_t i = 0; i < want.size(); ++i) {
            EXPECT_LT(test::relative_difference(got[i], want[i]), 1e-5) << c.name << ' ' << c.outputs[i];
        }
    }
}

TEST(PassesRun, EachPassCanBeLeftOut) {
    for (const Case& c : cases()) {
        const std::vector<Mat> want = outputs(c, Option());
        for (const char* pass :
             {"drop_noop", "simplify_reshape", "fold_batchnorm", "fuse_padding", "fuse_activation"}) {
            Option option;
            option.disabled_passes = {pass};
            const std::vector<Mat> got = outputs(c, option);
            for (size_t i = 0; i < want.size(); ++i) {
                EXPECT_LT(test::relative_difference(got[i], want[i]), 1e-5) << c.name << " without " << pass;
            }
        }
    }
}

TEST(PassesRun, ThreadsDoNotChangeAnything) {
    for (const Case& c : cases()) {
        const std::vector<Mat> want = outputs(c, Option());
        for (const int threads : {0, 2, 3, 5}) {
            Option option;
            option.threads = threads;
            const std::vector<Mat> got = outputs(c, option);
            for (size_t i = 0; i < want.size(); ++i) {
                EXPECT_EQ(test::values(got[i]), test::values(want[i])) << c.name << ' ' << threads;
            }
        }
    }
}

TEST(PassesRun, EveryBlobOfTheFileIsTheSameFusedOrNot) {
    for (const Case& c : cases()) {
        Option plain;
        plain.optimize = false;
        Net as_written;
        FW_ASSERT_OK(as_written.set_option(plain));
        FW_ASSERT_OK(c.files.load(&as_written));
        std::map<std::string, Mat> want;
        Extractor extractor = as_written.create_extractor();
        extractor.set_observer([&](const std::string& blob, const Mat& mat) {
            want[blob] = *mat.clone();
            return Status();
        });
        FW_ASSERT_OK(extractor.input("data", Random(9).mat(c.input)));
        for (const std::string& blob : c.outputs) {
            Mat out;
            FW_ASSERT_OK(extractor.extract(blob.c_str(), &out));
        }
        ASSERT_GT(want.size(), 3u);
        Net net;
        FW_ASSERT_OK(c.files.load(&net));
        for (const auto& [blob, mat] : want) {
            EXPECT_LT(test::relative_difference(run(net, {{"data", Random(9).mat(c.input)}}, blob), mat), 1e-5)
                << c.name << ' ' << blob;
        }
    }
}

TEST(PassesRun, ConcatsAreWrittenInPlaceWherePossible) {
    const Case c = concats();
    Net net;
    FW_ASSERT_OK(c.files.load(&net));
    Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    std::map<std::string, std::string> kernel;
    for (const LayerPlan& layer : *plan) {
        kernel[layer.name] = layer.kernel;
    }
    EXPECT_EQ(kernel["k2"], "in place");
    EXPECT_EQ(kernel["k1"], "copy");  // b is written in place, ra lies in k2 already
}

TEST(PassesRun, ChannelsInReverseOrder) {
    const Case c = reordered();
    const Mat data = Random(9).mat(c.input);
    const std::vector<float> got = test::values(outputs(c, Option())[0]);
    const std::vector<float> in = test::values(data);
    ASSERT_EQ(got.size(), in.size());
    for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i], std::abs(in[(2 - i / 20) * 20 + i % 20])) << i;
    }
}

}  // namespace
}  // namespace fw
