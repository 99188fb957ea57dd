// Net and Extractor: names, shapes, laziness, errors.
#include "fw/net.h"

#include "run_util.h"

namespace fw {
namespace {

using test::mat_of;
using test::NetFiles;
using test::run;
using test::values;

// relu = max(data, 0); twice = 2 * relu; half = 0.5 * data, through a Split.
NetFiles branches() {
    NetFiles files;
    files.layer("Input in 0 1 data 0=2 1=2 2=2")
        .layer("Split s 1 2 data d0 d1")
        .layer("ReLU r 1 1 d0 relu")
        .layer("Power p 1 1 relu twice 1=2.0")
        .layer("Power h 1 1 d1 half 1=0.5");
    return files;
}

const std::vector<float> kData = {1, -2, 3, -4, 5, -6, 7, -8};

TEST(Net, SaysWhatTheModelHas) {
    const NetFiles files = branches();
    Net net;
    FW_ASSERT_OK(files.load(&net));
    EXPECT_EQ(net.input_names(), (std::vector<std::string>{"data"}));
    EXPECT_EQ(net.output_names(), (std::vector<std::string>{"twice", "half"}));
    EXPECT_EQ(net.input_shape("data"), Shape(2, 2, 2));
    EXPECT_EQ(net.input_shape("nothing").rank, 0);
    EXPECT_FALSE(net.preprocess().known());
}

TEST(Net, ExtractsOutputsAndBlobsThatThePlanFusedAway) {
    const NetFiles files = branches();
    Net net;
    FW_ASSERT_OK(files.load(&net));
    const Mat data = mat_of(Shape(2, 2, 2), kData);
    EXPECT_EQ(values(run(net, {{"data", data}}, "twice")), (std::vector<float>{2, 0, 6, 0, 10, 0, 14, 0}));
    EXPECT_EQ(values(run(net, {{"data", data}}, "half")), (std::vector<float>{0.5F, -1, 1.5F, -2, 2.5F, -3, 3.5F, -4}));
    EXPECT_EQ(values(run(net, {{"data", data}}, "relu")), (std::vector<float>{1, 0, 3, 0, 5, 0, 7, 0}));
    EXPECT_EQ(values(run(net, {{"data", data}}, "d0")), kData);  // an output of the Split that no plan computes
    EXPECT_EQ(values(run(net, {{"data", data}}, "data")), kData);
}

TEST(Net, OneExtractorGivesSeveralBlobsAndTakesNewInputs) {
    const NetFiles files = branches();
    Net net;
    FW_ASSERT_OK(files.load(&net));
    Extractor extractor = net.create_extractor();
    FW_ASSERT_OK(extractor.input("data", mat_of(Shape(2, 2, 2), kData)));
    Mat twice, half, relu;
    FW_ASSERT_OK(extractor.extract("twice", &twice));
    FW_ASSERT_OK(extractor.extract("half", &half));
    FW_ASSERT_OK(extractor.extract("relu", &relu));
    const std::vector<float> first = values(twice);
    FW_ASSERT_OK(extractor.input("data", mat_of(Shape(1, 1, 3), {1, 2, -3})));
    Mat again;
    FW_ASSERT_OK(extractor.extract("twice", &again));
    EXPECT_EQ(again.shape(), Shape(1, 1, 3));
    EXPECT_EQ(values(again), (std::vector<float>{2, 4, 0}));
    EXPECT_EQ(values(twice), first);  // results are copies of their own
}

TEST(Net, ExtractRunsNoMoreThanTheBlobNeeds) {
    const NetFiles files = branches();
    Net net;
    FW_ASSERT_OK(files.load(&net));
    Extractor extractor = net.create_extractor();
    std::vector<std::string> seen;
    extractor.set_observer([&](const std::string& blob, const Mat&) {
        seen.push_back(blob);
        return Status();
    });
    FW_ASSERT_OK(extractor.input("data", mat_of(Shape(2, 2, 2), kData)));
    Mat out;
    FW_ASSERT_OK(extractor.extract("twice", &out));
    EXPECT_EQ(seen, (std::vector<std::string>{"data", "relu", "twice"}));
    FW_ASSERT_OK(extractor.extract("half", &out));
    EXPECT_EQ(seen, (std::vector<std::string>{"data", "relu", "twice", "half"}));
}

TEST(Net, ObserverSeesPlainFloatAndCanStopTheRun) {
    const NetFiles files = branches();
    Net net;
    FW_ASSERT_OK(files.load(&net));
    Extractor extractor = net.create_extractor();
    std::vector<float> relu;
    extractor.set_observer([&](const std::string& blob, const Mat& mat) {
        if (blob == "relu") {
            relu = values(mat);
            return Status::error(Code::kInvalidArgument, "enough");
        }
        return Status();
    });
    FW_ASSERT_OK(extractor.input("data", mat_of(Shape(2, 2, 2), kData)));
    Mat out;
    EXPECT_STREQ(extractor.extract("twice", &out).message(), "enough");
    EXPECT_EQ(relu, (std::vector<float>{1, 0, 3, 0, 5, 0, 7, 0}));
    extractor.set_observer(nullptr);
    FW_ASSERT_OK(extractor.extract("twice", &out));
}

TEST(Net, ErrorsNameWhatIsWrong) {
    const NetFiles files = branches();
    Net net;
    Extractor early = net.create_extractor();
    Mat out;
    EXPECT_EQ(early.extract("twice", &out).code(), Code::kFailedPrecondition);
    EXPECT_EQ(net.plan().status().code(), Code::kFailedPrecondition);
    EXPECT_EQ(early.input("data", mat_of(Shape(1), {1})).code(), Code::kFailedPrecondition);
    FW_ASSERT_OK(files.load(&net));
    EXPECT_STREQ(early.extract("twice", &out).message(), "input 'data' is not set");
    FW_ASSERT_OK(early.input("data", mat_of(Shape(2, 2, 2), kData)));
    FW_ASSERT_OK(early.extract("twice", &out));

    Extractor extractor = net.create_extractor();
    EXPECT_STREQ(extractor.extract("twice", &out).message(), "input 'data' is not set");
    EXPECT_STREQ(extractor.extract("data", &out).message(), "input 'data' is not set");
    const Status name = extractor.input("date", mat_of(Shape(1), {1}));
    EXPECT_EQ(name.code(), Code::kNotFound);
    EXPECT_STREQ(name.message(), "the network has no input 'date'; its inputs are 'data'");
    EXPECT_EQ(extractor.input(nullptr, mat_of(Shape(1), {1})).code(), Code::kNotFound);
    EXPECT_EQ(extractor.input("data", Mat()).code(), Code::kInvalidArgument);
    FW_ASSERT_OK(extractor.input("data", mat_of(Shape(2, 2, 2), kData)));
    EXPECT_EQ(extractor.extract("nothing", &out).code(), Code::kNotFound);
    EXPECT_EQ(extractor.extract(nullptr, &out).code(), Code::kInvalidArgument);
    EXPECT_EQ(net.set_option(Option()).code(), Code::kFailedPrecondition);
    EXPECT_EQ(net.load_table(ScaleTable()).code(), Code::kFailedPrecondition);
    EXPECT_EQ(files.load(&net).code(), Code::kFailedPrecondition);
}

TEST(Net, AShapeThatDoesNotFitNamesTheLayer) {
    NetFiles files;
    files.layer("Input in 0 1 data 0=4").layer("Input in2 0 1 other 0=3").layer("Eltwise sum 2 1 data other out 0=1");
    Net net;
    FW_ASSERT_OK(files.load(&net));
    Extractor extractor = net.create_extractor();
    FW_ASSERT_OK(extractor.input("data", mat_of(Shape(4), {1, 2, 3, 4})));
    FW_ASSERT_OK(extractor.input("other", mat_of(Shape(3), {1, 2, 3})));
    Mat out;
    const std::string message = extractor.extract("out", &out).message();
    EXPECT_NE(message.find(":5: layer 'sum' (Eltwise) with input [4], [3]"), std::string::npos) << message;
    FW_ASSERT_OK(extractor.input("other", mat_of(Shape(4), {1, 2, 3, 4})));
    FW_ASSERT_OK(extractor.extract("out", &out));
    EXPECT_EQ(values(out), (std::vector<float>{2, 4, 6, 8}));
}

TEST(Net, NullPointersAreErrors) {
    Net net;
    EXPECT_EQ(net.load_table(static_cast<const char*>(nullptr)).code(), Code::kInvalidArgument);
    Extractor extractor = net.create_extractor();
    EXPECT_EQ(extractor.extract("out", nullptr).code(), Code::kInvalidArgument);
    Mat out;
    EXPECT_EQ(extractor.extract_raw("out", &out, nullptr).code(), Code::kInvalidArgument);
}

TEST(Net, ImpossibleInputShapesAreErrorsOfTheModelFile) {
    for (const char* shape : {"0=8 1=-5 2=3", "0=2147483647 1=2147483647 2=3", "0=40000 1=40000 2=3", "0=-233"}) {
        NetFiles files;
        files.layer(std::string("Input in 0 1 data ") + shape).layer("ReLU r 1 1 data out");
        Net net;
        const Status status = files.load(&net);
        EXPECT_EQ(status.code(), Code::kParseError) << shape;
        EXPECT_NE(std::string(status.message()).find(":3"), std::string::npos) << status.message();
    }
}

TEST(Net, AFailedLoadLeavesTheNetUsable) {
    Net net;
    NetFiles bad;
    bad.layer("Input in 0 1 data 0=4").layer("NoSuchLayer x 1 1 data out");
    EXPECT_FALSE(bad.load(&net).ok());
    NetFiles worse;
    worse.layer("Input in 0 1 data 0=4").layer("InnerProduct ip 1 1 data out 0=2 2=8");  // no weights
    EXPECT_FALSE(worse.load(&net).ok());
    NetFiles no_input;
    no_input.layer("MemoryData m 0 1 out 0=2").raw({1, 2});
    EXPECT_FALSE(no_input.load(&net).ok());
    EXPECT_EQ(net.load_model("/nonexistent/a.param", "/nonexistent/a.bin").code(), Code::kNotFound);
    EXPECT_FALSE(net.load_model(nullptr, nullptr).ok());
    const NetFiles files = branches();
    FW_ASSERT_OK(files.load(&net));
    EXPECT_EQ(run(net, {{"data", mat_of(Shape(2, 2, 2), kData)}}, "half").count(), 8);
}

TEST(Net, BadOptionsAreErrors) {
    Net net;
    Option option;
    for (const int threads : {-1, 1025, 1000000}) {
        option.threads = threads;
        EXPECT_EQ(net.set_option(option).code(), Code::kInvalidArgument) << threads;
    }
    option.threads = 1;
    option.disabled_passes = {"nonsense"};
    FW_ASSERT_OK(net.set_option(option));
    const NetFiles files = branches();
    EXPECT_EQ(files.load(&net).code(), Code::kInvalidArgument);
}

TEST(Net, ActivationMemoryIsBounded) {
    const NetFiles files = branches();
    Net net;
    Option option;
    option.max_activation_bytes = 1000;
    FW_ASSERT_OK(net.set_option(option));
    FW_ASSERT_OK(files.load(&net));
    EXPECT_EQ(run(net, {{"data", mat_of(Shape(2, 2, 2), kData)}}, "twice").count(), 8);
    Extractor extractor = net.create_extractor();
    FW_ASSERT_OK(extractor.input("data", *Mat::create(Shape(3, 20, 20))));
    Mat out;
    const Status status = extractor.extract("twice", &out);
    EXPECT_EQ(status.code(), Code::kOutOfMemory);
    EXPECT_NE(std::string(status.message()).find("1000 bytes"), std::string::npos) << status.message();
}

TEST(Net, PlanProfileAndMemory) {
    NetFiles files;
    test::Random random(1);
    files.layer("Input in 0 1 data 0=8 1=8 2=3")
        .layer("Convolution c 1 1 data a 0=4 1=3 4=1 5=1 6=108")
        .layer("ReLU r 1 1 a b")
        .layer("Pooling p 1 1 b out 0=1 4=1");
    files.tagged(random.floats(108)).raw(random.floats(4));
    Net net;
    FW_ASSERT_OK(files.load(&net));
    Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    ASSERT_EQ(plan->size(), 3u);  // input to NHWC, convolution with ReLU, pooling
    EXPECT_EQ((*plan)[1].name, "c");
    EXPECT_EQ((*plan)[1].output, "b");
    EXPECT_FALSE((*plan)[1].is_conversion);
    EXPECT_EQ((*plan)[0].output_shape, Shape(3, 8, 8));
    EXPECT_EQ((*plan)[1].output_shape, Shape(4, 8, 8));
    EXPECT_EQ((*plan)[0].bytes, 2 * 3 * 64 * 4);
    EXPECT_EQ((*plan)[1].macs, 8 * 8 * 4 * 27);
    EXPECT_GE((*plan)[1].bytes, ((3 + 4) * 64 + 112) * 4);
    const std::string& kernel = (*plan)[1].kernel;
    EXPECT_EQ(kernel.substr(kernel.rfind('_') + 1), (*plan)[1].isa);
    EXPECT_FALSE((*plan)[1].isa.empty());
    EXPECT_EQ((*plan)[2].type, "Pooling");
    EXPECT_EQ((*plan)[2].macs, 0);
    EXPECT_EQ((*plan)[2].isa, "");
    EXPECT_GE(net.memory_use().weights, 112 * sizeof(float));
    EXPECT_GE(net.memory_use().activations, (3 + 4) * 64 * sizeof(float));

    Extractor extractor = net.create_extractor();
    extractor.enable_profile(true);
    FW_ASSERT_OK(extractor.input("data", random.mat(Shape(3, 8, 8))));
    Mat out;
    FW_ASSERT_OK(extractor.extract("out", &out));
    EXPECT_EQ(extractor.profile().size(), plan->size() + 1) << "the steps and the copy";
    FW_ASSERT_OK(extractor.extract("out", &out));
    EXPECT_EQ(extractor.profile().size(), plan->size() + 2);
    FW_ASSERT_OK(extractor.input("data", random.mat(Shape(3, 8, 8))));
    FW_ASSERT_OK(extractor.extract("out", &out));
    EXPECT_EQ(extractor.profile().size(), plan->size() + 1) << "of the last run only";
    extractor.enable_profile(false);
    EXPECT_TRUE(extractor.profile().empty());
}

TEST(Net, ChainsReuseMemoryAndElementwiseLayersRunInPlace) {
    NetFiles files;
    test::Random random(2);
    files.layer("Input in 0 1 b0 0=16 1=16 2=16");
    for (int i = 0; i < 8; ++i) {
        const std::string n = std::to_string(i);
        files.layer("Convolution c" + n + " 1 1 b" + n + " a" + n + " 0=16 1=1 6=256").tagged(random.floats(256));
        files.layer("PReLU p" + n + " 1 1 a" + n + " b" + std::to_string(i + 1) + " 0=1").raw({0.1F});
    }
    Net net;
    FW_ASSERT_OK(files.load(&net));
    const size_t blob = 16 * 16 * 16 * sizeof(float);
    EXPECT_GE(net.memory_use().activations, 2 * blob);
    EXPECT_LT(net.memory_use().activations, 3 * blob);
}

TEST(Net, OpenInputsTakeAnyShape) {
    NetFiles files;
    files.layer("Input in 0 1 data").layer("ReLU r 1 1 data out");
    Net net;
    FW_ASSERT_OK(files.load(&net));
    EXPECT_EQ(net.input_shape("data").rank, 0);
    EXPECT_EQ(net.plan().status().code(), Code::kFailedPrecondition);
    for (const Shape& shape : {Shape(3), Shape(2, 3), Shape(2, 3, 4), Shape(2, 3, 4, 5)}) {
        EXPECT_EQ(run(net, {{"data", test::Random(3).mat(shape)}}, "out").shape(), shape);
    }
    EXPECT_TRUE(net.plan().ok());
}

TEST(Net, ExtractorsOutliveTheirNet) {
    const NetFiles files = branches();
    std::unique_ptr<Extractor> extractor;
    {
        Net net;
        FW_ASSERT_OK(files.load(&net));
        extractor = std::make_unique<Extractor>(net.create_extractor());
    }
    FW_ASSERT_OK(extractor->input("data", mat_of(Shape(2, 2, 2), kData)));
    Mat out;
    FW_ASSERT_OK(extractor->extract("twice", &out));
    EXPECT_EQ(out.count(), 8);
}

TEST(Net, DataDependentOutputsHaveTheirTrueShape) {
    // One prior over the whole image; class 1 is certain or absent.
    NetFiles files;
    files.layer("Input a 0 1 loc 0=4")
        .layer("Input b 0 1 conf 0=2")
        .layer("Input c 0 1 prior 0=4 1=2")
        .layer("DetectionOutput d 3 1 loc conf prior out 0=2 4=0.5")
        .layer("Split s 1 2 out o0 o1")
        .layer("ReLU r 1 1 o0 relu")
        .layer("Noop n 1 1 o1 copy");
    Net net;
    FW_ASSERT_OK(files.load(&net));
    const Mat loc = mat_of(Shape(4), {0, 0, 0, 0});
    const Mat prior = mat_of(Shape(2, 4), {0.25F, 0.25F, 0.75F, 0.75F, 0.1F, 0.1F, 0.2F, 0.2F});
    for (const float certain : {0.9F, 0.1F}) {
        const Mat conf = mat_of(Shape(2), {1 - certain, certain});
        const int rows = certain > 0.5F ? 1 : 0;
        Extractor extractor = net.create_extractor();
        FW_ASSERT_OK(extractor.input("loc", loc));
        FW_ASSERT_OK(extractor.input("conf", conf));
        FW_ASSERT_OK(extractor.input("prior", prior));
        for (const char* blob : {"relu", "copy", "out"}) {
            Mat out;
            FW_ASSERT_OK(extractor.extract(blob, &out));
            EXPECT_EQ(out.shape(), Shape(rows, 6)) << blob;
            if (rows == 1) {
                const std::vector<float> want = {1, 0.9F, 0.25F, 0.25F, 0.75F, 0.75F};
                for (size_t i = 0; i < 6; ++i) {
                    EXPECT_NEAR(out.data()[i], want[i], 1e-6);
                }
            }
        }
    }
}

// Two priors of which the second may be absent, joined with a blob of fixed extent or cut in parts.
TEST(Net, LayersBehindDataDependentExtentsAreRightOrFail) {
    const char* const inputs[] = {"Input a 0 1 loc 0=8", "Input b 0 1 conf 0=4", "Input c 0 1 prior 0=8 1=2",
                                  "Input e 0 1 more 0=6 1=2"};
    const Mat loc = mat_of(Shape(8), std::vector<float>(8, 0.0F));
    const Mat prior = mat_of(
        Shape(2, 8), {0, 0, 0.25F, 0.25F, 0.5F, 0.5F, 0.75F, 0.75F, 0.1F, 0.1F, 0.2F, 0.2F, 0.1F, 0.1F, 0.2F, 0.2F});
    const Mat more = mat_of(Shape(2, 6), std::vector<float>(12, 7.0F));
    const char* const tails[][2] = {
        {"Concat j 2 1 out more_relu last 0=0", "ReLU t 1 1 out out_relu"},
        {"ReLU t 1 1 out out_relu", "Concat j 2 1 out_relu more_relu last 0=0"},
        {"Slice s 1 2 out first last 1=0", "ReLU t 1 1 first first_relu"},
        {"Slice s 1 2 out first half 1=1", "ReLU t 1 1 half last"},
        {"Permute p 1 1 out turned 0=1", "Softmax t 1 1 turned last 0=0 1=1"},
        {"Permute p 1 1 out turned 0=1", "InnerProduct t 1 1 turned last 0=1 1=0 2=2"},
    };
    for (const auto& tail : tails) {
        NetFiles files;
        for (const char* input : inputs) {
            files.layer(input);
        }
        files.layer("DetectionOutput d 3 1 loc conf prior out 0=2 4=0.5").layer("ReLU m 1 1 more more_relu");
        files.layer(tail[0]).layer(tail[1]);
        if (std::string(tail[1]).find("InnerProduct") == 0) {
            files.tagged({1, 2});
        }
        Net net;
        FW_ASSERT_OK(files.load(&net));
        for (const float second : {0.1F, 0.8F}) {
            const Mat conf = mat_of(Shape(4), {0.1F, 0.9F, 1 - second, second});
            Extractor extractor = net.create_extractor();
            FW_ASSERT_OK(extractor.input("loc", loc));
            FW_ASSERT_OK(extractor.input("conf", conf));
            FW_ASSERT_OK(extractor.input("prior", prior));
            FW_ASSERT_OK(extractor.input("more", more));
            Mat out;
            const Status status = extractor.extract("last", &out);
            const int rows = second > 0.5F ? 2 : 1;
            SCOPED_TRACE(std::string(tail[0]) + ", " + std::to_string(rows));
            if (!status.ok()) {
                EXPECT_EQ(rows, 1);
                EXPECT_EQ(status.code(), Code::kUnsupported) << status.message();
                continue;
            }
            const std::string type = tail[0];
            if (type.find("Permute") == 0) {
                EXPECT_EQ(out.shape().w() == rows || out.shape() == Shape(6, 1), true) << out.shape().str();
            } else if (type.find("1=1") != std::string::npos) {
                ASSERT_EQ(out.shape(), Shape(rows, 3));
                for (int i = 0; i < rows; ++i) {
                    EXPECT_NEAR(out.data()[i * 3 + 2], i == 0 ? 0.25F : 0.75F, 1e-5);
                }
            } else if (type.find("Slice") == 0) {
                ASSERT_EQ(out.shape(), Shape(1, 6));
                EXPECT_NEAR(out.data()[4], 0.75F, 1e-5);
            } else {
                ASSERT_EQ(out.shape(), Shape(rows + 2, 6));
                EXPECT_NEAR(out.data()[static_cast<size_t>(rows) * 6], 7.0F, 0);
                EXPECT_NEAR(out.data()[static_cast<size_t>(rows + 2) * 6 - 1], 7.0F, 0);
            }
        }
    }
}

}  // namespace
}  // namespace fw
