// int8 of BinaryOp and Eltwise on several blobs: each element by the contract's formula, from its operands' values.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::name;
using test::run_layer;
using test::RunOptions;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

int lowest(const QuantParams& q) {
    return q.zero_point == 0 ? -127 : -128;
}

// Values over the whole range, its ends among them.
std::vector<int8_t> values(int64_t count, const QuantParams& q, uint32_t seed) {
    std::vector<int8_t> out;
    for (int64_t i = 0; i < count; ++i) {
        seed = seed * 1664525U + 1013904223U;
        const int v = i % 11 == 3 ? lowest(q) : (i % 13 == 5 ? 127 : static_cast<int>(seed >> 24) - 128);
        out.push_back(static_cast<int8_t>(std::max(v, lowest(q))));
    }
    return out;
}

// The element of a blob of shape `own` at a row-major index of `shape` (equal ranks), where extents of 1 repeat.
size_t source(int64_t index, const Shape& shape, const Shape& own) {
    int64_t from = 0;
    int64_t step = 1;
    for (int axis = shape.rank - 1; axis >= 0; --axis) {
        const int64_t i = index % shape[axis];
        index /= shape[axis];
        from += own[axis] == 1 ? 0 : i * step;
        step *= own[axis];
    }
    return static_cast<size_t>(from);
}

struct Operand {
    int q;
    QuantParams quant;
    int centred() const { return q - quant.zero_point; }
};

// rne(x) + zero_point within the range; a nan gives its lower end.
int level(float x, const QuantParams& out) {
    if (std::isnan(x)) {
        return lowest(out);
    }
    const float rounded = std::nearbyint(std::min(std::max(x, -1000.0F), 1000.0F));
    return std::min(std::max(static_cast<int>(rounded) + out.zero_point, lowest(out)), 127);
}

// The integer formula of the contract's sum, with its search for the shift.
int sum_of(const std::vector<Operand>& x, const std::vector<double>& c, const QuantParams& out) {
    for (int shift = 30; shift >= 1; --shift) {
        double magnitude = 0;
        bool fits = true;
        int64_t total = int64_t{1} << (shift - 1);
        for (size_t i = 0; i < x.size(); ++i) {
            const double ratio = c[i] * static_cast<double>(out.scale) / static_cast<double>(x[i].quant.scale);
            const double k = std::nearbyint(ratio * std::pow(2.0, shift));
            fits = fits && std::fabs(k) <= 1048576.0;
            magnitude += std::fabs(k);
            total += static_cast<int64_t>(k) * x[i].centred();
        }
        if (fits && magnitude * 255 < 1073741824.0) {
            return static_cast<int>(
                std::min<int64_t>(std::max<int64_t>((total >> shift) + out.zero_point, lowest(out)), 127));  // NOLINT
        }
    }
    ADD_FAILURE() << "no shift fits";
    return 0;
}

float ratio(double numerator, double denominator) {
    return static_cast<float>(numerator / denominator);
}

int product_of(const std::vector<Operand>& x, const QuantParams& out) {
    int64_t product = 1;
    double scale = 1;
    for (const Operand& factor : x) {
        product *= factor.centred();
        scale *= static_cast<double>(factor.quant.scale);
    }
    return level(static_cast<float>(product) * ratio(static_cast<double>(out.scale), scale), out);
}

int quotient_of(const Operand& a, const Operand& b, const QuantParams& out) {
    const float quotient = static_cast<float>(a.centred()) / static_cast<float>(b.centred());
    const double scales = static_cast<double>(out.scale) * static_cast<double>(b.quant.scale);
    return level(quotient * ratio(scales, static_cast<double>(a.quant.scale)), out);
}

int extreme_of(const std::vector<Operand>& x, bool max, const QuantParams& out) {
    std::vector<float> real;
    for (const Operand& o : x) {
        real.push_back(static_cast<float>(o.centred()) *
                       ratio(static_cast<double>(out.scale), static_cast<double>(o.quant.scale)));
    }
    return level(max ? *std::max_element(real.begin(), real.end()) : *std::min_element(real.begin(), real.end()), out);
}

using Formula = std::function<int(const std::vector<Operand>&, const QuantParams&)>;

struct Operation {
    const char* name;
    int op;
    Formula formula;
};

