// InnerProduct, Gemm and MatMul beyond the golden vectors: exact int8, the order of 3-d inputs, threads, bad
// parameters.
#include <gtest/gtest.h>

#include <random>

#include "base/cpu.h"
#include "quant/quant.h"
#include "support/layer_runner.h"

namespace fw::test {
namespace {

ParamDict inner_product(int outputs, int count, bool bias) {
    ParamDict p;
    p.set(0, outputs);
    p.set(1, bias ? 1 : 0);
    p.set(2, count);
    return p;
}

TEST(InnerProduct, FlattensInTheOrderOfTheFile) {
    // Channel 0 holds 1 2, channel 1 holds 3 4: the file's order is 1 2 3 4, whatever the memory's.
    for (const Strides strides : {Strides::kDense, Strides::kPlain, Strides::kLoose}) {
        RunOptions options;
        options.strides = strides;
        const auto out = run_layer("InnerProduct", inner_product(1, 4, true),
                                   {Weight::from_floats({1, 10, 100, 1000}), Weight::from_floats({0.5F})},
                                   {HostTensor::floats(Shape(2, 1, 2), {1, 2, 3, 4}, strides)}, 1, options);
        ASSERT_TRUE(out.ok()) << out.status().message();
        EXPECT_EQ((*out)[0].tensor().shape, Shape(1));
        EXPECT_EQ((*out)[0].values(), std::vector<float>{4321.5F});
    }
}

TEST(InnerProduct, Int8MatchesTheContract) {
    std::mt19937 rng(5);
    const QuantParams in{20.0F, -3};
    const QuantParams out_quant{3.0F, 0};
    for (const Shape& shape : {Shape(1), Shape(63), Shape(7, 3, 5), Shape(4, 33)}) {
        for (const int outputs : {1, 10, 49}) {
            const bool by_rows = shape.rank == 2;
            const int k = by_rows ? shape.w() : static_cast<int>(shape.count());
            const int rows = by_rows ? shape.h() : 1;
            std::vector<int8_t> x(static_cast<size_t>(shape.count()));
            std::vector<float> weights(static_cast<size_t>(k * outputs));
            std::vector<float> bias(static_cast<size_t>(outputs));
            for (int8_t& v : x) {
                v = static_cast<int8_t>(std::uniform_int_distribution<int>(-128, 127)(rng));
            }
            // Weights are whole multiples of a step, so that their quantized values are known.
            for (float& w : weights) {
                w = static_cast<float>(std::uniform_int_distribution<int>(-127, 127)(rng)) / 64.0F;
            }
            for (float& b : bias) {
                b = static_cast<float>(std::uniform_int_distribution<int>(-9, 9)(rng)) / 4.0F;
            }
            const std::vector<float> scales(static_cast<size_t>(outputs), 64.0F);
            for (const Isa isa : available_isas()) {
                const ScopedIsa forced(isa);
                RunOptions options;
                options.threads = isa == Isa::kScalar ? 3 : 1;
                options.weight_scales = scales;
                options.outputs = {TensorDesc{{}, DType::kInt8, out_quant}};
                const auto out = run_layer("InnerProduct", inner_product(outputs, k * outputs, true),
                                           {Weight::from_floats(weights), Weight::from_floats(bias)},
                                           {HostTensor::int8(shape, in, x)}, 1, options);
                ASSERT_TRUE(out.ok()) << out.status().message();
                const std::vector<int8_t> got = (*out)[0].values<int8_t>();
                ASSERT_EQ(got.size(), static_cast<size_t>(rows * outputs));
                for (int r = 0; r < rows; ++r) {
                    for (int o = 0; o < outputs; ++o) {
                        // 20 * 64 steps a unit; the bias is a whole number of them.
                        int64_t acc = std::llround(static_cast<double>(bias[static_cast<size_t>(o)]) * 1280.0);
                        for (int i = 0; i < k; ++i) {
                            acc += (x[static_cast<size_t>(r * k + i)] + 3) *
                                   std::llround(static_cast<double>(weights[static_cast<size_t>(o * k + i)]) * 64.0);
                        }
                        const float scaled = static_cast<float>(acc) * static_cast<float>(3.0 / 1280.0);
                        const double want =
                            std::min(127.0, std::max(-127.0, std::nearbyint(static_cast<double>(scaled))));
                        ASSERT_EQ(got[static_cast<size_t>(r * outputs + o)], static_cast<int>(want))
                            << name(isa) << " " << shape.str() << " row " << r << " output " << o;
                    }
                }
            }
        }
    }
}

TEST(InnerProduct, ThreadsAgree) {
    std::mt19937 rng(6);
    std::uniform_real_distribution<float> value(-1.0F, 1.0F);
    std::vector<float> x(301);
    std::vector<float> weights(301 * 203);
    for (auto* v : {&x, &weights}) {
        for (float& f : *v) {
            f = value(rng);
        }
    }
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 8}) {
        RunOptions options;
        options.threads = threads;
        const auto out = run_layer("InnerProduct", inner_product(203, 301 * 203, false), {Weight::from_floats(weights)},
                                   {HostTensor::floats(Shape(301), x)}, 1, options);
        ASSERT_TRUE(out.ok()) << out.status().message();
        if (first.empty()) {
            first = (*out)[0].values();
        }
        EXPECT_EQ((*out)[0].values(), first) << threads;
    }
}

