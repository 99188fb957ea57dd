// A small int8 net, bit for bit against the formulas of docs/int8-contract.md written out here in scalar code.
#include <algorithm>

#include "base/cpu.h"
#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

// --- the contract, a second time
// ---------------------------------------------------------------------------------------

struct Quantized {
    int c = 0, h = 0, w = 0;
    QuantParams quant;
    std::vector<int> q;  // row-major

    int& at(int channel, int y, int x) { return q[static_cast<size_t>((channel * h + y) * w + x)]; }
    int at(int channel, int y, int x) const { return q[static_cast<size_t>((channel * h + y) * w + x)]; }
};

int64_t rne(double x) {
    return static_cast<int64_t>(std::nearbyint(x));
}

int qmin(const QuantParams& p) {
    return p.zero_point == 0 ? -127 : -128;
}

int clamp_to(int64_t v, int lo, int hi) {
    return static_cast<int>(std::min<int64_t>(std::max<int64_t>(v, lo), hi));
}

Quantized empty_like(int c, int h, int w, const QuantParams& quant) {
    return Quantized{c, h, w, quant, std::vector<int>(static_cast<size_t>(c * h * w))};
}

Quantized quantize_ref(const Mat& mat, const QuantParams& p) {
    Quantized out = empty_like(mat.c(), mat.h(), mat.w(), p);
    for (size_t i = 0; i < out.q.size(); ++i) {
        const float scaled = mat.data()[i] * p.scale;
        out.q[i] = clamp_to(rne(static_cast<double>(scaled)) + p.zero_point, qmin(p), 127);
    }
    return out;
}

struct ConvRef {
    int outputs = 0, kernel = 1, pad = 0, group = 1;
    std::vector<float> weights, bias, scales;
    bool relu = false;
};

std::vector<float> absmax(const ConvRef& conv) {
    std::vector<float> scales;
    const size_t row = conv.weights.size() / static_cast<size_t>(conv.outputs);
    for (int o = 0; o < conv.outputs; ++o) {
        float most = 0.0F;
        for (size_t i = 0; i < row; ++i) {
            most = std::max(most, std::fabs(conv.weights[static_cast<size_t>(o) * row + i]));
        }
        scales.push_back(most == 0.0F ? 0.0F : static_cast<float>(127.0 / static_cast<double>(most)));
    }
    return scales;
}

// Exact accumulators of a stride-1 convolution.
std::vector<int64_t> accumulate(const Quantized& in, const ConvRef& conv) {
    const int ch = in.h + 2 * conv.pad - conv.kernel + 1;
    const int cw = in.w + 2 * conv.pad - conv.kernel + 1;
    const int per_group = in.c / conv.group;
    std::vector<int64_t> acc;
    for (int o = 0; o < conv.outputs; ++o) {
        const float sw = conv.scales[static_cast<size_t>(o)];
        const int64_t bias = rne(static_cast<double>(conv.bias[static_cast<size_t>(o)]) *
                                 static_cast<double>(in.quant.scale) * static_cast<double>(sw));
        for (int y = 0; y < ch; ++y) {
            for (int x = 0; x < cw; ++x) {
                int64_t sum = bias;
                for (int i = 0; i < per_group; ++i) {
                    for (int ky = 0; ky < conv.kernel; ++ky) {
                        for (int kx = 0; kx < conv.kernel; ++kx) {
                            const size_t at =
                                static_cast<size_t>(((o * per_group + i) * conv.kernel + ky) * conv.kernel + kx);
                            const float scaled = conv.weights[at] * sw;
                            const int wq = clamp_to(rne(static_cast<double>(scaled)), -127, 127);
                            const int iy = y + ky - conv.pad;
                            const int ix = x + kx - conv.pad;
                            const bool inside = iy >= 0 && iy < in.h && ix >= 0 && ix < in.w;
                            const int c = o / (conv.outputs / conv.group) * per_group + i;
                            const int value = inside ? in.at(c, iy, ix) : in.quant.zero_point;
                            sum += int64_t{wq} * (value - in.quant.zero_point);
                        }
                    }
                }
                acc.push_back(sum);
            }
        }
    }
    return acc;
}

