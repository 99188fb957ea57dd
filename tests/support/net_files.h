// Builds the two files of a model in memory, line by line.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "fw/net.h"

namespace fw::test {

/// Text of a .param file and bytes of its .bin file, from the lines of the layers.
class NetFiles {
public:
    /// One layer as the .param file has it: type, name, counts, blobs, parameters.
    NetFiles& layer(const std::string& line) {
        std::istringstream in(line);
        std::string type, name;
        int inputs = 0;
        int outputs = 0;
        in >> type >> name >> inputs >> outputs;
        ++layers_;
        blobs_ += outputs;
        lines_ += line + "\n";
        return *this;
    }
    /// Weights with a storage tag of 0 (float32), as Convolution's and InnerProduct's first blob.
    NetFiles& tagged(const std::vector<float>& values) {
        const uint32_t tag = 0;
        append(&tag, sizeof tag);
        return raw(values);
    }
    /// An int8 blob behind its tag, padded to four bytes.
    NetFiles& tagged_int8(const std::vector<int8_t>& values) {
        const uint32_t tag = 0x000D4B38;
        append(&tag, sizeof tag);
        append(values.data(), values.size());
        bin_.resize((bin_.size() + 3) / 4 * 4);
        return *this;
    }
    NetFiles& raw(const std::vector<float>& values) {
        append(values.data(), values.size() * sizeof(float));
        return *this;
    }

    std::string param() const {
        return "7767517\n" + std::to_string(layers_) + " " + std::to_string(blobs_) + "\n" + lines_;
    }
    const std::vector<uint8_t>& bin() const { return bin_; }
    /// The Net must not outlive this object.
    Status load(Net* net) const {
        param_ = param();
        return net->load_model_memory(Span<const char>(param_.data(), param_.size()), bin_);
    }

private:
    void append(const void* data, size_t bytes) {
        const auto* first = static_cast<const uint8_t*>(data);
        bin_.insert(bin_.end(), first, first + bytes);
    }
    int layers_ = 0;
    int blobs_ = 0;
    std::string lines_;
    std::vector<uint8_t> bin_;
    mutable std::string param_;
};

/// Reproducible numbers, uniform in [lo, hi).
class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}
    float uniform(float lo, float hi) {
        // std::uniform_real_distribution differs between standard libraries.
        return lo + (hi - lo) * static_cast<float>(engine_() >> 8) / 16777216.0F;
    }
    std::vector<float> floats(size_t count, float lo = -1.0F, float hi = 1.0F) {
        std::vector<float> values(count);
        for (float& value : values) {
            value = uniform(lo, hi);
        }
        return values;
    }
    int integer(int lo, int hi) { return lo + static_cast<int>(engine_() % static_cast<unsigned>(hi - lo + 1)); }
    Mat mat(const Shape& shape, float lo = -1.0F, float hi = 1.0F) {
        Mat out = *Mat::create(shape);
        for (int64_t i = 0; i < out.count(); ++i) {
            out.data()[i] = uniform(lo, hi);
        }
        return out;
    }

private:
    std::mt19937 engine_;
};

}  // namespace fw::test
