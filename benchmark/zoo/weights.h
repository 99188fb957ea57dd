// Made-up weights that are the same, to the bit, on every processor and compiler: integers are drawn, and what floating
// point follows is single IEEE operations (no libm but the square root, which IEEE rounds exactly).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fw::zoo {

/// Draws of one layer: they depend on the seed and the layer's name, not on the layers around it.
class Draws {
public:
    Draws(uint64_t seed, const std::string& layer);

    /// A whole number, normally distributed (nearly: the sum of four uniform ones) about 0 with deviation kDeviation.
    int32_t next();
    /// `count` floats of mean 0 and deviation `deviation`; no value is beyond 3.5 deviations.
    std::vector<float> normal(size_t count, double deviation);

    static constexpr double kDeviation = 37837.2271309;  ///< of four uniform draws of 16 bits

private:
    uint64_t state_;
};

}  // namespace fw::zoo
