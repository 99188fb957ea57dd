#include "onnx2fw/constant.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/half.h"
#include "tensor/tensor.h"

namespace fw::onnx {

namespace {

struct TypeInfo {
    const char* name;
    int type;
    int bytes;  // of an element in raw data
};

constexpr TypeInfo kTypes[] = {
    {"float", TensorProto::FLOAT, 4},      {"uint8", TensorProto::UINT8, 1},   {"int8", TensorProto::INT8, 1},
    {"uint16", TensorProto::UINT16, 2},    {"int16", TensorProto::INT16, 2},   {"int32", TensorProto::INT32, 4},
    {"int64", TensorProto::INT64, 8},      {"bool", TensorProto::BOOL, 1},     {"float16", TensorProto::FLOAT16, 2},
    {"double", TensorProto::DOUBLE, 8},    {"uint32", TensorProto::UINT32, 4}, {"uint64", TensorProto::UINT64, 8},
    {"bfloat16", TensorProto::BFLOAT16, 2}};

const TypeInfo* find_type(int type) {
    for (const TypeInfo& info : kTypes) {
        if (info.type == type) {
            return &info;
        }
    }
    return nullptr;
}

float from_bfloat16(uint16_t bits) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float out = 0.0F;
    std::memcpy(&out, &wide, sizeof(out));
    return out;
}

template <class T>
T load(const uint8_t* at) {
    T value{};
    std::memcpy(&value, at, sizeof(value));
    return value;
}

// A stored whole number, signed where T is.
template <class T>
int64_t load_whole(const uint8_t* at) {
    return load<T>(at);
}

void read_raw(const uint8_t* data, int bytes, Constant* out) {
    const size_t count = out->count();
    for (size_t k = 0; k < count; ++k) {
        const uint8_t* at = data + k * static_cast<size_t>(bytes);
        switch (out->type) {
            case TensorProto::FLOAT: out->f[k] = load<float>(at); break;
            case TensorProto::DOUBLE: out->f[k] = static_cast<float>(load<double>(at)); break;
            case TensorProto::FLOAT16: out->f[k] = half_to_float(load<uint16_t>(at)); break;
            case TensorProto::BFLOAT16: out->f[k] = from_bfloat16(load<uint16_t>(at)); break;
            case TensorProto::UINT8: out->i[k] = *at; break;
            case TensorProto::BOOL: out->i[k] = *at != 0 ? 1 : 0; break;
            case TensorProto::INT8: out->i[k] = load_whole<int8_t>(at); break;
            case TensorProto::UINT16: out->i[k] = load_whole<uint16_t>(at); break;
            case TensorProto::INT16: out->i[k] = load_whole<int16_t>(at); break;
            case TensorProto::INT32: out->i[k] = load_whole<int32_t>(at); break;
            case TensorProto::UINT32: out->i[k] = load_whole<uint32_t>(at); break;
            default: out->i[k] = load_whole<int64_t>(at); break;
        }
    }
}

// The typed fields; each type has its own (TensorProto's comments).
int64_t typed_count(const TensorProto& t) {
    switch (t.data_type()) {
        case TensorProto::FLOAT: return t.float_data_size();
        case TensorProto::DOUBLE: return t.double_data_size();
        case TensorProto::INT64: return t.int64_data_size();
        case TensorProto::UINT32:
        case TensorProto::UINT64: return t.uint64_data_size();
        default: return t.int32_data_size();
    }
}

void read_typed(const TensorProto& t, Constant* out) {
    for (int k = 0; k < static_cast<int>(out->count()); ++k) {
        const auto at = static_cast<size_t>(k);
        switch (t.data_type()) {
            case TensorProto::FLOAT: out->f[at] = t.float_data(k); break;
            case TensorProto::DOUBLE: out->f[at] = static_cast<float>(t.double_data(k)); break;
            case TensorProto::FLOAT16: out->f[at] = half_to_float(static_cast<uint16_t>(t.int32_data(k))); break;
            case TensorProto::BFLOAT16: out->f[at] = from_bfloat16(static_cast<uint16_t>(t.int32_data(k))); break;
            case TensorProto::INT64: out->i[at] = t.int64_data(k); break;
            case TensorProto::UINT32:
            case TensorProto::UINT64: out->i[at] = static_cast<int64_t>(t.uint64_data(k)); break;
            default: out->i[at] = t.int32_data(k); break;
        }
    }
}

}  // namespace

std::string dims_text(const Dims& dims) {
    std::string out = "[";
    for (size_t k = 0; k < dims.size(); ++k) {
        out += (k > 0 ? "," : "") + std::to_string(dims[k]);
    }
    return out + "]";
}