Quantized conv_ref(const Quantized& in, const ConvRef& conv, const QuantParams& quant) {
    Quantized out =
        empty_like(conv.outputs, in.h + 2 * conv.pad - conv.kernel + 1, in.w + 2 * conv.pad - conv.kernel + 1, quant);
    const std::vector<int64_t> acc = accumulate(in, conv);
    const int lo = conv.relu ? quant.zero_point : qmin(quant);
    for (size_t i = 0; i < acc.size(); ++i) {
        const float sw = conv.scales[i / static_cast<size_t>(out.h * out.w)];
        const auto m = static_cast<float>(static_cast<double>(quant.scale) /
                                          (static_cast<double>(in.quant.scale) * static_cast<double>(sw)));
        const float product = static_cast<float>(acc[i]) * m;
        out.q[i] = clamp_to(rne(static_cast<double>(product)) + quant.zero_point, lo, 127);
    }
    return out;
}

Quantized max_pool_ref(const Quantized& in) {
    Quantized out = empty_like(in.c, in.h / 2, in.w / 2, in.quant);
    for (int c = 0; c < out.c; ++c) {
        for (int y = 0; y < out.h; ++y) {
            for (int x = 0; x < out.w; ++x) {
                out.at(c, y, x) = std::max(std::max(in.at(c, 2 * y, 2 * x), in.at(c, 2 * y, 2 * x + 1)),
                                           std::max(in.at(c, 2 * y + 1, 2 * x), in.at(c, 2 * y + 1, 2 * x + 1)));
            }
        }
    }
    return out;
}

Quantized concat_ref(const Quantized& a, const Quantized& b) {
    Quantized out = a;
    out.c += b.c;
    out.q.insert(out.q.end(), b.q.begin(), b.q.end());
    return out;
}

Quantized sum_ref(const Quantized& a, const Quantized& b, const QuantParams& quant) {
    Quantized out = empty_like(a.c, a.h, a.w, quant);
    int shift = 30;
    int64_t k[2] = {};
    for (; shift >= 1; --shift) {
        const Quantized* inputs[2] = {&a, &b};
        int64_t total = 0;
        bool small = true;
        for (int i = 0; i < 2; ++i) {
            k[i] = rne(1.0 * static_cast<double>(quant.scale) / static_cast<double>(inputs[i]->quant.scale) *
                       std::pow(2.0, shift));
            small = small && std::abs(k[i]) <= (1 << 20);
            total += std::abs(k[i]);
        }
        if (small && total * 255 < (int64_t{1} << 30)) {
            break;
        }
    }
    for (size_t i = 0; i < out.q.size(); ++i) {
        const int64_t sum = (a.q[i] - a.quant.zero_point) * k[0] + (b.q[i] - b.quant.zero_point) * k[1];
        const auto shifted = static_cast<int64_t>(
            std::floor(static_cast<double>(sum + (int64_t{1} << (shift - 1))) / std::pow(2.0, shift)));
        out.q[i] = clamp_to(quant.zero_point + shifted, qmin(quant), 127);
    }
    return out;
}

Quantized average_ref(const Quantized& in, const QuantParams& quant) {
    Quantized out = empty_like(in.c, 1, 1, quant);
    const auto m =
        static_cast<float>(static_cast<double>(quant.scale) / (static_cast<double>(in.quant.scale) * in.h * in.w));
    for (int c = 0; c < in.c; ++c) {
        int64_t sum = 0;
        for (int y = 0; y < in.h; ++y) {
            for (int x = 0; x < in.w; ++x) {
                sum += in.at(c, y, x) - in.quant.zero_point;
            }
        }
        const float product = static_cast<float>(sum) * m;
        out.q[static_cast<size_t>(c)] =
            clamp_to(rne(static_cast<double>(product)) + quant.zero_point, qmin(quant), 127);
    }
    return out;
}

