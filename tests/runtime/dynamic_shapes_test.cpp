// Networks whose input size changes from run to run: plans are made for each shape and shared by all Extractors.
#include <thread>

#include "base/cpu.h"
#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

// Padding, a residual sum, a Concat written in place, an average and a softmax: whatever a plan lays out by shape.
NetFiles make_net() {
    NetFiles files;
    Random random(11);
    const auto conv = [&](const std::string& line, size_t weights, size_t outputs) {
        files.layer(line + " 5=1 6=" + std::to_string(weights));
        files.tagged(random.floats(weights, -0.4F, 0.4F)).raw(random.floats(outputs));
    };
    files.layer("Input in 0 1 data");
    conv("Convolution c1 1 1 data a 0=19 1=3 3=2 4=1", 3 * 19 * 9, 19);
    conv("Convolution c2 1 1 a b 0=19 1=1", 19 * 19, 19);
    files.layer("Eltwise add 2 1 a b sum 0=1");
    files.layer("HardSwish act 1 1 sum on");
    conv("ConvolutionDepthWise dw 1 1 on d 0=19 1=3 4=1 7=19", 19 * 9, 19);
    files.layer("Concat cat 2 1 on d both 0=0");
    conv("Convolution c3 1 1 both e 0=7 1=1", 38 * 7, 7);
    files.layer("Softmax soft 1 1 e out 0=0 1=1");
    return files;
}

ScaleTable make_table() {
    ScaleTable table;
    table.source = "made up";
    for (const char* blob : {"data", "a", "b", "sum", "on", "d", "both", "e"}) {
        table.blobs[blob] = {blob[0] == 'd' ? 100.0F : 25.0F, blob[0] == 'o' ? -90 : 0};
    }
    return table;
}

void load(const NetFiles& files, Precision precision, int threads, Net* net) {
    Option option;
    option.precision = precision;
    option.threads = threads;
    FW_ASSERT_OK(net->set_option(option));
    FW_ASSERT_OK(net->load_table(make_table()));
    FW_ASSERT_OK(files.load(net));
}

// More shapes than a Net keeps plans for.
std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (int i = 0; i < 11; ++i) {
        all.emplace_back(3, 4 + 3 * i, 35 - 2 * i);
    }
    return all;
}

TEST(DynamicShapes, SeveralThreadsInTurnsGetWhatAFreshNetGives) {
    const NetFiles files = make_net();
    for (const Precision precision : {Precision::kInt8, Precision::kFloat}) {
        std::vector<std::vector<float>> want;
        std::vector<Mat> inputs;
        for (const Shape& shape : shapes()) {
            Net fresh;
            load(files, precision, 1, &fresh);
            inputs.push_back(Random(static_cast<unsigned>(shape.h())).mat(shape));
            want.push_back(test::values(test::run(fresh, {{"data", inputs.back()}}, "out")));
            ASSERT_FALSE(want.back().empty());
        }
        Net net;
        load(files, precision, 2, &net);
        constexpr size_t kThreads = 4;
        constexpr size_t kRounds = 30;
        std::vector<int> wrong(kThreads, 0);
        std::vector<std::thread> threads;
        for (size_t t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                Extractor kept = net.create_extractor();
                for (size_t round = 0; round < kRounds; ++round) {
                    const size_t i = (round * (t + 1) + t) % inputs.size();
                    // An Extractor that lives on with a new shape, and new ones, in turns.
                    Extractor made = net.create_extractor();
                    Extractor& extractor = round % 2 == 0 ? kept : made;
                    Mat out;
                    const bool done = extractor.input("data", inputs[i]).ok() && extractor.extract("out", &out).ok();
                    wrong[t] += done && test::values(out) == want[i] ? 0 : 1;
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        EXPECT_EQ(wrong, std::vector<int>(kThreads, 0));
    }
}

TEST(DynamicShapes, AShapeThatFailsLeavesTheOthersAlone) {
    const NetFiles files = make_net();
    Net net;
    load(files, Precision::kInt8, 1, &net);
    const Mat good = Random(1).mat(Shape(3, 9, 8));
    const std::vector<float> want = test::values(test::run(net, {{"data", good}}, "out"));
    Extractor extractor = net.create_extractor();
    Mat out;
    FW_ASSERT_OK(extractor.input("data", Random(1).mat(Shape(4, 9, 8))));
    EXPECT_FALSE(extractor.extract("out", &out).ok()) << "four channels do not fit";
    FW_ASSERT_OK(extractor.input("data", good));
    FW_ASSERT_OK(extractor.extract("out", &out));
    EXPECT_EQ(test::values(out), want);
}

}  // namespace
}  // namespace fw
