// Reads float32 .npy files (little-endian, C order), as the reference outputs of real networks are stored.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fw/mat.h"

namespace fw::test {

struct Npy {
    std::vector<int> shape;  ///< as stored, outermost first
    std::vector<float> values;
    bool ok = false;

    /// A Mat without the leading axes of 1 (batch), at most `rank` axes kept.
    Mat mat(int rank) const {
        std::vector<int> extents = shape;
        while (static_cast<int>(extents.size()) > rank && extents.front() == 1) {
            extents.erase(extents.begin());
        }
        Shape out;
        out.rank = static_cast<int>(extents.size());
        for (int axis = 0; axis < out.rank; ++axis) {
            out[axis] = extents[static_cast<size_t>(axis)];
        }
        Mat made = *Mat::create(out);
        std::memcpy(made.data(), values.data(), values.size() * sizeof(float));
        return made;
    }
};

inline Npy read_npy(const std::string& path) {
    Npy npy;
    std::ifstream in(path, std::ios::binary);
    const std::string data((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (data.size() < 10 || data.compare(0, 6, "\x93NUMPY") != 0) {
        return npy;
    }
    const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(data[i])); };
    const bool long_header = data[6] != 1;
    const size_t start = long_header ? 12 : 10;
    const size_t length = byte(8) + (byte(9) << 8) + (long_header ? (byte(10) << 16) + (byte(11) << 24) : 0);
    const std::string header = data.substr(start, length);
    if (header.find("<f4") == std::string::npos || header.find("'fortran_order': False") == std::string::npos) {
        return npy;
    }
    size_t count = 1;
    size_t at = header.find('(') + 1;
    while (header[at] != ')') {
        if (header[at] >= '0' && header[at] <= '9') {
            size_t used = 0;
            npy.shape.push_back(std::stoi(header.substr(at), &used));
            count *= static_cast<size_t>(npy.shape.back());
            at += used;
        } else {
            ++at;
        }
    }
    if (data.size() != start + length + count * sizeof(float)) {
        return npy;
    }
    npy.values.resize(count);
    std::memcpy(npy.values.data(), data.data() + start + length, count * sizeof(float));
    npy.ok = true;
    return npy;
}

}  // namespace fw::test