const Operation kOperations[] = {
    {"add", 0,
     [](const auto& x, const QuantParams& out) {
         return sum_of(x, {1, 1}, out);
     }},
    {"sub", 1,
     [](const auto& x, const QuantParams& out) {
         return sum_of(x, {1, -1}, out);
     }},
    {"mul", 2, [](const auto& x, const QuantParams& out) { return product_of(x, out); }},
    {"div", 3, [](const auto& x, const QuantParams& out) { return quotient_of(x[0], x[1], out); }},
    {"max", 4, [](const auto& x, const QuantParams& out) { return extreme_of(x, true, out); }},
    {"min", 5, [](const auto& x, const QuantParams& out) { return extreme_of(x, false, out); }},
    {"rsub", 7,
     [](const auto& x, const QuantParams& out) {
         return sum_of(x, {-1, 1}, out);
     }},
    {"rdiv", 8, [](const auto& x, const QuantParams& out) { return quotient_of(x[1], x[0], out); }},
};

// Scales of both inputs and of the output: symmetric, every level of non-negative blobs, odd zero points, an output so
// fine that it saturates, one so coarse that everything rounds to few levels.
const std::vector<QuantParams> kQuants[] = {
    {{20.0F, 0}, {20.0F, 0}, {20.0F, 0}},    {{21.7F, -128}, {55.5F, -128}, {13.1F, -128}},
    {{17.3F, 5}, {31.1F, -13}, {9.7F, 90}},  {{40.0F, 127}, {13.0F, 0}, {2000.0F, 3}},
    {{255.0F, -128}, {30.0F, 7}, {0.2F, 0}},
};

struct Shapes {
    Shape a, b;    ///< of the blobs
    Shape wide_a;  ///< seen in the rank of the result
    Shape wide_b;
};

const Shapes kShapes[] = {
    {Shape(1), Shape(1), Shape(1), Shape(1)},
    {Shape(300), Shape(300), Shape(300), Shape(300)},
    {Shape(37), Shape(1), Shape(37), Shape(1)},
    {Shape(7, 33), Shape(7, 33), Shape(7, 33), Shape(7, 33)},
    {Shape(7, 33), Shape(7), Shape(7, 33), Shape(7, 1)},
    {Shape(7, 33), Shape(33), Shape(7, 33), Shape(1, 33)},
    {Shape(17, 5, 3), Shape(17, 5, 3), Shape(17, 5, 3), Shape(17, 5, 3)},
    {Shape(64, 9, 5), Shape(64, 1, 1), Shape(64, 9, 5), Shape(64, 1, 1)},  // squeeze-excite
    {Shape(24, 3, 7), Shape(24), Shape(24, 3, 7), Shape(24, 1, 1)},
    {Shape(1, 9, 5), Shape(300, 9, 5), Shape(1, 9, 5), Shape(300, 9, 5)},
    {Shape(3, 40, 31), Shape(1, 40, 31), Shape(3, 40, 31), Shape(1, 40, 31)},
    {Shape(16, 1, 7), Shape(1, 6, 1), Shape(16, 1, 7), Shape(1, 6, 1)},
    {Shape(1), Shape(5, 4, 3), Shape(1, 1, 1), Shape(5, 4, 3)},
    {Shape(70, 40, 11), Shape(70, 1, 1), Shape(70, 40, 11), Shape(70, 1, 1)},  // enough for threads
};

class Int8BinaryOp : public testing::TestWithParam<Operation> {};