// --- the net
// ------------------------------------------------------------------------------------------------------------

struct Model {
    NetFiles files;
    ScaleTable table;
    ConvRef c1, dw, ca, cb, cc, ip;
    QuantParams data, p1, d1, k, c, s, g;
};

ConvRef make_conv(Random* random, int in, int outputs, int kernel, int pad, int group, bool relu) {
    ConvRef conv{outputs, kernel, pad, group, {}, {}, {}, relu};
    conv.weights = random->floats(static_cast<size_t>(outputs * in / group * kernel * kernel));
    conv.bias = random->floats(static_cast<size_t>(outputs));
    conv.scales = absmax(conv);
    return conv;
}

Model make_model(bool affine) {
    Random random(11);
    Model m;
    m.c1 = make_conv(&random, 3, 8, 3, 1, 1, true);
    m.dw = make_conv(&random, 8, 8, 3, 1, 8, true);
    m.ca = make_conv(&random, 8, 6, 1, 0, 1, true);
    m.cb = make_conv(&random, 8, 10, 3, 1, 1, true);
    m.cc = make_conv(&random, 16, 16, 1, 0, 1, false);
    m.ip = make_conv(&random, 16, 5, 1, 0, 1, false);
    m.ca.scales.assign(6, 100.0F);  // stated by the table, clipping some weights
    const int zp = affine ? -128 : 0;
    m.data = {100.0F, 0};
    m.p1 = {affine ? 60.0F : 30.0F, zp};
    m.d1 = {affine ? 50.0F : 25.0F, zp};
    m.k = {affine ? 40.0F : 20.0F, zp};
    m.c = {11.0F, 0};
    m.s = {9.5F, affine ? 17 : 0};
    m.g = {21.0F, affine ? -3 : 0};

    m.files.layer("Input in 0 1 data 0=8 1=8 2=3")
        .layer("Convolution c1 1 1 data c1 0=8 1=3 4=1 5=1 6=216")
        .tagged(m.c1.weights)
        .raw(m.c1.bias)
        .layer("ReLU r1 1 1 c1 r1")
        .layer("Pooling p1 1 1 r1 p1 0=0 1=2 2=2")
        .layer("ConvolutionDepthWise dw 1 1 p1 d1 0=8 1=3 4=1 5=1 6=72 7=8 9=1")
        .tagged(m.dw.weights)
        .raw(m.dw.bias)
        .layer("Split s1 1 2 d1 da db")
        .layer("Convolution ca 1 1 da ca 0=6 1=1 5=1 6=48 9=1")
        .tagged(m.ca.weights)
        .raw(m.ca.bias)
        .layer("Convolution cb 1 1 db cb 0=10 1=3 4=1 5=1 6=720 9=1")
        .tagged(m.cb.weights)
        .raw(m.cb.bias)
        .layer("Concat k 2 1 ca cb k")
        .layer("Split s2 1 2 k ka kb")
        .layer("Convolution cc 1 1 ka c 0=16 1=1 5=1 6=256")
        .tagged(m.cc.weights)
        .raw(m.cc.bias)
        .layer("Eltwise e 2 1 kb c s 0=1")
        .layer("Pooling g 1 1 s g 0=1 4=1")
        .layer("InnerProduct ip 1 1 g out 0=5 1=1 2=80")
        .tagged(m.ip.weights)
        .raw(m.ip.bias);
    m.table.source = "made up";
    for (const char* name : {"c1", "dw", "ca", "cb", "cc", "ip"}) {
        m.table.layers[name].precision = ScaleTable::LayerPrecision::kInt8;
    }
    m.table.layers["ca"].weight_scales = m.ca.scales;
    m.table.blobs = {{"data", m.data}, {"p1", m.p1}, {"d1", m.d1}, {"k", m.k}, {"c", m.c}, {"s", m.s}, {"g", m.g}};
    return m;
}

