// Constant: a tensor whose values are known while a network is converted: weights, and all that follows from shapes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fw/status.h"
#include "model/model_io.h"
#include "onnx.pb.h"

namespace fw::onnx {

using Dims = std::vector<int64_t>;

/// Most elements of a constant that folding makes (a Range, an Expand); initializers may be as large as their file.
constexpr int64_t kMaxFolded = int64_t{1} << 24;

std::string dims_text(const Dims& dims);
/// Product of the extents; -1 if one is negative or the product is beyond what a tensor may hold.
int64_t dims_count(const Dims& dims);
/// Row-major step of every axis.
Dims steps_of(const Dims& dims);
/// Is it one of the floating point types of TensorProto::DataType?
bool is_real(int type);
/// "float", "int64" ... for messages.
const char* type_name(int type);

struct Constant {
    int type = TensorProto::FLOAT;
    Dims dims;
    std::vector<float> f;    ///< the values, where is_real(type)
    std::vector<int64_t> i;  ///< else; a bool is 0 or 1
    /// Of a dequantized weight: the real value of an int8 step, one a slice of quant_axis, or a single one; empty for
    /// others.
    std::vector<double> quant_steps;
    int quant_axis = -1;

    bool real() const { return is_real(type); }
    size_t count() const { return real() ? f.size() : i.size(); }
    double at(size_t k) const { return real() ? static_cast<double>(f[k]) : static_cast<double>(i[k]); }
    void reserve_count(size_t count) { real() ? f.resize(count) : i.resize(count); }
    void set(size_t k, double value);
    std::vector<float> floats() const;

    static Constant ints(Dims dims, std::vector<int64_t> values);
    static Constant reals(Dims dims, std::vector<float> values);
};
using ConstantPtr = std::shared_ptr<const Constant>;

/// `c` with its axes in another order: axis k of the result is axis order[k] of `c`.
Constant transposed(const Constant& c, const std::vector<int>& order);

/// Values of a tensor of the file; sizes are checked against the data before memory is taken. `external` has the bytes
/// of a tensor whose data lie in another file.
Result<Constant> decode(const TensorProto& tensor, Span<const uint8_t> external);

}  // namespace fw::onnx
