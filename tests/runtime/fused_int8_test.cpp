// What int8 networks fuse gives the bytes of the layers one by one: point-wise functions by table, padding, activations
// of the file - at every level, for any number of threads and channel counts beside the vectors' widths.
#include <random>

#include "base/cpu.h"
#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

struct Case {
    NetFiles files;
    ScaleTable table;
    Shape input;
    std::string text;
    std::vector<std::string> blobs = {"on", "mid"};  ///< to compare
};

int pick(std::mt19937* random, int lo, int hi) {
    return lo + static_cast<int>((*random)() % static_cast<unsigned>(hi - lo + 1));
}

const char* const kFunctions[] = {"HardSwish", "Swish",       "Sigmoid",      "Mish",     "TanH",   "ReLU 0=0.1",
                                  "ELU 0=0.7", "HardSigmoid", "GELU",         "Softplus", "AbsVal", "Power 0=2 1=0.5",
                                  "Erf",       "SELU",        "UnaryOp 0=17", "BNLL"};

// Somebody who reads int8: without, layers in front of the end would run float.
void add_reader(NetFiles* files, Random* values, int channels) {
    files->layer("Convolution next 1 1 on out 0=2 1=1 6=" + std::to_string(2 * channels));
    files->tagged(values->floats(static_cast<size_t>(2 * channels)));
}

// [Padding ->] a layer with weights -> a point-wise function, of random type and sizes, with scales of their own.
Case make_case(unsigned seed) {
    std::mt19937 random(seed);
    Random values(seed);
    static const int kChannels[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 48, 65};
    const auto channels = [&] { return kChannels[pick(&random, 0, 11)]; };
    const int kind = pick(&random, 0, 3);  // dense, depthwise, grouped, inner product
    const int group = kind == 2 ? 2 : 1;
    const int in = kind == 1 ? channels() + 1 : channels() * group;
    const int out = kind == 1 ? in : channels() * group;
    const int kernel = kind == 3 ? 1 : pick(&random, 0, 1) * 2 + 1;
    const int stride = pick(&random, 1, 2);
    const bool pads = kind != 3 && pick(&random, 0, 1) == 1;
    const std::string function = kFunctions[seed % (sizeof kFunctions / sizeof *kFunctions)];
    const size_t space = function.find(' ');

    Case c;
    c.input = kind == 3 ? Shape(in) : Shape(in, pick(&random, kernel, 13), pick(&random, kernel, 13));
    c.files.layer("Input in 0 1 data");
    std::string blob = "data";
    if (pads) {
        c.files.layer("Padding pad 1 1 data padded 0=1 1=0 2=1 3=2");
        blob = "padded";
    }
    const size_t weights =
        static_cast<size_t>(out) * static_cast<size_t>((kind == 1 ? 1 : in / group) * kernel * kernel);
    const std::string size = std::to_string(weights);
    if (kind == 3) {
        c.files.layer("InnerProduct conv 1 1 " + blob + " mid 0=" + std::to_string(out) + " 1=1 2=" + size);
    } else {
        c.files.layer(std::string(kind == 0 ? "Convolution" : "ConvolutionDepthWise") + " conv 1 1 " + blob +
                      " mid 0=" + std::to_string(out) + " 1=" + std::to_string(kernel) +
                      " 3=" + std::to_string(stride) + " 4=" + std::to_string(pick(&random, 0, 1)) + " 5=1 6=" + size +
                      (kind == 0 ? "" : " 7=" + std::to_string(kind == 1 ? in : group)));
    }
    c.files.tagged(values.floats(weights)).raw(values.floats(static_cast<size_t>(out)));
    c.files.layer(function.substr(0, space) + " act 1 1 mid on" +
                  (space == std::string::npos ? "" : function.substr(space)));
    add_reader(&c.files, &values, out);
    c.text = "seed " + std::to_string(seed) + ": " + c.files.param();
    const auto zero_point = [&] { return pick(&random, -128, 60); };
    const float reach = std::sqrt(static_cast<float>(weights) / static_cast<float>(out));
    c.table.source = "made up";
    c.table.blobs["data"] = {120.0F, pick(&random, -20, 20)};
    c.table.blobs["mid"] = {90.0F / reach, zero_point()};
    c.table.blobs["on"] = {70.0F / reach, zero_point()};
    return c;
}

struct Bytes {
    std::map<std::string, std::vector<int8_t>> blobs;
    int steps = 0;
};

std::vector<int8_t> levels(const Mat& mat) {
    return std::vector<int8_t>(mat.data<int8_t>(), mat.data<int8_t>() + mat.count());
}