void expect_blob(Extractor* extractor, const char* blob, const Quantized& want) {
    Mat got;
    QuantParams quant;
    FW_ASSERT_OK(extractor->extract_raw(blob, &got, &quant));
    ASSERT_EQ(got.dtype(), DType::kInt8) << blob;
    EXPECT_EQ(quant, want.quant) << blob;
    ASSERT_EQ(got.count(), static_cast<int64_t>(want.q.size())) << blob;
    for (int64_t i = 0; i < got.count(); ++i) {
        ASSERT_EQ(got.data<int8_t>()[i], want.q[static_cast<size_t>(i)]) << blob << " element " << i;
    }
}

void check(const Model& m, const Option& option) {
    Net net;
    FW_ASSERT_OK(net.set_option(option));
    FW_ASSERT_OK(net.load_table(m.table));
    FW_ASSERT_OK(m.files.load(&net));
    const Mat data = Random(12).mat(Shape(3, 8, 8), -1.3F, 1.3F);
    const Quantized q = quantize_ref(data, m.data);
    const Quantized p1 = max_pool_ref(conv_ref(q, m.c1, m.p1));
    const Quantized d1 = conv_ref(p1, m.dw, m.d1);
    const Quantized k = concat_ref(conv_ref(d1, m.ca, m.k), conv_ref(d1, m.cb, m.k));
    const Quantized c = conv_ref(k, m.cc, m.c);
    const Quantized s = sum_ref(k, c, m.s);
    const Quantized g = average_ref(s, m.g);
    const std::vector<int64_t> acc = accumulate(g, m.ip);

    Extractor extractor = net.create_extractor();
    FW_ASSERT_OK(extractor.input("data", data));
    Mat out;
    FW_ASSERT_OK(extractor.extract("out", &out));
    ASSERT_EQ(out.count(), 5);
    for (int64_t i = 0; i < 5; ++i) {
        const auto m_out = static_cast<float>(
            1.0 / (static_cast<double>(g.quant.scale) * static_cast<double>(m.ip.scales[static_cast<size_t>(i)])));
        EXPECT_EQ(out.data()[i], static_cast<float>(acc[static_cast<size_t>(i)]) * m_out) << i;
    }
    // The same bytes when a blob is asked for by name, which runs another program.
    expect_blob(&extractor, "p1", p1);
    expect_blob(&extractor, "d1", d1);
    expect_blob(&extractor, "k", k);
    expect_blob(&extractor, "c", c);
    expect_blob(&extractor, "s", s);
    expect_blob(&extractor, "g", g);
    // int8 input already in the blob's scale.
    Mat bytes = *Mat::create(Shape(3, 8, 8), DType::kInt8);
    for (size_t i = 0; i < q.q.size(); ++i) {
        bytes.data<int8_t>()[i] = static_cast<int8_t>(q.q[i]);
    }
    FW_ASSERT_OK(extractor.input("data", bytes));
    Mat again;
    FW_ASSERT_OK(extractor.extract("out", &again));
    EXPECT_EQ(test::values(again), test::values(out));
    FW_ASSERT_OK(extractor.extract("data", &again));
    for (int64_t i = 0; i < again.count(); ++i) {
        EXPECT_EQ(again.data()[i], static_cast<float>(q.q[static_cast<size_t>(i)]) * static_cast<float>(1.0 / 100.0));
    }
    Net plain;
    FW_ASSERT_OK(m.files.load(&plain));
    Extractor without = plain.create_extractor();
    FW_ASSERT_OK(without.input("data", bytes));
    for (const char* blob : {"data", "out"}) {
        EXPECT_STREQ(without.extract(blob, &again).message(),
                     "input 'data' is int8, but the network gives it no scale");
    }
}

TEST(Int8Net, MatchesTheContractBitForBit) {
    for (const bool affine : {false, true}) {
        check(make_model(affine), Option());
    }
}