int64_t dims_count(const Dims& dims) {
    int64_t count = 1;
    bool empty = false;
    for (const int64_t extent : dims) {
        if (extent < 0 || extent > Shape::kMaxElements) {
            return -1;
        }
        empty = empty || extent == 0;
        count *= extent > 0 ? extent : 1;  // both below 2^31: no overflow before the check
        if (count > Shape::kMaxElements) {
            return -1;
        }
    }
    return empty ? 0 : count;
}

Dims steps_of(const Dims& dims) {
    Dims steps(dims.size(), 1);
    for (size_t k = dims.size(); k-- > 1;) {
        steps[k - 1] = steps[k] * dims[k];
    }
    return steps;
}

bool is_real(int type) {
    return type == TensorProto::FLOAT || type == TensorProto::FLOAT16 || type == TensorProto::DOUBLE ||
           type == TensorProto::BFLOAT16;
}

const char* type_name(int type) {
    const TypeInfo* info = find_type(type);
    return info != nullptr ? info->name : type == TensorProto::STRING ? "string" : "of an unknown type";
}

void Constant::set(size_t k, double value) {
    if (real()) {
        f[k] = static_cast<float>(value);
        return;
    }
    constexpr double kLimit = 9223372036854774784.0;  // the largest double below 2^63
    i[k] = value != value ? 0 : static_cast<int64_t>(value > kLimit ? kLimit : value < -kLimit ? -kLimit : value);
}

std::vector<float> Constant::floats() const {
    if (real()) {
        return f;
    }
    std::vector<float> out;
    out.reserve(i.size());
    for (const int64_t value : i) {
        out.push_back(static_cast<float>(value));
    }
    return out;
}

Constant Constant::ints(Dims dims, std::vector<int64_t> values) {
    Constant out;
    out.type = TensorProto::INT64;
    out.dims = std::move(dims);
    out.i = std::move(values);
    return out;
}

Constant Constant::reals(Dims dims, std::vector<float> values) {
    Constant out;
    out.dims = std::move(dims);
    out.f = std::move(values);
    return out;
}

Constant transposed(const Constant& c, const std::vector<int>& order) {
    Constant out;
    out.type = c.type;
    const Dims from = steps_of(c.dims);
    Dims step;
    for (const int axis : order) {
        out.dims.push_back(c.dims[static_cast<size_t>(axis)]);
        step.push_back(from[static_cast<size_t>(axis)]);
    }
    out.reserve_count(c.count());
    Dims index(order.size(), 0);
    int64_t offset = 0;
    for (size_t k = 0; k < c.count(); ++k) {
        if (c.real()) {
            out.f[k] = c.f[static_cast<size_t>(offset)];
        } else {
            out.i[k] = c.i[static_cast<size_t>(offset)];
        }
        for (size_t axis = order.size(); axis-- > 0;) {
            offset += step[axis];
            if (++index[axis] < out.dims[axis]) {
                break;
            }
            offset -= step[axis] * out.dims[axis];
            index[axis] = 0;
        }
    }
    return out;
}

Result<Constant> decode(const TensorProto& tensor, Span<const uint8_t> external) {
    const TypeInfo* info = find_type(tensor.data_type());
    if (info == nullptr) {
        return Status::error(Code::kUnsupported, "tensor is %s (data type %d), expected floats, integers or bool",
                             type_name(tensor.data_type()), tensor.data_type());
    }
    Constant out;
    out.type = tensor.data_type();
    out.dims.assign(tensor.dims().begin(), tensor.dims().end());
    const int64_t count = dims_count(out.dims);
    if (count < 0) {
        return Status::error(Code::kParseError, "tensor is %s: not a size that a tensor can have",
                             dims_text(out.dims).c_str());
    }
    const bool outside = tensor.data_location() == TensorProto::EXTERNAL;
    const uint8_t* raw = outside ? external.data() : reinterpret_cast<const uint8_t*>(tensor.raw_data().data());
    const size_t raw_bytes = outside ? external.size() : tensor.raw_data().size();
    if (outside || tensor.has_raw_data()) {
        const size_t needed = static_cast<size_t>(count) * static_cast<size_t>(info->bytes);
        if (raw_bytes != needed) {
            return Status::error(Code::kParseError, "tensor of %s %s needs %zu bytes, there are %zu", info->name,
                                 dims_text(out.dims).c_str(), needed, raw_bytes);
        }
        out.reserve_count(static_cast<size_t>(count));
        read_raw(raw, info->bytes, &out);
        return out;
    }
    if (typed_count(tensor) != count) {
        return Status::error(Code::kParseError, "tensor of %s %s needs %lld values, there are %lld", info->name,
                             dims_text(out.dims).c_str(), static_cast<long long>(count),
                             static_cast<long long>(typed_count(tensor)));
    }
    out.reserve_count(static_cast<size_t>(count));
    read_typed(tensor, &out);
    return out;
}

}  // namespace fw::onnx
