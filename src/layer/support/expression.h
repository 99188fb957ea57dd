// Sizes that a model file states as expressions of its inputs' shapes, as ncnn's newer converters (pnnx) write them.
#pragma once

#include <string>
#include <vector>

#include "fw/mat.h"
#include "fw/span.h"
#include "fw/status.h"

namespace fw {

/// A list such as "*(0w,2),0h,-1": whole numbers, extents of the inputs (0w = width of the first, 1c = channels of the
/// second; n, the batch, is 1) and functions of them: + - * / // max min fmod pow abs neg sign square sqrt rsqrt
/// reciprocal trunc ceil floor round. "/" divides as real numbers do; entries lose their fraction in the end.
class ShapeExpression {
public:
    /// Fails on a name that is none of these, and on functions with too few operands; `key` is the parameter's name.
    Status parse(const std::string& text, const char* key);
    bool empty() const { return tokens_.empty(); }
    /// The entries in the order of the text. Fails on an input that is not there and on results beyond 32 bits.
    Status evaluate(Span<const Shape> inputs, std::vector<int>* out) const;

private:
    Status run(Span<const Shape> inputs, std::vector<double>* stack) const;

    std::string text_, key_;
    std::vector<std::string> tokens_;
};

/// The shapes of descriptions or tensors.
template <class T>
std::vector<Shape> shapes_of(Span<const T> inputs) {
    std::vector<Shape> shapes;
    for (const T& input : inputs) {
        shapes.push_back(input.shape);
    }
    return shapes;
}

}  // namespace fw
