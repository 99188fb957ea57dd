// .bin files and Weight: every storage, by hand-typed bytes; what is refused; random weights.
#include <cmath>

#include "base/half.h"
#include "model_test_util.h"

namespace fw::test {

namespace {

NetDef inner_product(int outputs, int weights, const std::string& more = "") {
    Result<NetDef> net =
        parse(param_file(2, 2,
                         "Input in 0 1 data\nInnerProduct fc 1 1 data out 0=" + std::to_string(outputs) +
                             " 2=" + std::to_string(weights) + more + "\n"));
    EXPECT_TRUE(net.ok()) << net.status().message();
    return *net;
}

const std::vector<float> kFive = {1, -2, 0.5F, 3, -0.25F};

TEST(Half, WidensExactly) {
    for (uint32_t h = 0; h < 65536; ++h) {
        const int exponent = (h >> 10) & 31;
        const int mantissa = h & 1023;
        const float sign = (h & 0x8000) != 0 ? -1.0F : 1.0F;
        const float value = half_to_float(static_cast<uint16_t>(h));
        if (exponent == 31) {
            EXPECT_TRUE(mantissa != 0 ? std::isnan(value) : value == sign * INFINITY) << h;
            continue;
        }
        const double expected = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
        ASSERT_EQ(static_cast<double>(value), static_cast<double>(sign) * expected) << h;
        ASSERT_EQ(std::signbit(value), sign < 0);
        ASSERT_EQ(float_to_half(value), h);
    }
}

TEST(Half, NarrowsToNearestEven) {
    for (uint16_t h = 0; h < 0x7bff; ++h) {  // every pair of neighbours, up to the largest half
        const float a = half_to_float(h);
        const float b = half_to_float(static_cast<uint16_t>(h + 1));
        const float middle = a + (b - a) / 2;
        ASSERT_EQ(float_to_half(middle), h % 2 == 0 ? h : h + 1) << h;
        ASSERT_EQ(float_to_half(std::nextafter(middle, 0.0F)), h);
        ASSERT_EQ(float_to_half(-std::nextafter(middle, INFINITY)), 0x8000 + h + 1);
    }
    EXPECT_EQ(float_to_half(65504), 0x7bff);
    EXPECT_EQ(float_to_half(std::nextafter(65520.0F, 0.0F)), 0x7bff);
    EXPECT_EQ(float_to_half(65520), 0x7c00);
    EXPECT_EQ(float_to_half(INFINITY), 0x7c00);
    EXPECT_EQ(float_to_half(-3e38F), 0xfc00);
    EXPECT_EQ(float_to_half(1e-45F), 0);
    EXPECT_EQ(float_to_half(-0.0F), 0x8000);
    EXPECT_TRUE(std::isnan(half_to_float(float_to_half(NAN))));
}

TEST(Bin, ReadsEveryStorage) {
    Bytes codebook;
    codebook.u32(0x00000001);
    for (int i = 0; i < 256; ++i) {
        codebook.f32({static_cast<float>(i) / 4});
    }
    codebook.u8({0, 1, 2, 255, 8, 0, 0, 0});
    const struct {
        const char* name;
        Bytes bytes;
        std::vector<float> values;
        WeightStorage storage;
    } cases[] = {
        {"float32", Bytes().u32(0).f32({1, -2, 0.5F, 3, -0.25F}), kFive, WeightStorage::kFloat32},
        {"older float32", Bytes().u32(0x0002C056).f32({1, -2, 0.5F, 3, -0.25F}), kFive, WeightStorage::kFloat32},
        {"float16", Bytes().u32(0x01306B47).u8({0, 0x3c, 0, 0xc0, 0, 0x38, 0, 0x42, 0, 0xb4, 0, 0}), kFive,
         WeightStorage::kFloat16},
        {"codebook", codebook, {0, 0.25F, 0.5F, 63.75F, 2}, WeightStorage::kFloat32},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.name);
        NetDef net = inner_product(1, 5);
        const Status status = read_weights(in_memory(c.bytes.data), "net.bin", &net);
        ASSERT_TRUE(status.ok()) << status.message();
        ASSERT_EQ(net.layers[1].weights.size(), 1U);
        EXPECT_EQ(net.layers[1].weights[0].storage(), c.storage);
        EXPECT_EQ(net.layers[1].weights[0].to_floats(), c.values);
        std::vector<float> buffer;
        const Span<const float> span = net.layers[1].weights[0].floats(&buffer);
        EXPECT_EQ(std::vector<float>(span.begin(), span.end()), c.values);
    }
}

TEST(Bin, ACodebookIsWrittenAsOneAgain) {
    // In order of appearance: 2, 0.25, -0 (not the same as 0), 0.
    Bytes bytes;
    bytes.u32(1).f32({2, 0.25F, -0.0F});
    for (int i = 3; i < 256; ++i) {
        bytes.f32({0});
    }
    bytes.u8({0, 1, 2, 3, 0, 1, 0, 0});
    NetDef net = inner_product(1, 6);
    ASSERT_TRUE(read_weights(in_memory(bytes.data), "net.bin", &net).ok());
    EXPECT_EQ(*bin_bytes(net), bytes.data);
    EXPECT_EQ(*bin_bytes(net, WeightFormat::kFloat16), bytes.data);

    // All 256 values, and one too many for a codebook.
    std::vector<float> many(300);
    for (size_t i = 0; i < many.size(); ++i) {
        many[i] = static_cast<float>(i % 256);
    }
    NetDef full = inner_product(1, 300);
    full.layers[1].weights = {Weight::from_codebook(many)};
    const std::vector<uint8_t> written = *bin_bytes(full);
    EXPECT_EQ(written.size(), 4 + 1024 + 300u);
    NetDef again = inner_product(1, 300);
    ASSERT_TRUE(read_weights(in_memory(written), "net.bin", &again).ok());
    EXPECT_EQ(again.layers[1].weights[0].to_floats(), many);
    many[299] = 1000;
    full.layers[1].weights = {Weight::from_codebook(many)};
    EXPECT_EQ(bin_bytes(full)->size(), 4 + 4 * 300u) << "float32";
}

TEST(Bin, ReadsInt8WithItsScales) {
    NetDef net = inner_product(2, 6, " 1=1 8=2");
    const FileData file = in_memory(
        Bytes().u32(0x000D4B38).u8({1, 255, 127, 129, 0, 5, 0, 0}).f32({0.5F, -0.5F}).f32({100, 0}).f32({32}).data);
    const Status status = read_weights(file, "net.bin", &net);
    ASSERT_TRUE(status.ok()) << status.message();
    const std::vector<Weight>& w = net.layers[1].weights;
    ASSERT_EQ(w.size(), 4U);
    EXPECT_EQ(w[0].storage(), WeightStorage::kInt8);
    EXPECT_EQ(w[0].to_int8(), (std::vector<int8_t>{1, -1, 127, -127, 0, 5}));
    EXPECT_EQ(w[0].to_floats(), (std::vector<float>{1, -1, 127, -127, 0, 5}));
    EXPECT_EQ(w[2].to_floats(), (std::vector<float>{100, 0}));
    EXPECT_EQ(w[3].to_floats(), std::vector<float>{32});
    const Result<std::vector<uint8_t>> again = bin_bytes(net);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, std::vector<uint8_t>(file.bytes.begin(), file.bytes.end()));
}

