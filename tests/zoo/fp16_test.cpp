// Arithmetic in float16 on whole networks: how far the outputs are from float32's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "zoo/zoo.h"

namespace fw::zoo {
namespace {

// The error is the root mean square of the difference, as a share of the values'.
struct Fp16Case {
    const char* name;
    int size;  ///< width and height of the input; 0: the network's own
    double stated;
};

void PrintTo(const Fp16Case& c, std::ostream* os) {  // NOLINT(readability-identifier-naming)
    *os << c.name;
}

class Subject {
public:
    Status load(const NetDef& def, Precision precision) {
        Option option;
        option.precision = precision;
        option.fp16_arithmetic = true;
        FW_RETURN_IF_ERROR(net_.set_option(option));
        FW_RETURN_IF_ERROR(zoo::load(def, &net_, &files_));
        FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(net_.input_shape("data")));
        std::mt19937 rng(20261129);
        for (int64_t i = 0; i < mat.count(); ++i) {
            mat.data()[i] = static_cast<float>(rng()) * 0x1p-31F - 1.0F;
        }
        extractor_ = std::make_unique<Extractor>(net_.create_extractor());
        return extractor_->input("data", mat);
    }
    Result<std::vector<LayerPlan>> plan() const { return net_.plan(); }
    MemoryUse memory_use() const { return net_.memory_use(); }
    std::vector<std::string> outputs() const { return net_.output_names(); }
    Status extract(const std::string& blob, Mat* out) { return extractor_->extract(blob.c_str(), out); }

private:
    ModelFiles files_;
    Net net_;
    std::unique_ptr<Extractor> extractor_;
};

double relative_error(const Mat& got, const Mat& want) {
    double error = 0;
    double power = 0;
    for (int64_t i = 0; i < want.count(); ++i) {
        const auto x = static_cast<double>(want.data()[i]);
        error += std::pow(static_cast<double>(got.data()[i]) - x, 2);
        power += x * x;
    }
    return std::sqrt(error / power);
}

class Fp16Zoo : public testing::TestWithParam<Fp16Case> {};
INSTANTIATE_TEST_SUITE_P(Small, Fp16Zoo,
                         testing::Values(Fp16Case{"blazeface", 0, 0x1p-7}, Fp16Case{"squeezenet_v1_1", 96, 0x1p-6},
                                         Fp16Case{"mobilenet_v1", 96, 0x1p-4},
                                         Fp16Case{"mobilenet_v3_large", 96, 0x1p-4}),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(Fp16Zoo, OutputsAreWithinTheStatedError) {
    const Result<Isa> isa = current_isa();
    ASSERT_TRUE(isa.ok());
    if (!isa_covers(*isa, Isa::kFp16)) {
        GTEST_SKIP() << "this processor has no arithmetic on half floats";
    }
    Result<NetDef> def = build(*find(GetParam().name), 1);
    ASSERT_TRUE(def.ok()) << def.status().message();
    for (LayerDef& layer : def->layers) {
        if (layer.type == "Input" && GetParam().size > 0) {
            layer.params.set(0, GetParam().size);
            layer.params.set(1, GetParam().size);
        }
    }
    Subject half;
    Subject whole;
    Status status = half.load(*def, Precision::kFp16);
    ASSERT_TRUE(status.ok()) << status.message();
    status = whole.load(*def, Precision::kFloat);
    ASSERT_TRUE(status.ok()) << status.message();
    const Result<std::vector<LayerPlan>> plan = half.plan();
    ASSERT_TRUE(plan.ok());
    EXPECT_TRUE(std::any_of(plan->begin(), plan->end(), [](const LayerPlan& layer) { return layer.isa == "fp16"; }));
    EXPECT_TRUE(std::any_of(plan->begin(), plan->end(),
                            [](const LayerPlan& layer) { return layer.output_type == DType::kFloat16; }));
    double most = 0;
    for (const std::string& name : half.outputs()) {
        Mat got;
        Mat want;
        status = half.extract(name, &got);
        ASSERT_TRUE(status.ok()) << status.message();
        status = whole.extract(name, &want);
        ASSERT_TRUE(status.ok()) << status.message();
        most = std::max(most, relative_error(got, want));
    }
    EXPECT_LT(most, GetParam().stated);
    EXPECT_GT(most, 0.0);
    EXPECT_LT(half.memory_use().activations, 0.75 * static_cast<double>(whole.memory_use().activations));
    RecordProperty("largest_error", std::to_string(most));
}

}  // namespace
}  // namespace fw::zoo