// With a scale of its own for every blob, the plan moves scales upstream; a blob asked for must not move with the
// asking.
TEST(Int8Net, BlobsAskedForAreWhatTheRunningNetworkHas) {
    Model m = make_model(true);
    m.table.blobs["r1"] = {m.p1.scale * 0.9F, m.p1.zero_point};
    m.table.blobs["ca"] = {m.k.scale * 1.3F, m.k.zero_point};
    m.table.blobs["cb"] = {m.k.scale * 1.1F, m.k.zero_point};
    Net net;
    FW_ASSERT_OK(net.load_table(m.table));
    FW_ASSERT_OK(m.files.load(&net));
    std::map<std::string, std::vector<float>> seen;
    Extractor extractor = net.create_extractor();
    FW_ASSERT_OK(extractor.input("data", Random(12).mat(Shape(3, 8, 8), -1.3F, 1.3F)));
    extractor.set_observer([&seen](const std::string& blob, const Mat& value) -> Status {
        seen[blob] = test::values(value);
        return {};
    });
    Mat out;
    FW_ASSERT_OK(extractor.extract("out", &out));
    extractor.set_observer(nullptr);
    EXPECT_GE(seen.size(), 8U);
    for (const auto& [blob, values] : seen) {
        if (blob.find(' ') == std::string::npos && blob != "data") {
            FW_ASSERT_OK(extractor.extract(blob.c_str(), &out));
            EXPECT_EQ(test::values(out), values) << blob;
        }
    }
}

TEST(Int8Net, AtEveryLevelAndForAnyNumberOfThreads) {
    const Model m = make_model(true);
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        for (const int threads : {1, 2, 3}) {
            SCOPED_TRACE(std::string(name(isa)) + " threads " + std::to_string(threads));
            Option option;
            option.threads = threads;
            check(m, option);
        }
    }
}

TEST(Int8Net, TheSameWithoutPasses) {
    Option option;
    option.optimize = false;
    for (const bool affine : {false, true}) {
        check(make_model(affine), option);
    }
}

TEST(Int8Net, RunsWithOneConversion) {
    const Model m = make_model(true);
    Net net;
    FW_ASSERT_OK(net.load_table(m.table));
    FW_ASSERT_OK(m.files.load(&net));
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    int conversions = 0;
    for (const LayerPlan& layer : *plan) {
        conversions += layer.is_conversion ? 1 : 0;
        if (!layer.is_conversion) {
            EXPECT_EQ(layer.input_type, DType::kInt8) << layer.name << ": " << layer.reason;
        }
    }
    EXPECT_EQ(conversions, 1);
    EXPECT_EQ(plan->front().type, "Quantize");
    EXPECT_EQ(plan->front().name, "data");
}

TEST(Int8Net, FloatPrecisionIgnoresTheTable) {
    const Model m = make_model(true);
    Net net;
    Option option;
    option.precision = Precision::kFloat;
    FW_ASSERT_OK(net.set_option(option));
    FW_ASSERT_OK(net.load_table(m.table));
    FW_ASSERT_OK(m.files.load(&net));
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    for (const LayerPlan& layer : *plan) {
        EXPECT_EQ(layer.output_type, DType::kFloat32) << layer.name;
    }
    Net plain;
    FW_ASSERT_OK(m.files.load(&plain));
    const Mat data = Random(12).mat(Shape(3, 8, 8));
    EXPECT_EQ(test::values(test::run(net, {{"data", data}}, "out")),
              test::values(test::run(plain, {{"data", data}}, "out")));
}

TEST(Int8Net, RefusesATableOfAnotherModelUnlessTold) {
    Model m = make_model(true);
    {
        Net net;
        EXPECT_FALSE(net.model_hash().ok()) << "nothing is loaded";
        FW_ASSERT_OK(m.files.load(&net));
        m.table.model_hash = *net.model_hash();
    }
    check(m, Option());
    m.table.model_hash = "0123456789abcdef";
    Net net;
    FW_ASSERT_OK(net.load_table(m.table));
    const Status refused = m.files.load(&net);
    EXPECT_EQ(refused.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(refused.message()).find("was made for the model 0123456789abcdef"), std::string::npos)
        << refused.message();
    Option option;
    option.ignore_table_model = true;
    check(m, option);
    option = Option();
    option.precision = Precision::kFloat;
    Net plain;
    FW_ASSERT_OK(plain.set_option(option));
    FW_ASSERT_OK(plain.load_table(m.table));
    FW_ASSERT_OK(m.files.load(&plain));
}