std::string message(const char* type, const ParamDict& p, std::vector<Weight> weights, std::vector<Shape> shapes) {
    std::vector<HostTensor> inputs;
    for (const Shape& shape : shapes) {
        inputs.push_back(HostTensor::floats(shape, std::vector<float>(static_cast<size_t>(shape.count()))));
    }
    const auto out = run_layer(type, p, weights, inputs);
    return out.ok() ? "ok" : out.status().message();
}

TEST(InnerProduct, BadParametersAreErrors) {
    const Weight six = Weight::from_floats(std::vector<float>(6));
    EXPECT_EQ(message("InnerProduct", inner_product(2, 6, false), {six}, {Shape(3)}), "ok");
    EXPECT_NE(message("InnerProduct", inner_product(0, 6, false), {six}, {Shape(3)}).find("num_output (0) is 0"),
              std::string::npos);
    EXPECT_NE(message("InnerProduct", inner_product(4, 6, false), {six}, {Shape(3)}).find("weight_data_size (2) is 6"),
              std::string::npos);
    EXPECT_NE(message("InnerProduct", inner_product(2, 8, false), {six}, {Shape(4)}).find("has 6 elements, expected 8"),
              std::string::npos);
    EXPECT_NE(message("InnerProduct", inner_product(2, 6, false), {six}, {Shape(4)})
                  .find("4 elements, the weights are for 3"),
              std::string::npos);
}

TEST(Gemm, BadShapesAreErrors) {
    ParamDict p;
    EXPECT_EQ(message("Gemm", p, {}, {Shape(2, 3), Shape(3, 4)}), "ok");
    EXPECT_NE(message("Gemm", p, {}, {Shape(2, 3), Shape(4, 3)}).find("do not match"), std::string::npos);
    EXPECT_NE(message("Gemm", p, {}, {Shape(2, 3), Shape(3, 4), Shape(3)}).find("does not broadcast"),
              std::string::npos);
    EXPECT_NE(message("Gemm", p, {}, {Shape(2, 3)}).find("expected 2"), std::string::npos);
    EXPECT_NE(message("Gemm", p, {}, {Shape(2, 3, 3), Shape(3, 4)}).find("expected a matrix"), std::string::npos);
    p.set(18, 1);
    EXPECT_NE(message("Gemm", p, {}, {Shape(2, 3), Shape(3, 4)}).find("quantize_term"), std::string::npos);
}

TEST(MatMul, BadShapesAreErrors) {
    const ParamDict p;
    EXPECT_NE(message("MatMul", p, {}, {Shape(2, 3), Shape(4, 3)}).find("do not match"), std::string::npos);
    EXPECT_NE(message("MatMul", p, {}, {Shape(2, 2, 3), Shape(3, 3, 4)}).find("do not broadcast"), std::string::npos);
}

}  // namespace
}  // namespace fw::test
