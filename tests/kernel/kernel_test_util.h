// What the sweeps of the kernel families share: references of the epilogue, random values, and which kernels run here.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "base/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/panel.h"

namespace fw::test {

inline bool runs_here(Isa level) {
    const std::vector<Isa> here = available_isas();
    return std::find(here.begin(), here.end(), level) != here.end();
}

template <class Kernel>
std::string kernel_test_name(const testing::TestParamInfo<const Kernel*>& info) {
    return info.param->name;
}

/// A test of each kernel of a family; skipped where the processor lacks the kernel's level.
template <class Kernel>
class KernelSweep : public testing::TestWithParam<const Kernel*> {
protected:
    void SetUp() override {
        kernel_ = this->GetParam();
        if (!runs_here(kernel_->level)) {
            GTEST_SKIP() << name(kernel_->level) << " is not available on this processor";
        }
    }

    const Kernel* kernel_ = nullptr;
    std::mt19937 rng_{20240607};
};

/// Contents of a sweep's operands.
enum class Fill { kRandom, kLowest, kHighest, kOpposite, kSmallWeights, kSmallNegative, kWhole };

/// Weights do not have the lowest byte (docs/int8-contract.md).
inline int8_t fill_int8(std::mt19937* rng, Fill fill, bool weight) {
    switch (fill) {
        case Fill::kLowest: return weight ? -127 : -128;
        case Fill::kHighest: return 127;
        case Fill::kOpposite: return weight ? 127 : -128;
        case Fill::kSmallWeights:
            return weight ? static_cast<int8_t>(std::uniform_int_distribution<int>(63, 65)(*rng)) : int8_t{-128};
        case Fill::kSmallNegative:
            return weight ? static_cast<int8_t>(std::uniform_int_distribution<int>(-64, -63)(*rng)) : int8_t{-128};
        default: return static_cast<int8_t>(std::uniform_int_distribution<int>(weight ? -127 : -128, 127)(*rng));
    }
}

inline float fill_float(std::mt19937* rng) {
    return std::uniform_real_distribution<float>(-1.0F, 1.0F)(*rng);
}

/// Sums of products of two such numbers are exact in float16 up to 2048.
inline float fill_whole(std::mt19937* rng) {
    return static_cast<float>(std::uniform_int_distribution<int>(-3, 3)(*rng));
}

template <class T>
T fill_value(std::mt19937* rng, Fill fill, bool weight) {
    if constexpr (std::is_same_v<T, float>) {
        return fill_float(rng);
    } else {
        return fill_int8(rng, fill, weight);
    }
}

/// docs/int8-contract.md, word by word, in double precision where that is exact.
inline int reference_int8(int32_t acc, float multiplier, int zero_point, int lo, int hi) {
    const float product = static_cast<float>(acc) * multiplier;
    const double rounded = std::nearbyint(static_cast<double>(product)) + zero_point;
    return static_cast<int>(std::min<double>(std::max<double>(rounded, lo), hi));
}

/// The int8 output of an epilogue; NaN, as infinity times 0, becomes the lower bound.
inline int reference_int8(int32_t acc, float multiplier, const Epilogue& e) {
    const int lo = static_cast<int>(e.lo) + e.zero_point;
    const int hi = static_cast<int>(e.hi) + e.zero_point;
    if (e.bent == BentFunction::kIdentity) {
        return reference_int8(acc, multiplier, e.zero_point, lo, hi);
    }
    const float x = static_cast<float>(acc) * multiplier;
    const float line = x * e.a;
    const float gate = line + e.b;
    const float share = gate < 0.0F ? 0.0F : gate > 1.0F ? 1.0F : gate;
    const float y = e.bent == BentFunction::kHardSwish ? x * share : x > 0.0F ? x : line;
    if (std::isnan(y)) {
        return lo;
    }
    const double rounded = std::nearbyint(static_cast<double>(y * e.scale)) + e.zero_point;
    return static_cast<int>(std::min<double>(std::max<double>(rounded, lo), hi));
}

/// Outputs of every kind of bent function, around the range of bytes.
inline std::vector<Epilogue> bent_int8_epilogues() {
    std::vector<Epilogue> all;
    for (const int zero_point : {0, -128, 7}) {
        const float lo = zero_point == 0 ? -127.0F : static_cast<float>(-128 - zero_point);
        const float hi = static_cast<float>(127 - zero_point);
        for (const float scale : {3.7F, 0.01F}) {
            all.push_back({false, lo, hi, zero_point, BentFunction::kLeakyRelu, 0.1F, 0.0F, scale});
            all.push_back({false, lo, hi, zero_point, BentFunction::kLeakyRelu, -2.5F, 0.0F, scale});
            all.push_back({false, lo, hi, zero_point, BentFunction::kHardSwish, 0.16666667F, 0.5F, scale});
        }
    }
    return all;
}

inline std::vector<Epilogue> bent_epilogues(bool int8) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (int8) {
        return bent_int8_epilogues();
    }
    return {{true, -kInfinity, kInfinity, 0, BentFunction::kLeakyRelu, 0.1F, 0.0F, 1.0F},
            {true, -kInfinity, kInfinity, 0, BentFunction::kLeakyRelu, -2.5F, 0.0F, 1.0F},
            {true, -kInfinity, kInfinity, 0, BentFunction::kHardSwish, 0.16666667F, 0.5F, 1.0F}};
}

