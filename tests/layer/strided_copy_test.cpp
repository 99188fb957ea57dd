#include "layer/support/strided_copy.h"

#include <gtest/gtest.h>

#include <numeric>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::Strides;

constexpr Strides kAllStrides[] = {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose};

template <class T>
std::vector<T> counting(const Shape& shape) {
    std::vector<T> values(static_cast<size_t>(shape.count()));
    std::iota(values.begin(), values.end(), T{});
    return values;
}

template <class T>
void copies_between_all_strides(DType dtype) {
    for (const Shape& shape :
         {Shape(7), Shape(3, 5), Shape(3, 4, 5), Shape(33, 17, 18), Shape(1, 9, 40), Shape(2, 3, 4, 5)}) {
        const auto values = counting<T>(shape);
        for (const Strides from : kAllStrides) {
            for (const Strides to : kAllStrides) {
                for (const int threads : {1, from == to ? 4 : 2}) {
                    const HostTensor source = HostTensor::from(TensorDesc{shape, dtype, {}}, values, from);
                    const HostTensor target(TensorDesc{shape, dtype, {}}, to);
                    copy_elements(source.tensor(), target.tensor(), threads);
                    ASSERT_EQ(target.values<T>(), values) << shape.str() << test::name(from) << test::name(to);
                    ASSERT_TRUE(target.gaps_intact());
                }
            }
        }
    }
}

TEST(StridedCopy, AllElementSizes) {
    copies_between_all_strides<int8_t>(DType::kInt8);
    copies_between_all_strides<uint16_t>(DType::kFloat16);
    copies_between_all_strides<float>(DType::kFloat32);
}

TEST(StridedCopy, TranslatesThroughATable) {
    int8_t table[256];
    for (int q = -128; q < 128; ++q) {
        table[q + 128] = static_cast<int8_t>(-1 - q);
    }
    const Shape shape(5, 6, 7);
    const auto values = counting<int8_t>(shape);
    for (const Strides to : kAllStrides) {
        const HostTensor source = HostTensor::int8(shape, {1.0F, 0}, values);
        const HostTensor target(TensorDesc{shape, DType::kInt8, {}}, to);
        copy_elements(source.tensor(), target.tensor(), 2, table);
        auto expected = values;
        for (int8_t& v : expected) {
            v = static_cast<int8_t>(-1 - v);
        }
        EXPECT_EQ(target.values<int8_t>(), expected);
    }
}

TEST(StridedCopy, ReshapesAnyShapeToAnyOther) {
    const Shape shapes[] = {Shape(120),        Shape(8, 15),      Shape(15, 8),        Shape(4, 5, 6),  Shape(6, 5, 4),
                            Shape(2, 3, 4, 5), Shape(5, 2, 2, 6), Shape(1, 120, 1, 1), Shape(10, 1, 12)};
    for (const Shape& a : shapes) {
        for (const Shape& b : shapes) {
            const auto values = counting<float>(a);
            for (const Strides from : kAllStrides) {
                for (const Strides to : kAllStrides) {
                    const HostTensor source = HostTensor::floats(a, values, from);
                    const HostTensor target(TensorDesc{b, DType::kFloat32, {}}, to);
                    copy_reshaped(source.tensor(), target.tensor(), 2);
                    ASSERT_EQ(target.values(), values) << a.str() << b.str();
                    // Where a view exists it says the same.
                    Tensor view;
                    if (reshaped_view(source.tensor(), b, &view)) {
                        const HostTensor copy(TensorDesc{b, DType::kFloat32, {}});
                        copy_tensor(view, copy.tensor());
                        ASSERT_EQ(copy.values(), values) << a.str() << b.str() << test::name(from);
                    }
                }
            }
        }
    }
}

TEST(ReshapedView, KnowsWhatStridesAllow) {
    const auto allows = [](const Shape& from, Strides strides, const Shape& to) {
        Tensor view;
        return reshaped_view(HostTensor(TensorDesc{from, DType::kFloat32, {}}, strides).tensor(), to, &view);
    };
    EXPECT_TRUE(allows(Shape(4, 5, 6), Strides::kPlain, Shape(120)));
    EXPECT_TRUE(allows(Shape(4, 5, 6), Strides::kPlain, Shape(20, 6)));
    EXPECT_FALSE(allows(Shape(4, 5, 6), Strides::kDense, Shape(120)));
    EXPECT_TRUE(allows(Shape(4, 5, 6), Strides::kDense, Shape(4, 30)));
    EXPECT_TRUE(allows(Shape(4, 5, 6), Strides::kDense, Shape(2, 2, 30)));
    EXPECT_FALSE(allows(Shape(4, 5, 6), Strides::kAdjacent, Shape(4, 30)));
    EXPECT_TRUE(allows(Shape(4, 1, 1), Strides::kDense, Shape(4)));
    EXPECT_TRUE(allows(Shape(1, 5, 6), Strides::kDense, Shape(30)));
    EXPECT_FALSE(allows(Shape(4, 5, 6), Strides::kPlain, Shape(121)));
}

}  // namespace
}  // namespace fw