void run(const Case& c, const Option& with, Bytes* out) {
    Option option = with;
    option.precision = Precision::kInt8;
    Net net;
    FW_ASSERT_OK(net.set_option(option));
    FW_ASSERT_OK(net.load_table(c.table));
    FW_ASSERT_OK(c.files.load(&net));
    Extractor extractor = net.create_extractor();
    FW_ASSERT_OK(extractor.input("data", Random(5).mat(c.input)));
    for (const std::string& blob : c.blobs) {
        Mat mat;
        QuantParams quant;
        FW_ASSERT_OK(extractor.extract_raw(blob.c_str(), &mat, &quant));
        ASSERT_EQ(mat.dtype(), DType::kInt8) << blob;
        EXPECT_EQ(quant, c.table.blobs.at(blob)) << blob;
        out->blobs[blob] = levels(mat);
    }
    Mat mat;
    FW_ASSERT_OK(extractor.extract("out", &mat));
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    out->steps = static_cast<int>(plan->size());
}

struct Fuses {
    std::string pass;
    int least;  ///< cases that have fewer steps with the pass than without
};

// Every case gives the bytes of its layers one by one, with all passes and without each of `passes`.
void compare(Case (*make)(unsigned seed), unsigned cases, const std::vector<Fuses>& passes) {
    std::map<std::string, int> fused;
    for (unsigned seed = 0; seed < cases; ++seed) {
        const Case c = make(seed);
        SCOPED_TRACE(c.text);
        Option option;
        option.optimize = false;
        Bytes want;
        run(c, option, &want);
        option.optimize = true;
        option.threads = 1 + static_cast<int>(seed % 3);
        for (const Isa isa : available_isas()) {
            SCOPED_TRACE(name(isa));
            const ScopedIsa forced(isa);
            option.disabled_passes.clear();
            Bytes all;
            run(c, option, &all);
            ASSERT_EQ(all.blobs, want.blobs);
            for (const Fuses& fuses : passes) {
                option.disabled_passes = {fuses.pass};
                Bytes got;
                run(c, option, &got);
                ASSERT_EQ(got.blobs, want.blobs) << "without " << fuses.pass;
                fused[fuses.pass] += all.steps < got.steps && isa == Isa::kScalar ? 1 : 0;
            }
        }
    }
    for (const Fuses& fuses : passes) {
        EXPECT_GE(fused[fuses.pass], fuses.least) << fuses.pass;
    }
}

TEST(FusedInt8, TablesAndPaddingGiveTheSameBytes) {
    compare(make_case, 68, {{"fuse_table", 68}, {"fuse_padding", 26}});
}

// Two layers with weights whose outputs are added, or one and the network's input; then a function, some other reader,
// or a Concat that lets the sum lie among other channels.
Case make_sum_case(unsigned seed) {
    std::mt19937 random(seed);
    Random values(seed);
    static const int kChannels[] = {1, 3, 8, 16, 17, 33, 48};
    const int channels = kChannels[seed % 7];
    static const char* const kAfter[] = {"ReLU", "HardSwish", "Clip 0=-0.2 1=0.7", "none", "Concat"};
    const std::string after = kAfter[seed % 5];
    const bool swapped = pick(&random, 0, 1) == 1;
    const bool from_input = pick(&random, 0, 2) == 0;

    Case c;
    c.input = Shape(channels, pick(&random, 3, 14), pick(&random, 3, 14));
    c.files.layer("Input in 0 1 data");
    c.files.layer("Split split 1 3 data data_0 data_1 data_2");
    const auto layer = [&](const char* name, const std::string& from, const std::string& to) {
        const int kind = pick(&random, 0, 2);  // 1x1, 3x3, depthwise 3x3
        const int kernel = kind == 0 ? 1 : 3;
        const size_t weights = static_cast<size_t>(channels * (kind == 2 ? 1 : channels) * kernel * kernel);
        const int activation = pick(&random, 0, 2) == 0 ? 6 : pick(&random, 0, 1);  // none, ReLU, hard swish
        c.files.layer(std::string(kind == 2 ? "ConvolutionDepthWise " : "Convolution ") + name + " 1 1 " + from + " " +
                      to + " 0=" + std::to_string(channels) + " 1=" + std::to_string(kernel) +
                      " 4=" + std::to_string(kernel / 2) + " 5=1 6=" + std::to_string(weights) +
                      (kind == 2 ? " 7=" + std::to_string(channels) : "") + " 9=" + std::to_string(activation) +
                      (activation == 6 ? " -23310=2,0.2,0.5" : ""));
        c.files.tagged(values.floats(weights)).raw(values.floats(static_cast<size_t>(channels)));
    };
    layer("c1", "data_0", "a");
    std::string other = "data_1";
    if (!from_input) {
        layer("c2", "data_1", "b");
        other = "b";
    }
    const std::string sum = after == "none" ? "on" : "mid";
    c.files.layer("Eltwise add 2 1 " + (swapped ? other + " a " : "a " + other + " ") + sum +
                  (pick(&random, 0, 1) == 1 ? " 0=1 -23301=2,0.75,-1.5" : " 0=1"));
    if (after == "Concat") {
        c.files.layer("Concat cat 2 1 mid data_2 on 0=0");
    } else if (after == "none") {
        c.blobs = {"on"};
    } else {
        const size_t space = after.find(' ');
        c.files.layer(after.substr(0, space) + " act 1 1 mid on" +
                      (space == std::string::npos ? "" : after.substr(space)));
    }
    add_reader(&c.files, &values, channels * (after == "Concat" ? 2 : 1));
    c.text = "seed " + std::to_string(seed) + ": " + c.files.param();
    const auto zero_point = [&] { return pick(&random, -128, 60); };
    c.table.source = "made up";
    c.table.blobs["data"] = {120.0F, pick(&random, -20, 20)};
    c.table.blobs["a"] = {50.0F, zero_point()};
    c.table.blobs["b"] = {65.0F, zero_point()};
    // A ReLU keeps the scale of its input, and so do all parts of a Concat.
    c.table.blobs["on"] = {45.0F, zero_point()};
    c.table.blobs["mid"] =
        after == "ReLU" || after == "Concat" ? c.table.blobs["on"] : QuantParams{40.0F, zero_point()};
    return c;
}