TEST(Bin, UnalignedDataIsReadAndAlignedDataIsNotCopied) {
    const std::vector<uint8_t> bytes = Bytes().u32(0).f32({1, -2, 0.5F, 3, -0.25F}).data;
    alignas(8) uint8_t memory[64];
    for (size_t shift = 0; shift < 4; ++shift) {
        std::memcpy(memory + shift, bytes.data(), bytes.size());
        FileData file;
        file.bytes = {memory + shift, bytes.size()};
        NetDef net = inner_product(1, 5);
        ASSERT_TRUE(read_weights(file, "net.bin", &net).ok());
        const Weight& w = net.layers[1].weights[0];
        EXPECT_EQ(w.data(), memory + shift + 4) << "a view";
        std::vector<float> buffer;
        const Span<const float> span = w.floats(&buffer);
        EXPECT_EQ(std::vector<float>(span.begin(), span.end()), kFive);
        EXPECT_EQ(buffer.empty(), shift == 0);
    }
}

TEST(Bin, ViewsKeepTheFileAlive) {
    NetDef net = inner_product(1, 5);
    std::weak_ptr<const void> owner;
    {
        const FileData file = in_memory(Bytes().u32(0).f32({1, -2, 0.5F, 3, -0.25F}).data);
        owner = file.owner;
        ASSERT_TRUE(read_weights(file, "net.bin", &net).ok());
    }
    EXPECT_FALSE(owner.expired());
    EXPECT_EQ(net.layers[1].weights[0].to_floats(), kFive);
    net = NetDef();
    EXPECT_TRUE(owner.expired());
}

