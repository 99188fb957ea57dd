// Made-up weights for benchmarks of networks that come without a .bin file.
#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstring>

#include "model/blobs.h"

namespace fw {

namespace {

/// No network of the field needs more; a hostile .param may ask for anything.
constexpr int64_t kMaxRandomWeights = int64_t{1} << 29;

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t next() {
        state_ += 0x9e3779b97f4a7c15U;
        uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    /// Values in [lo, hi), multiples of 2^-24 of the width; two a draw.
    std::vector<float> uniform(size_t count, float lo, float hi) {
        std::vector<float> out;
        out.reserve(count);
        const float step = (hi - lo) * 5.9604644775390625e-8F;
        while (out.size() < count) {
            const uint64_t bits = next();
            out.push_back(lo + step * static_cast<float>(bits >> 40));
            if (out.size() < count) {
                out.push_back(lo + step * static_cast<float>((bits >> 8) & 0xffffffU));
            }
        }
        return out;
    }
    /// Values in [-127, 127], eight a draw (their distribution is even but for one value in 255).
    std::vector<int8_t> uniform_int8(size_t count) {
        std::vector<int8_t> out(count);
        uint64_t bits = 0;
        for (size_t i = 0; i < count; ++i) {
            bits = i % 8 == 0 ? next() : bits >> 8;
            out[i] = static_cast<int8_t>(static_cast<int>((bits & 0xff) * 255 / 256) - 127);
        }
        return out;
    }

private:
    uint64_t state_;
};

/// FNV-1a: a layer's weights depend on its name and the seed only, not on the layers around it.
uint64_t hash(const std::string& text) {
    uint64_t h = 0xcbf29ce484222325U;
    for (const char c : text) {
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return h;
}

struct Interval {
    float lo, hi;
};

bool contains(const char* name, const char* part) {
    return std::strstr(name, part) != nullptr;
}

/// Values that keep a network's activations near unit variance, and every square root and division defined.
Interval plain_range(const std::string& type, const char* blob) {
    if (type == "BatchNorm" && contains(blob, "slope")) {
        return {0.5F, 1.5F};
    }
    if (contains(blob, "var")) {
        return {0.5F, 1.5F};
    }
    if (contains(blob, "bias") || contains(blob, "mean") || contains(blob, "beta")) {
        return {-0.1F, 0.1F};
    }
    if (contains(blob, "scale") || contains(blob, "gamma")) {
        return {0.5F, 1.5F};
    }
    if (std::strcmp(blob, "slope_data") == 0) {
        return {0.05F, 0.3F};
    }
    return {-1, 1};
}

/// Half width of He's uniform distribution for the layer's first blob: sqrt(6 / fan-in).
float he_bound(const LayerDef& layer, int64_t weights) {
    const int64_t outputs = layer.type == "Gemm" ? 1 : std::max(1, layer.params.get(0, 1));
    int64_t fan_in = std::max<int64_t>(1, weights / outputs);
    if (layer.type == "Gemm") {
        fan_in = std::max(1, layer.params.get(9, 1));
    } else if (layer.type == "Embed") {
        fan_in = 6;
    }
    return std::sqrt(6.0F / static_cast<float>(fan_in));
}

/// An int8 blob's scale: 127 / bound for weights, 127 / 4 for activations (of about unit variance).
float int8_scale(const char* blob, float bound) {
    return 127.0F / (contains(blob, "blob") ? 4.0F : bound);
}

Weight random_blob(const LayerDef& layer, const BlobSpec& spec, float bound, bool int8, Random* random) {
    const auto count = static_cast<size_t>(spec.count);
    if (contains(spec.name, "int8_scale")) {
        return Weight::from_floats(std::vector<float>(count, int8_scale(spec.name, bound)));
    }
    const bool matrix = spec.flagged && layer.type != "MemoryData" && !contains(spec.name, "C_data");
    if (matrix && int8) {
        return Weight::from_int8(random->uniform_int8(count));
    }
    const Interval range = matrix ? Interval{-bound, bound} : plain_range(layer.type, spec.name);
    return Weight::from_floats(random->uniform(count, range.lo, range.hi));
}

}  // namespace

Status random_weights(NetDef* net, uint64_t seed) {
    std::vector<BlobSpec> specs;
    int64_t total = 0;
    for (LayerDef& layer : net->layers) {
        const auto named = [&](const Status& status) {
            return status.with_prefix("%s:%d: %s layer '%s'", net->source.c_str(), layer.line, layer.type.c_str(),
                                      layer.name.c_str());
        };
        FW_RETURN_IF_ERROR(named(layer_blobs(layer, nullptr, &specs)));
        layer.weights.clear();
        bool int8 = false;
        for (const BlobSpec& spec : specs) {
            int8 = int8 || contains(spec.name, "int8_scale");
            if (spec.count > kMaxRandomWeights - total) {
                return named(Status::error(Code::kOutOfMemory, "the network has more than %" PRId64 " weights",
                                           kMaxRandomWeights));
            }
            total += spec.count;
        }
        const float bound = specs.empty() ? 1.0F : he_bound(layer, specs[0].count);
        Random random(seed ^ hash(layer.name));
        for (const BlobSpec& spec : specs) {
            layer.weights.push_back(random_blob(layer, spec, bound, int8, &random));
        }
    }
    return {};
}

}  // namespace fw