TEST_P(Int8BinaryOp, EveryElementOfEveryBroadcast) {
    const Operation& operation = GetParam();
    ParamDict params;
    params.set(0, operation.op);
    for (const Shapes& shapes : kShapes) {
        Shape result = shapes.wide_a;
        for (int axis = 0; axis < result.rank; ++axis) {
            result[axis] = std::max(shapes.wide_a[axis], shapes.wide_b[axis]);
        }
        for (const std::vector<QuantParams>& quants : kQuants) {
            const std::vector<int8_t> a = values(shapes.a.count(), quants[0], 1);
            const std::vector<int8_t> b = values(shapes.b.count(), quants[1], 2);
            std::vector<int> want;
            for (int64_t i = 0; i < result.count(); ++i) {
                const int of_a = a[source(i, result, shapes.wide_a)];
                const int of_b = b[source(i, result, shapes.wide_b)];
                want.push_back(operation.formula({{of_a, quants[0]}, {of_b, quants[1]}}, quants[2]));
            }
            for (const Strides strides : kAllStrides) {
                RunOptions options;
                options.strides = strides;
                options.in_place = strides != Strides::kPlain;
                options.threads = 3;
                options.outputs.assign(1, TensorDesc{{}, DType::kInt8, quants[2]});
                auto got = run_layer("BinaryOp", params, {},
                                     {HostTensor::int8(shapes.a, quants[0], a, strides),
                                      HostTensor::int8(shapes.b, quants[1], b, strides)},
                                     1, options);
                ASSERT_TRUE(got.ok()) << got.status().message();
                const std::vector<int8_t> bytes = (*got)[0].values<int8_t>();
                ASSERT_EQ(std::vector<int>(bytes.begin(), bytes.end()), want)
                    << shapes.a.str() << " and " << shapes.b.str() << ", " << name(strides) << ", output scale "
                    << quants[2].scale;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Int8BinaryOp, testing::ValuesIn(kOperations),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

// Every pair of levels, so that every tie of a product and every division by the zero point is met.
TEST_P(Int8BinaryOp, EveryPairOfLevels) {
    ParamDict params;
    params.set(0, GetParam().op);
    const QuantParams in_a{10.0F, -3};
    const QuantParams in_b{4.0F, 20};
    const QuantParams out{5.0F, -1};
    std::vector<int8_t> a;
    std::vector<int8_t> b;
    std::vector<int> want;
    for (int i = -128; i < 128; ++i) {
        for (int j = -128; j < 128; ++j) {
            a.push_back(static_cast<int8_t>(i));
            b.push_back(static_cast<int8_t>(j));
            want.push_back(GetParam().formula({{i, in_a}, {j, in_b}}, out));
        }
    }
    RunOptions options;
    options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
    const Shape shape(65536);
    auto got = run_layer("BinaryOp", params, {}, {HostTensor::int8(shape, in_a, a), HostTensor::int8(shape, in_b, b)},
                         1, options);
    ASSERT_TRUE(got.ok()) << got.status().message();
    const std::vector<int8_t> bytes = (*got)[0].values<int8_t>();
    EXPECT_EQ(std::vector<int>(bytes.begin(), bytes.end()), want);
}

TEST(Int8BinaryOp, PowersOfTwoBlobsAreRefused) {
    ParamDict params;
    params.set(0, 6);
    RunOptions options;
    options.outputs.assign(1, TensorDesc{{}, DType::kInt8, {10.0F, 0}});
    const HostTensor x = HostTensor::int8(Shape(2), {10.0F, 0}, {1, 2});
    EXPECT_EQ(run_layer("BinaryOp", params, {}, {x, x}, 1, options).status().code(), Code::kUnsupported);
    params.set(0, 2);
    const HostTensor real = HostTensor::floats(Shape(2), {1, 2});
    EXPECT_EQ(run_layer("BinaryOp", params, {}, {x, real}, 1, options).status().code(), Code::kUnsupported);
}

TEST(Int8Eltwise, ProductsAndMaximaOfSeveral) {
    const QuantParams quants[] = {{60.0F, 0}, {50.0F, -128}, {90.0F, 17}, {70.0F, -5}};
    const QuantParams out{21.0F, 6};
    const Shape shape(19, 7, 5);
    for (const int op : {0, 2}) {
        for (size_t inputs = 2; inputs <= 4; ++inputs) {
            for (const Strides strides : kAllStrides) {
                std::vector<HostTensor> blobs;
                std::vector<std::vector<int8_t>> levels;
                for (size_t i = 0; i < inputs; ++i) {
                    levels.push_back(values(shape.count(), quants[i], static_cast<uint32_t>(i)));
                    blobs.push_back(HostTensor::int8(shape, quants[i], levels.back(), strides));
                }
                ParamDict params;
                params.set(0, op);
                RunOptions options;
                options.strides = strides;
                options.in_place = true;
                options.outputs.assign(1, TensorDesc{{}, DType::kInt8, out});
                auto got = run_layer("Eltwise", params, {}, blobs, 1, options);
                if (op == 0 && inputs > 3) {  // 255^4 does not fit
                    EXPECT_EQ(got.status().code(), Code::kUnsupported);
                    continue;
                }
                ASSERT_TRUE(got.ok()) << got.status().message();
                const std::vector<int8_t> bytes = (*got)[0].values<int8_t>();
                for (size_t i = 0; i < bytes.size(); ++i) {
                    std::vector<Operand> x;
                    for (size_t k = 0; k < inputs; ++k) {
                        x.push_back({levels[k][i], quants[k]});
                    }
                    ASSERT_EQ(int{bytes[i]}, op == 0 ? product_of(x, out) : extreme_of(x, true, out))
                        << i << " of " << inputs << " inputs, " << name(strides);
                }
            }
        }
    }
}

}  // namespace
}  // namespace fw
