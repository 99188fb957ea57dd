// The instruction set levels, apart from their detection so that kernel files stay free of the standard library.
#pragma once

#include <cstdint>

namespace fw {

/// Levels that kernels are written for, in order of preference on their architecture. A level stands for a set of
/// features (isa_features in cpu.h), and a kernel of one level runs on another that has all of its features.
enum class Isa : uint8_t {
    kScalar,
    kSse41,
    kAvx2,
    kAvxVnni,
    kAvx512,
    kAvx512Vnni,
    kAvx512Vbmi,
    kAvx512Bf16,
    kNeon,
    kFp16,
    kDotprod,
    kI8mm
};
constexpr int kIsaCount = 12;

}  // namespace fw
