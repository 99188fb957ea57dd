#include "layer/vulkan/steps.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace fw::vulkan {

namespace {

// Floats in their order as whole numbers: neighbours differ by 1, both zeros are 0.
int32_t order_of(float x) {
    int32_t bits = 0;
    std::memcpy(&bits, &x, sizeof(bits));
    return bits < 0 ? -(bits & INT32_MAX) : bits;
}
float float_of(int32_t order) {
    const int32_t bits = order < 0 ? -order | INT32_MIN : order;
    float x = 0.0F;
    std::memcpy(&x, &bits, sizeof(x));
    return x;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kMishMinimum = -1.19240904F;  // where it turns from falling to rising

class Finder {
public:
    Finder(const FusedActivation& activation, const QuantParams& quant) : activation_(activation), quant_(quant) {
        steps_.level.push_back(level(-kInfinity));
    }

    // `from` has been seen; the function rises or falls from there to `to`.
    void find(float from, float to) { find(order_of(from), level(from), order_of(to), level(to)); }

    LevelSteps take() { return std::move(steps_); }

private:
    int8_t level(float x) const { return quantize(activation_.apply(x), quant_); }

    void find(int32_t from, int8_t from_level, int32_t to, int8_t to_level) {
        if (from_level == to_level) {
            return;
        }
        if (to - int64_t{from} == 1) {
            add(float_of(to), to_level);
            return;
        }
        const auto middle = static_cast<int32_t>((int64_t{from} + to) >> 1);
        const int8_t middle_level = level(float_of(middle));
        find(from, from_level, middle, middle_level);
        find(middle, middle_level, to, to_level);
    }

    // A step at a denormal number is one at its next neighbour that is none: devices may take them for 0.
    void add(float x, int8_t level) {
        if (x != 0.0F && std::fabs(x) < std::numeric_limits<float>::min()) {
            x = x > 0.0F ? std::numeric_limits<float>::min() : 0.0F;
        }
        if (!steps_.from.empty() && steps_.from.back() == x) {
            steps_.level.back() = level;
            return;
        }
        steps_.from.push_back(x);
        steps_.level.push_back(level);
    }

    const FusedActivation& activation_;
    const QuantParams& quant_;
    LevelSteps steps_;
};

}  // namespace

int8_t LevelSteps::at(float x) const {
    return level[static_cast<size_t>(std::upper_bound(from.begin(), from.end(), x) - from.begin())];
}

LevelSteps level_steps(const FusedActivation& activation, const QuantParams& quant) {
    Finder finder(activation, quant);
    finder.find(-kInfinity, -kLargest);  // neighbours; Mish has no number at the first
    const float turn = activation.type == FusedActivation::Type::kMish ? kMishMinimum : -kLargest;
    finder.find(-kLargest, turn);
    finder.find(turn, kInfinity);
    return finder.take();
}

}  // namespace fw::vulkan
