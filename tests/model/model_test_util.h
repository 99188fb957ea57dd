// Short forms for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "model/model_io.h"

namespace fw::test {

inline Result<NetDef> parse(const std::string& text) {
    return parse_param({text.data(), text.size()}, "net.param");
}

/// A whole .param file from its layers' lines.
inline std::string param_file(int layers, int blobs, const std::string& lines) {
    return "7767517\n" + std::to_string(layers) + " " + std::to_string(blobs) + "\n" + lines;
}

inline FileData in_memory(const std::vector<uint8_t>& bytes) {
    FileData file;
    auto copy = std::make_shared<std::vector<uint8_t>>(bytes);
    file.bytes = *copy;
    file.owner = copy;
    return file;
}

/// Builds .bin files by hand.
struct Bytes {
    std::vector<uint8_t> data;

    Bytes& u32(uint32_t v) {
        for (int i = 0; i < 4; ++i) {
            data.push_back(static_cast<uint8_t>(v >> (8 * i)));
        }
        return *this;
    }
    Bytes& u8(std::initializer_list<int> values) {
        for (const int v : values) {
            data.push_back(static_cast<uint8_t>(v));
        }
        return *this;
    }
    Bytes& f32(std::initializer_list<float> values) {
        for (const float v : values) {
            uint32_t bits;
            std::memcpy(&bits, &v, 4);
            u32(bits);
        }
        return *this;
    }
};

inline void expect_contains(const char* message, const std::string& part) {
    EXPECT_NE(std::string(message).find(part), std::string::npos) << "message: " << message << "\nexpected: " << part;
}

}  // namespace fw::test
