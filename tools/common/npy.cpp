#include "common/npy.h"

#include <cstdlib>
#include <cstring>

#include "model/model_io.h"

namespace fw::tools {

namespace {

// Text after `'key':` in the header's dict, "" when absent.
std::string header_field(const std::string& header, const char* key) {
    const size_t at = header.find(std::string("'") + key + "'");
    if (at == std::string::npos) {
        return {};
    }
    const size_t colon = header.find(':', at);
    if (colon == std::string::npos) {
        return {};
    }
    size_t begin = header.find_first_not_of(' ', colon + 1);
    if (begin == std::string::npos) {
        return {};
    }
    const char close = header[begin] == '(' ? ')' : header[begin] == '\'' ? '\'' : ',';
    if (close != ',') {
        ++begin;
    }
    const size_t end = header.find(close, begin);
    return end == std::string::npos ? std::string() : header.substr(begin, end - begin);
}

Status parse_shape(const std::string& text, const char* path, std::vector<int64_t>* dims) {
    const char* p = text.c_str();
    while (*p != '\0') {
        char* end = nullptr;
        const long long value = std::strtoll(p, &end, 10);
        if (end == p) {
            break;
        }
        if (value < 0 || value > Shape::kMaxElements) {
            return Status::error(Code::kParseError, "%s: shape (%s) has an impossible extent", path, text.c_str());
        }
        dims->push_back(value);
        p = end;
        while (*p == ',' || *p == ' ' || *p == 'L') {
            ++p;
        }
    }
    if (*p != '\0') {
        return Status::error(Code::kParseError, "%s: cannot read the shape (%s)", path, text.c_str());
    }
    return {};
}

template <class T>
void convert(const uint8_t* from, int64_t count, float* to) {
    for (int64_t i = 0; i < count; ++i) {
        T value;
        std::memcpy(&value, from + static_cast<size_t>(i) * sizeof(T), sizeof(T));
        to[i] = static_cast<float>(value);
    }
}

struct ElementType {
    const char* descr;
    size_t size;
    void (*convert)(const uint8_t* from, int64_t count, float* to);
};

constexpr ElementType kElementTypes[] = {
    {"<f4", 4, convert<float>},   {"<f8", 8, convert<double>},  {"|i1", 1, convert<int8_t>},
    {"|u1", 1, convert<uint8_t>}, {"<i4", 4, convert<int32_t>}, {"<i8", 8, convert<int64_t>},
};

}  // namespace

Result<Mat> read_npy(const std::string& path) {
    const char* name = path.c_str();
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(name));
    const uint8_t* bytes = file.bytes.data();
    const size_t size = file.bytes.size();
    if (size < 12 || std::memcmp(bytes, "\x93NUMPY", 6) != 0) {
        return Status::error(Code::kParseError, "%s: not a .npy file", name);
    }
    const bool long_header = bytes[6] >= 2;
    const size_t start = long_header ? 12 : 10;
    size_t length = bytes[8] | size_t{bytes[9]} << 8;
    if (long_header) {
        length |= size_t{bytes[10]} << 16 | size_t{bytes[11]} << 24;
    }
    if (length > size - start) {
        return Status::error(Code::kParseError, "%s: the header is cut off", name);
    }
    const std::string header(reinterpret_cast<const char*>(bytes) + start, length);
    const std::string descr = header_field(header, "descr");
    const ElementType* type = nullptr;
    for (const ElementType& candidate : kElementTypes) {
        if (descr == candidate.descr) {
            type = &candidate;
        }
    }
    if (type == nullptr) {
        return Status::error(Code::kUnsupported, "%s: element type '%s', expected float32 or an integer type", name,
                             descr.c_str());
    }
    if (header_field(header, "fortran_order").rfind("False", 0) != 0) {
        return Status::error(Code::kUnsupported, "%s: the array is not in C order", name);
    }
    std::vector<int64_t> dims;
    FW_RETURN_IF_ERROR(parse_shape(header_field(header, "shape"), name, &dims));
    if (dims.size() >= 4 && dims[0] == 1) {
        dims.erase(dims.begin());
    }
    if (dims.empty()) {
        dims.push_back(1);
    }
    if (dims.size() > Shape::kMaxRank) {
        return Status::error(Code::kUnsupported, "%s: %zu dimensions, expected at most %d after the batch", name,
                             dims.size(), Shape::kMaxRank);
    }
    Shape shape;
    shape.rank = static_cast<int>(dims.size());
    for (int axis = 0; axis < shape.rank; ++axis) {
        shape[axis] = static_cast<int>(dims[static_cast<size_t>(axis)]);
    }
    const size_t data_size = size - start - length;
    if (!shape.valid() || static_cast<uint64_t>(shape.count()) * type->size != data_size) {
        return Status::error(Code::kParseError, "%s: shape %s of '%s' needs another size than the %zu bytes of data",
                             name, shape.str().c_str(), descr.c_str(), data_size);
    }
    FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(shape));
    type->convert(bytes + start + length, shape.count(), mat.data());
    return mat;
}

Status write_npy(const std::string& path, const Mat& mat, bool add_batch) {
    std::string shape = add_batch ? "1, " : "";
    for (int axis = 0; axis < mat.shape().rank; ++axis) {
        shape += std::to_string(mat.shape()[axis]) + ", ";
    }
    const char* descr = mat.dtype() == DType::kInt8 ? "|i1" : "<f4";
    if (mat.dtype() != DType::kInt8 && mat.dtype() != DType::kFloat32) {
        return Status::error(Code::kUnsupported, "%s: cannot write %s as .npy", path.c_str(), name(mat.dtype()));
    }
    std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    std::string text("\x93NUMPY\x01\x00", 8);
    text += static_cast<char>(header.size() & 0xff);
    text += static_cast<char>(header.size() >> 8);
    text += header;
    if (mat.bytes() > 0) {
        text.append(mat.data<char>(), mat.bytes());
    }
    return write_file_atomic(path.c_str(),
                             Span<const uint8_t>(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

}  // namespace fw::tools
