// Layers of the application.
#include "run_util.h"

namespace fw {
namespace {

using test::mat_of;
using test::NetFiles;
using test::values;

// out[0] = factor * in + offset[channel]; out[1] = {number of elements}.
class Affine final : public CustomLayer {
public:
    explicit Affine(int* alive) : alive_(alive) { ++*alive_; }
    ~Affine() override { --*alive_; }
    Status load_param(const ParamDict& params) override {
        factor_ = params.get(0, 1.0F);
        channels_ = params.get(1, 0);
        return channels_ >= 0 ? Status() : Status::error(Code::kInvalidArgument, "channels is %d", channels_);
    }
    std::vector<int64_t> weight_counts() const override { return {channels_}; }
    Status load_weights(Span<const Mat> weights) override {
        offset_ = values(weights[0]);
        return {};
    }
    Status infer_shapes(Span<const Shape> inputs, Span<Shape> outputs) const override {
        if (inputs[0].c() != channels_) {
            return Status::error(Code::kInvalidArgument, "%d channels, expected %d", inputs[0].c(), channels_);
        }
        outputs[0] = inputs[0];
        outputs[1] = Shape(1);
        return {};
    }
    Status forward(Span<const Mat> inputs, Span<Mat> outputs) const override {
        const int64_t size = inputs[0].count() / channels_;
        for (int64_t i = 0; i < inputs[0].count(); ++i) {
            outputs[0].data()[i] = inputs[0].data()[i] * factor_ + offset_[static_cast<size_t>(i / size)];
        }
        outputs[1].data()[0] = static_cast<float>(inputs[0].count());
        return {};
    }

private:
    int* alive_;
    float factor_ = 1.0F;
    int channels_ = 0;
    std::vector<float> offset_;
};

std::unique_ptr<CustomLayer> make_affine(void* alive) {
    return std::make_unique<Affine>(static_cast<int*>(alive));
}

NetFiles net_with(const std::string& line) {
    NetFiles files;
    files.layer("Input in 0 1 data 0=2 1=2 2=2").layer("ReLU r 1 1 data relu").layer(line).raw({10, 20});
    files.layer("ReLU q 1 1 out relu2");
    return files;
}

TEST(CustomLayer, RunsInPlainLayoutWithItsWeights) {
    int alive = 0;
    {
        const NetFiles files = net_with("Affine a 1 2 relu out count 0=2.0 1=2");
        Net net;
        FW_ASSERT_OK(net.register_layer("Affine", make_affine, &alive));
        FW_ASSERT_OK(files.load(&net));
        const Mat data = mat_of(Shape(2, 2, 2), {1, -2, 3, 4, 5, 6, -7, 8});
        EXPECT_EQ(values(test::run(net, {{"data", data}}, "relu2")),
                  (std::vector<float>{12, 10, 16, 18, 30, 32, 20, 36}));
        EXPECT_EQ(values(test::run(net, {{"data", data}}, "count")), (std::vector<float>{8}));
        EXPECT_EQ(net.output_names(), (std::vector<std::string>{"count", "relu2"}));
        EXPECT_GT(alive, 0);
    }
    EXPECT_EQ(alive, 0);
}

TEST(CustomLayer, UnknownTypesAndBadParametersNameTheLayer) {
    int alive = 0;
    Net net;
    const NetFiles files = net_with("Affine a 1 2 relu out count 0=2.0 1=2");
    const std::string unknown = files.load(&net).message();
    EXPECT_NE(unknown.find("Affine"), std::string::npos) << unknown;
    EXPECT_NE(unknown.find(":5"), std::string::npos) << unknown;
    FW_ASSERT_OK(net.register_layer("Affine", make_affine, &alive));
    NetFiles bad;
    bad.layer("Input in 0 1 data 0=2 1=2 2=2").layer("Affine a 1 2 data out count 1=-2");
    const std::string message = bad.load(&net).message();
    EXPECT_NE(message.find(":4: layer 'a' (Affine): channels is -2"), std::string::npos) << message;
}

TEST(CustomLayer, RegisteringIsChecked) {
    Net net;
    int alive = 0;
    EXPECT_EQ(net.register_layer("Convolution", make_affine, &alive).code(), Code::kInvalidArgument);
    EXPECT_EQ(net.register_layer("", make_affine, &alive).code(), Code::kInvalidArgument);
    EXPECT_EQ(net.register_layer("Mine", nullptr).code(), Code::kInvalidArgument);
    FW_ASSERT_OK(net.register_layer("Mine", [](void*) { return std::unique_ptr<CustomLayer>(); }));
    NetFiles files;
    files.layer("Input in 0 1 data 0=2").layer("Mine m 1 1 data out");
    EXPECT_FALSE(files.load(&net).ok());
}

}  // namespace
}  // namespace fw