TEST(FusedInt8, SumsGiveTheSameBytes) {
    compare(make_sum_case, 70, {{"fuse_sum", 70}, {"fuse_table", 42}});  // three of five have a function behind
}

// The image is pooled and a layer with weights reads the vector, as in a squeeze-excite, where the channels are then
// scaled, or in a head.
Case make_pooling_case(unsigned seed) {
    std::mt19937 random(seed);
    Random values(seed);
    static const int kChannels[] = {1, 3, 16, 17, 48};
    const int channels = kChannels[seed % 5];
    const std::string count = std::to_string(channels);
    const std::string weights = std::to_string(channels * channels);
    const bool excites = seed % 2 == 0;
    Case c;
    c.input = Shape(channels, pick(&random, 1, 12), pick(&random, 1, 12));
    c.blobs = {"on"};
    c.files.layer("Input in 0 1 data");
    c.files.layer("Split split 1 2 data data_0 data_1");
    c.files.layer("Pooling pool 1 1 data_0 pooled 4=1 0=" + std::to_string(pick(&random, 0, 1)));
    c.files.layer(pick(&random, 0, 1) == 1 ? "InnerProduct fc 1 1 pooled mid 0=" + count + " 1=1 2=" + weights
                                           : "Convolution fc 1 1 pooled mid 1=1 5=1 0=" + count + " 6=" + weights);
    c.files.tagged(values.floats(static_cast<size_t>(channels * channels)));
    c.files.raw(values.floats(static_cast<size_t>(channels)));
    c.files.layer(excites ? "BinaryOp scale 2 1 data_1 mid on 0=2" : "Sigmoid act 1 1 mid on");
    add_reader(&c.files, &values, channels);
    c.text = "seed " + std::to_string(seed) + ": " + c.files.param();
    c.table.source = "made up";
    c.table.blobs["data"] = {120.0F, pick(&random, -20, 20)};
    c.table.blobs["pooled"] = {pick(&random, 0, 1) == 1 ? 120.0F : 150.0F, pick(&random, -20, 20)};
    c.table.blobs["mid"] = {60.0F, pick(&random, -128, 60)};
    c.table.blobs["on"] = {70.0F, pick(&random, -128, 60)};
    return c;
}

TEST(FusedInt8, PoolingInFrontGivesTheSameBytes) {
    compare(make_pooling_case, 40, {{"fuse_pooling", 40}});
}

// A file's own activation that no clamp carries: int8 out by the contract's formula, and no conversion around it.
TEST(FusedInt8, ActivationsOfTheFileAreWrittenAsInt8) {
    const std::pair<int, const char*> activations[] = {
        {2, " -23310=1,0.1"}, {4, ""}, {5, ""}, {6, " -23310=2,0.2,0.5"}};
    for (const auto& [type, params] : activations) {
        for (const int channels : {3, 16, 33}) {
            SCOPED_TRACE(std::to_string(type) + " of " + std::to_string(channels));
            Random values(static_cast<unsigned>(type * 100 + channels));
            const size_t weights = static_cast<size_t>(channels) * static_cast<size_t>(channels);
            Case c;
            c.input = Shape(channels, 5, 7);
            c.files.layer("Input in 0 1 data");
            for (const char* line : {"Convolution c1 1 1 data mid", "Convolution c2 1 1 mid on"}) {
                c.files.layer(std::string(line) + " 0=" + std::to_string(channels) +
                              " 1=1 5=1 6=" + std::to_string(weights) + " 9=" + std::to_string(type) + params);
                c.files.tagged(values.floats(weights)).raw(values.floats(static_cast<size_t>(channels)));
            }
            add_reader(&c.files, &values, channels);
            c.table.blobs["data"] = {120.0F, 0};
            c.table.blobs["mid"] = {40.0F, -100};
            c.table.blobs["on"] = {30.0F, -90};
            Bytes want;
            {
                const ScopedIsa scalar(Isa::kScalar);
                run(c, Option(), &want);
            }
            EXPECT_EQ(want.steps, 4);  // Quantize, c1, c2, next
            for (const Isa isa : available_isas()) {
                const ScopedIsa forced(isa);
                Option option;
                option.threads = 3;
                Bytes got;
                run(c, option, &got);
                EXPECT_EQ(got.blobs, want.blobs) << name(isa);
            }
        }
    }
}

}  // namespace
}  // namespace fw