/// The function of a float kernel's output.
inline double bent(double x, const Epilogue& e) {
    const auto line = x * static_cast<double>(e.a);
    switch (e.bent) {
        case BentFunction::kIdentity: break;
        case BentFunction::kLeakyRelu: return x > 0.0 ? x : line;
        case BentFunction::kHardSwish: return x * std::min(1.0, std::max(0.0, line + static_cast<double>(e.b)));
    }
    return x;
}

/// The bound of its error where x has one of `error`.
inline double bent_bound(double x, double error, const Epilogue& e) {
    const double rounding = 0x1p-21 * std::fabs(x);
    switch (e.bent) {
        case BentFunction::kIdentity: break;
        case BentFunction::kLeakyRelu: return error * std::max(1.0, std::fabs(static_cast<double>(e.a))) + rounding;
        case BentFunction::kHardSwish: return error * (2.0 + std::fabs(x * static_cast<double>(e.a))) + rounding;
    }
    return error;
}

inline float reference_clamp(float x, const Epilogue& e) {
    return x < e.lo ? e.lo : x > e.hi ? e.hi : x;
}

/// Bound of the error of a float32 sum of `terms` products against the exact one, in any order, with or without FMA.
inline double sum_bound(int64_t terms, double sum_of_magnitudes) {
    return static_cast<double>(terms + 2) * 0x1p-24 * sum_of_magnitudes + 1e-37;
}

/// What a kernel that rounds its operands may add to it (GemmKernel::half). `operands`: the sum of their magnitudes.
inline double half_bound(HalfFormat format, int64_t terms, double sum_of_magnitudes, double operands) {
    if (format == HalfFormat::kFloat32) {
        return 0.0;
    }
    if (format == HalfFormat::kBfloat16) {
        return (0x1p-7 + 0x1p-16) * sum_of_magnitudes + static_cast<double>(terms) * 0x1p-125;
    }
    return static_cast<double>(std::min(terms, kHalfBlock) + div_up(terms, kHalfBlock) + 2) * 0x1p-11 *
               sum_of_magnitudes +
           0x1p-24 * (static_cast<double>(terms) + operands);
}

/// What Epilogue::half_output may add to that.
inline double half_output_bound(double bias, double y) {
    return 0x1p-11 * (std::fabs(bias) + std::fabs(y)) + 0x1p-24;
}

}  // namespace fw::test
