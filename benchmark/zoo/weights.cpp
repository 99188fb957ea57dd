#include "zoo/weights.h"

namespace fw::zoo {

// FNV-1a over the name.
Draws::Draws(uint64_t seed, const std::string& layer) : state_(0xcbf29ce484222325U) {
    for (const char c : layer) {
        state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    state_ ^= seed * 0x9e3779b97f4a7c15U;
}

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014); its four 16-bit lanes added.
int32_t Draws::next() {
    state_ += 0x9e3779b97f4a7c15U;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    const uint64_t sum = (z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48);
    return static_cast<int32_t>(sum) - 2 * 0xffff;
}

std::vector<float> Draws::normal(size_t count, double deviation) {
    const auto step = static_cast<float>(deviation / kDeviation);
    std::vector<float> values(count);
    for (float& value : values) {
        value = static_cast<float>(next()) * step;
    }
    return values;
}

}  // namespace fw::zoo
