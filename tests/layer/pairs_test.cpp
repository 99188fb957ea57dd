// BinaryOp and Eltwise of two float blobs against naive loops, to the bit: equal shapes and broadcasts over pixels,
// rows and channels from either side, around the lengths of registers and of repeated runs, on several threads, in
// place.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

enum class Op : int { kAdd, kSub, kMul, kDiv, kMax, kMin };

float apply(Op op, float x, float y) {
    switch (op) {
        case Op::kAdd: return x + y;
        case Op::kSub: return x - y;
        case Op::kMul: return x * y;
        case Op::kDiv: return x / y;
        case Op::kMax: return x < y ? y : x;
        case Op::kMin: return y < x ? y : x;
    }
    return 0.0F;
}

std::vector<float> random_floats(int64_t count, std::mt19937* rng) {
    std::uniform_real_distribution<float> value(-3.0F, 3.0F);
    std::vector<float> list(static_cast<size_t>(count));
    for (float& x : list) {
        x = value(*rng);
    }
    return list;
}

// The element of a blob of `shape` that stands for the one at (c, h, w) of an image.
size_t element(const Shape& shape, int c, int h, int w) {
    if (shape.rank == 1) {
        return static_cast<size_t>(c);
    }
    const int64_t at_c = shape.c() == 1 ? 0 : c;
    const int64_t at_h = shape.h() == 1 ? 0 : h;
    const int64_t at_w = shape.w() == 1 ? 0 : w;
    return static_cast<size_t>((at_c * shape.h() + at_h) * shape.w() + at_w);
}

void expect_naive(const char* type, const ParamDict& params, Op op, const Shape& a, const Shape& b, const Shape& out) {
    std::mt19937 rng(7);
    const std::vector<float> x = random_floats(a.count(), &rng);
    const std::vector<float> y = random_floats(b.count(), &rng);
    for (const int threads : {1, 3}) {
        for (const Strides strides : {Strides::kDense, Strides::kAdjacent, Strides::kPlain}) {
            RunOptions options;
            options.threads = threads;
            options.strides = strides;
            options.in_place = threads == 3 && strides == Strides::kDense && a == out;
            const std::vector<HostTensor> in = {HostTensor::floats(a, x, strides), HostTensor::floats(b, y, strides)};
            const auto got = test::run_layer(type, params, {}, in, 1, options);
            ASSERT_TRUE(got.ok()) << got.status().message();
            const std::vector<float> values = (*got)[0].values();
            ASSERT_TRUE((*got)[0].gaps_intact());
            for (int c = 0; c < out.c(); ++c) {
                for (int h = 0; h < out.h(); ++h) {
                    for (int w = 0; w < out.w(); ++w) {
                        const float want = apply(op, x[element(a, c, h, w)], y[element(b, c, h, w)]);
                        ASSERT_EQ(values[element(out, c, h, w)], want)
                            << type << " " << static_cast<int>(op) << " of " << a.str() << " and " << b.str() << ", "
                            << test::name(strides) << ", " << threads << " threads, at " << c << ", " << h << ", " << w;
                    }
                }
            }
        }
    }
}

TEST(Pairs, BinaryOpBroadcasts) {
    // Channels around a register, a run that fits once, twice, many times or not at all.
    for (const int channels : {1, 7, 8, 16, 33, 100, 342, 511, 512, 513, 1030}) {
        const Shape image(channels, 3, 5);
        const Shape others[] = {image, Shape(channels, 1, 1), Shape(1, 3, 5), Shape(channels, 3, 1), Shape(1, 1, 1)};
        for (const Shape& other : others) {
            for (const Op op : {Op::kAdd, Op::kSub, Op::kMul, Op::kDiv, Op::kMax, Op::kMin}) {
                if (channels > 100 && op != Op::kSub && op != Op::kMul) {
                    continue;
                }
                ParamDict params;
                params.set(0, static_cast<int>(op));
                expect_naive("BinaryOp", params, op, image, other, image);
                expect_naive("BinaryOp", params, op, other, image, image);
            }
        }
        ParamDict subtract;
        subtract.set(0, static_cast<int>(Op::kSub));
        expect_naive("BinaryOp", subtract, Op::kSub, image, Shape(channels), image);
    }
}

// As many elements as several threads take, with a last stretch of few runs.
TEST(Pairs, BinaryOpOfAFactorForEachChannelOfAnImage) {
    ParamDict params;
    params.set(0, static_cast<int>(Op::kSub));
    for (const int channels : {24, 500}) {
        const Shape image(channels, 31, 23);
        expect_naive("BinaryOp", params, Op::kSub, image, Shape(channels, 1, 1), image);
        expect_naive("BinaryOp", params, Op::kSub, Shape(channels, 1, 1), image, image);
    }
}

TEST(Pairs, EltwiseSum) {
    ParamDict params;
    params.set(0, 1);
    for (const int channels : {1, 3, 15, 16, 17, 40, 131}) {
        const Shape image(channels, 13, 11);
        expect_naive("Eltwise", params, Op::kAdd, image, image, image);
    }
}

}  // namespace
}  // namespace fw