TEST(Bin, RefusesWithByteLayerAndReason) {
    const struct {
        int weights;
        const char* more;
        Bytes bytes;
        const char* message;
    } cases[] = {
        {5, "", Bytes(),
         "net.bin: byte 0, InnerProduct layer 'fc' (line 4), weight_data: 4 values need 4 bytes, 0 are left"},
        {5, "", Bytes().u32(0).f32({1, 2, 3, 4}),
         "byte 4, InnerProduct layer 'fc' (line 4), weight_data: 5 values need 20 bytes, 16 are left"},
        {5, "", Bytes().u32(0x01306B47).f32({1, 2}), "weight_data: 5 values need 12 bytes, 8 are left"},
        {5, "", Bytes().u32(7).f32({1, 2}), "weight_data: 5 values need 1032 bytes, 8 are left"},
        {5, "", Bytes().u32(0x000D4B38).f32({1, 2}),
         "weight_data: int8 data, but the layer's parameters announce no int8 scales"},
        {5, " 8=1", Bytes().u32(0x000D4B38).f32({1}), "weight_data: 5 values need 8 bytes, 4 are left"},
        {5, " 1=1", Bytes().u32(0).f32({1, 2, 3, 4, 5}),
         "byte 24, InnerProduct layer 'fc' (line 4), bias_data: 1 values need 4 bytes, 0 are left"},
        {5, "", Bytes().u32(0).f32({1, 2, 3, 4, 5, 6, 7, 8}),
         "net.bin: 12 bytes are left after the last layer's weights (24 used)"},
        {2147483647, "", Bytes().u32(0), "weight_data: 2147483647 values need 8589934588 bytes, 0 are left"},
        {2147483647, "", Bytes().u32(9), "weight_data: 2147483647 values need 2147484672 bytes, 0 are left"},
    };
    for (const auto& c : cases) {
        NetDef net = inner_product(1, c.weights, c.more);
        const Status status = read_weights(in_memory(c.bytes.data), "net.bin", &net);
        ASSERT_FALSE(status.ok()) << c.message;
        expect_contains(status.message(), c.message);
    }
}

