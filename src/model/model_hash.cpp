#include "model/model_hash.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "base/half.h"
#include "model/model_io.h"

namespace fw {

namespace {

constexpr int64_t kSamples = 1024;

class Fnv1a {
public:
    void add(uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3U; }
    /// Low byte first, whatever the machine's order.
    void add(uint64_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) {
            add(static_cast<uint8_t>(value >> (8 * i)));
        }
    }
    uint64_t value() const { return hash_; }

private:
    uint64_t hash_ = 0xcbf29ce484222325U;
};

uint16_t half_at(const Weight& weight, int64_t index) {
    const auto* bytes = static_cast<const uint8_t*>(weight.data());
    if (weight.storage() == WeightStorage::kFloat16) {
        uint16_t half;
        std::memcpy(&half, bytes + 2 * index, sizeof half);
        return half;
    }
    float value;
    if (weight.storage() == WeightStorage::kFloat32) {
        std::memcpy(&value, bytes + 4 * index, sizeof value);
    } else {
        value = static_cast<float>(reinterpret_cast<const int8_t*>(bytes)[index]);
    }
    return float_to_half(value);
}

}  // namespace

Result<std::string> model_hash(const NetDef& net) {
    NetDef structure;
    for (const LayerDef& layer : net.layers) {
        structure.layers.push_back(layer);
        structure.layers.back().weights.clear();
        if (layer.type == "Input") {
            structure.layers.back().params = ParamDict();
        }
    }
    FW_ASSIGN_OR_RETURN(const std::string text, param_text(structure));
    Fnv1a hash;
    for (const char c : text) {
        hash.add(static_cast<uint8_t>(c));
    }
    for (const LayerDef& layer : net.layers) {
        for (const Weight& weight : layer.weights) {
            const int64_t count = weight.count();
            const int64_t samples = std::min(count, kSamples);
            hash.add(static_cast<uint64_t>(count), 8);
            const int64_t steps = std::max<int64_t>(samples - 1, 1);
            for (int64_t i = 0; i < samples; ++i) {
                // From the first element to the last; no product leaves 64 bits.
                hash.add(half_at(weight, (count - 1) / steps * i + (count - 1) % steps * i / steps), 2);
            }
            weight.release_pages();
        }
    }
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016" PRIx64, hash.value());
    return std::string(digits);
}

}  // namespace fw
