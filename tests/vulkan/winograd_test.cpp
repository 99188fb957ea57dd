// Winograd on the device against convolution as it is defined, in double precision, over sizes around its tiles, bands
// and the tiles of the products.
#include <algorithm>
#include <cmath>

#include "device_support.h"
#include "faults.h"
#include "model/model_io.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

constexpr uint64_t kSeed = 11;
// Of the largest value of the output.
constexpr double kFloatBound = 1e-5;
constexpr double kHalfBound = 4e-3;

struct Size {
    int channels, h, w, outputs, pad;
    const char* more;  // further keys
};

float image_value(int64_t i) {
    return static_cast<float>(i * 37 % 255) / 127.0F - 1.0F;
}

// [output][y][x] of a 3x3 convolution with a bias; pixels outside are `pad_value`.
std::vector<double> reference(const LayerDef& conv, const Size& size, double pad_value) {
    std::vector<float> storage;
    std::vector<float> bias_storage;
    const Span<const float> weights = conv.weights[0].floats(&storage);
    const Span<const float> bias = conv.weights[1].floats(&bias_storage);
    const int out_h = size.h + 2 * size.pad - 2;
    const int out_w = size.w + 2 * size.pad - 2;
    std::vector<double> out;
    for (int output = 0; output < size.outputs; ++output) {
        for (int y = 0; y < out_h; ++y) {
            for (int x = 0; x < out_w; ++x) {
                double sum = bias[static_cast<size_t>(output)];
                for (int c = 0; c < size.channels; ++c) {
                    for (int tap = 0; tap < 9; ++tap) {
                        const int in_y = y + tap / 3 - size.pad;
                        const int in_x = x + tap % 3 - size.pad;
                        const bool inside = in_y >= 0 && in_y < size.h && in_x >= 0 && in_x < size.w;
                        const double value =
                            inside ? image_value((int64_t{c} * size.h + in_y) * size.w + in_x) : pad_value;
                        sum += value *
                               weights[static_cast<size_t>(output * size.channels + c) * 9 + static_cast<size_t>(tap)];
                    }
                }
                out.push_back(sum);
            }
        }
    }
    return out;
}

// On a driver without cooperative matrices, which would be taken before it in float16.
class VulkanWinograd : public VulkanTest {
protected:
    VulkanWinograd() : driver_(faults()) {}
    static vulkan::Faults faults() {
        vulkan::Faults faults;
        faults.no_cooperative_matrix = true;
        return faults;
    }
    vulkan::FaultyDriver driver_;

    // The shader that the convolution ran in.
    static std::string expect_near_reference(const Size& size, Precision precision, double pad_value,
                                             double (*activation)(double)) {
        const std::string text = "7767517\n2 2\nInput data 0 1 data 0=" + std::to_string(size.w) +
                                 " 1=" + std::to_string(size.h) + " 2=" + std::to_string(size.channels) +
                                 "\nConvolution conv 1 1 data conv 0=" + std::to_string(size.outputs) +
                                 " 1=3 4=" + std::to_string(size.pad) +
                                 " 5=1 6=" + std::to_string(size.outputs * size.channels * 9) + " " + size.more + "\n";
        SCOPED_TRACE(text);
        Result<NetDef> def = parse_param({text.data(), text.size()}, "test");
        EXPECT_TRUE(def.ok()) << def.status().message();
        EXPECT_TRUE(random_weights(&*def, kSeed).ok());
        Option option;
        option.device = "vulkan";
        option.precision = precision;
        Net net;
        zoo::ModelFiles files;
        EXPECT_TRUE(net.set_option(option).ok());
        EXPECT_TRUE(zoo::load(*def, &net, &files).ok());
        Extractor extractor = net.create_extractor();
        Result<Mat> image = Mat::create(Shape(size.channels, size.h, size.w));
        EXPECT_TRUE(image.ok());
        for (int64_t i = 0; i < image->count(); ++i) {
            image->data()[i] = image_value(i);
        }
        EXPECT_TRUE(extractor.input("data", *image).ok());
        Mat got;
        const Status status = extractor.extract("conv", &got);
        EXPECT_TRUE(status.ok()) << status.message();
        const std::vector<double> want = reference(def->layers[1], size, pad_value);
        EXPECT_EQ(got.count(), static_cast<int64_t>(want.size()));
        if (testing::Test::HasFailure()) {
            return "";
        }
        double largest = 0.0;
        double error = 0.0;
        for (size_t i = 0; i < want.size(); ++i) {
            const double value = activation(want[i]);
            largest = std::max(largest, std::fabs(value));
            error = std::max(error, std::fabs(value - static_cast<double>(got.data()[i])));
        }
        EXPECT_GT(largest, 0.0);
        EXPECT_LE(error, (precision == Precision::kFp16 ? kHalfBound : kFloatBound) * largest);
        const Result<std::vector<LayerPlan>> plan = net.plan();
        EXPECT_TRUE(plan.ok());
        return plan.ok() ? plan->back().kernel : "";
    }
};

double same(double x) {
    return x;
}

TEST_F(VulkanWinograd, IsNearTheReference) {
    // Even and odd outputs, with and without padding; rows, columns and depths beside multiples of the products' tiles.
    for (const Size& size : {Size{32, 14, 14, 32, 1, ""},
                             {32, 15, 13, 33, 1, ""},
                             {35, 16, 15, 41, 0, ""},
                             {48, 9, 33, 37, 1, ""},
                             {64, 40, 12, 34, 2, ""},
                             {33, 2, 130, 66, 1, ""}}) {
        EXPECT_EQ(expect_near_reference(size, Precision::kFloat, 0.0, same), "winograd_output_float");
        EXPECT_EQ(expect_near_reference(size, Precision::kFp16, 0.0, same), "winograd_output_half");
    }
}

TEST_F(VulkanWinograd, ActivationsAndPadding) {
    EXPECT_EQ(expect_near_reference({32, 14, 15, 36, 1, "9=1"}, Precision::kFloat, 0.0,
                                    [](double x) { return std::max(x, 0.0); }),
              "winograd_output_float");
    EXPECT_EQ(expect_near_reference({32, 14, 15, 36, 1, "9=2 -23310=1,0.25"}, Precision::kFloat, 0.0,
                                    [](double x) { return x > 0.0 ? x : 0.25 * x; }),
              "winograd_output_float");
    EXPECT_EQ(expect_near_reference({32, 14, 15, 36, 1, "9=4"}, Precision::kFloat, 0.0,
                                    [](double x) { return 1.0 / (1.0 + std::exp(-x)); }),
              "winograd_output_float");
    EXPECT_EQ(expect_near_reference({32, 14, 15, 36, 1, "18=0.5"}, Precision::kFloat, 0.5, same),
              "winograd_output_float");
}

// More transformed tiles than the scratch memory holds at a time: several bands of rows.
TEST_F(VulkanWinograd, Bands) {
    EXPECT_EQ(expect_near_reference({32, 131, 130, 64, 1, ""}, Precision::kFloat, 0.0, same), "winograd_output_float");
}

// Few channels, and few pixels, are faster without.
TEST_F(VulkanWinograd, IsChosenByShape) {
    EXPECT_EQ(expect_near_reference({8, 14, 14, 32, 1, ""}, Precision::kFloat, 0.0, same), "conv_float");
    EXPECT_EQ(expect_near_reference({64, 7, 7, 64, 1, ""}, Precision::kFloat, 0.0, same), "conv_float");
    EXPECT_EQ(expect_near_reference({64, 7, 7, 64, 1, ""}, Precision::kFp16, 0.0, same), "conv_half");
}

}  // namespace
}  // namespace fw