TEST(Bin, WritesFloat16) {
    NetDef net = inner_product(1, 5, " 1=1");
    net.layers[1].weights = {Weight::from_floats(kFive), Weight::from_floats({1.0F / 3})};
    const Result<std::vector<uint8_t>> bytes = bin_bytes(net, WeightFormat::kFloat16);
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    EXPECT_EQ(*bytes,
              Bytes().u32(0x01306B47).u8({0, 0x3c, 0, 0xc0, 0, 0x38, 0, 0x42, 0, 0xb4, 0, 0}).f32({1.0F / 3}).data);
    NetDef again = inner_product(1, 5, " 1=1");
    ASSERT_TRUE(read_weights(in_memory(*bytes), "net.bin", &again).ok());
    EXPECT_EQ(again.layers[1].weights[0].to_floats(), kFive);
    EXPECT_EQ(*bin_bytes(again), *bytes) << "as stored";

    net.layers[1].weights[0] = Weight::from_floats({1, 2, 70000, 3, 4});
    EXPECT_EQ(*bin_bytes(net, WeightFormat::kFloat16), Bytes().u32(0).f32({1, 2, 70000, 3, 4, 1.0F / 3}).data)
        << "beyond float16's range: stays float32";
}

TEST(Bin, WriterRefusesWeightsThatDoNotMatch) {
    NetDef net = inner_product(1, 5, " 1=1");
    expect_contains(bin_bytes(net).status().message(),
                    "InnerProduct layer 'fc': has 0 weight blobs, its parameters say 2");
    net.layers[1].weights = {Weight::from_floats({1, 2}), Weight::from_floats({1})};
    expect_contains(bin_bytes(net).status().message(), "weight_data has 2 values, the parameters say 5");
    net.layers[1].weights = {Weight::from_floats(kFive), Weight::from_int8({1})};
    expect_contains(bin_bytes(net).status().message(), "bias_data is int8, but is stored as plain float32");
}

TEST(RandomWeights, AreTheSameEverywhereAndFit) {
    NetDef net = inner_product(3, 600, " 1=1");
    ASSERT_TRUE(random_weights(&net, 7).ok());
    const std::vector<float> first = net.layers[1].weights[0].to_floats();
    ASSERT_EQ(first.size(), 600U);
    const float bound = std::sqrt(6.0F / 200);
    float largest = 0;
    for (const float v : first) {
        largest = std::max(largest, std::fabs(v));
    }
    EXPECT_LE(largest, bound);
    EXPECT_GT(largest, bound * 0.9F);
    ASSERT_TRUE(random_weights(&net, 7).ok());
    EXPECT_EQ(net.layers[1].weights[0].to_floats(), first);
    ASSERT_TRUE(random_weights(&net, 8).ok());
    EXPECT_NE(net.layers[1].weights[0].to_floats(), first);
    EXPECT_TRUE(bin_bytes(net).ok());
}

TEST(RandomWeights, RespectSignsAndInt8) {
    Result<NetDef> net = parse(param_file(3, 3,
                                          "Input in 0 1 data\nBatchNorm bn 1 1 data a 0=500\n"
                                          "Convolution c 1 1 a b 0=4 1=3 5=1 6=360 8=102\n"));
    ASSERT_TRUE(net.ok()) << net.status().message();
    ASSERT_TRUE(random_weights(&*net, 1).ok());
    for (const float v : net->layers[1].weights[2].to_floats()) {
        EXPECT_GT(v, 0) << "a variance";
    }
    const std::vector<Weight>& w = net->layers[2].weights;
    EXPECT_EQ(w[0].storage(), WeightStorage::kInt8);
    for (const int8_t v : w[0].to_int8()) {
        EXPECT_GE(v, -127);
    }
    EXPECT_NEAR(w[2].to_floats()[0], 127 / std::sqrt(6.0F / 90), 1e-3);
    EXPECT_GT(w[3].to_floats()[0], 0);
    EXPECT_GT(w[4].to_floats()[0], 0);
}

TEST(RandomWeights, RefuseToFillMemory) {
    NetDef net = inner_product(1, 2147483647);
    const Status status = random_weights(&net, 1);
    EXPECT_EQ(status.code(), Code::kOutOfMemory);
    expect_contains(status.message(),
                    "net.param:4: InnerProduct layer 'fc': the network has more than 536870912 weights");
}

}  // namespace

}  // namespace fw::test