TEST(Int8Net, StaysCloseToFloatWithScalesThatFit) {
    Model m = make_model(true);
    Net plain;
    FW_ASSERT_OK(m.files.load(&plain));
    const Mat data = Random(12).mat(Shape(3, 8, 8));
    Extractor extractor = plain.create_extractor();
    extractor.set_observer([&](const std::string& blob, const Mat& mat) {
        float lo = 0.0F;
        float hi = 0.0F;
        for (int64_t i = 0; i < mat.count(); ++i) {
            lo = std::min(lo, mat.data()[i]);
            hi = std::max(hi, mat.data()[i]);
        }
        m.table.blobs[blob] = lo < 0.0F ? QuantParams{127.0F / std::max(-lo, hi), 0} : QuantParams{255.0F / hi, -128};
        return Status();
    });
    FW_ASSERT_OK(extractor.input("data", data));
    Mat want;
    FW_ASSERT_OK(extractor.extract("out", &want));
    m.table.layers["ca"].weight_scales.clear();
    Net int8;
    FW_ASSERT_OK(int8.load_table(m.table));
    FW_ASSERT_OK(m.files.load(&int8));
    EXPECT_LT(test::relative_difference(test::run(int8, {{"data", data}}, "out"), want), 0.03);
}

TEST(Int8Net, AnInt8ModelOfNcnnIsTheSameAsATable) {
    // Weights stored as int8 with baked scales, against the float weights q / scale with a table.
    Random random(13);
    std::vector<int8_t> stored(8 * 27);
    std::vector<float> weights;
    const std::vector<float> scales = random.floats(8, 50.0F, 200.0F);
    for (size_t i = 0; i < stored.size(); ++i) {
        stored[i] = static_cast<int8_t>(random.integer(-127, 127));
        weights.push_back(static_cast<float>(stored[i] / static_cast<double>(scales[i / 27])));
    }
    const std::vector<float> bias = random.floats(8);
    NetFiles baked;
    baked.layer("Input in 0 1 data 0=8 1=8 2=3")
        .layer("Convolution c 1 1 data a 0=8 1=3 5=1 6=216 8=102 9=1")
        .tagged_int8(stored)
        .raw(bias)
        .raw(scales)
        .raw({90.0F})
        .raw({30.0F})
        .layer("Pooling p 1 1 a b 0=0 1=2 2=2")
        .layer("Softmax s 1 1 b out");
    NetFiles plain;
    plain.layer("Input in 0 1 data 0=8 1=8 2=3")
        .layer("Convolution c 1 1 data a 0=8 1=3 5=1 6=216 9=1")
        .tagged(weights)
        .raw(bias)
        .layer("Pooling p 1 1 a b 0=0 1=2 2=2")
        .layer("Softmax s 1 1 b out");
    ScaleTable table;
    table.source = "made up";
    table.layers["c"].input.scale = 90.0F;
    table.layers["c"].weight_scales = scales;
    table.blobs["a"].scale = 30.0F;
    Net from_model, from_table;
    Option option;
    option.precision = Precision::kInt8;  // too small a network for int8 to pay
    FW_ASSERT_OK(from_model.set_option(option));
    FW_ASSERT_OK(from_table.set_option(option));
    FW_ASSERT_OK(baked.load(&from_model));
    FW_ASSERT_OK(from_table.load_table(table));
    FW_ASSERT_OK(plain.load(&from_table));
    const Mat data = random.mat(Shape(3, 8, 8));
    EXPECT_EQ(test::values(test::run(from_model, {{"data", data}}, "out")),
              test::values(test::run(from_table, {{"data", data}}, "out")));
    const Result<std::vector<LayerPlan>> plan = from_model.plan();
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->front().type, "Quantize");
}

}  // namespace
}  // namespace fw
