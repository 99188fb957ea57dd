// A function of one number whose result is a level of an int8 blob, as what it is: a list of steps.
#pragma once

#include <cstdint>
#include <vector>

#include "layer/support/fused_activation.h"

namespace fw::vulkan {

/// level[i] from from[i - 1] on (everything less: level[0]), up to from[i].
struct LevelSteps {
    std::vector<float> from;  ///< ascending; 0 or normal numbers
    std::vector<int8_t> level;

    int8_t at(float x) const;
};

/// quantize(activation.apply(x)) of every x that is no nan and 0 or normal, found by halving the range between numbers
/// of different levels where the function rises or falls only: Sigmoid and Mish. What these compute in double
/// precision, rounded to float, does so; tests/vulkan/steps_test.cpp looks at every number around their steps and
/// extrema.
LevelSteps level_steps(const FusedActivation& activation, const QuantParams& quant);

}  // namespace fw::vulkan
