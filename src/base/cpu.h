// Instruction sets: what this processor has, and which level the kernels use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/isa.h"
#include "fw/status.h"

namespace fw {

/// "scalar", "sse41", "avx2", "avxvnni", "avx512", "avx512vnni", "avx512vbmi", "avx512bf16", "neon", "fp16", "dotprod"
/// or "i8mm".
const char* name(Isa isa);
/// False for a name that is none of them.
bool parse_isa(const char* text, Isa* isa);

/// Everything that `level` promises, as a bit set. `scalar` promises nothing.
uint32_t isa_features(Isa level);
/// A kernel written for `kernel` may run where `level` is in use.
inline bool isa_covers(Isa level, Isa kernel) {
    return (isa_features(kernel) & ~isa_features(level)) == 0;
}

/// Levels of this processor that the operating system supports too, in the order of the enum; `scalar` is always first.
std::vector<Isa> available_isas();

/// The level in use: that of a ScopedIsa, else of the environment variable FW_ISA (read once), else the last of
/// available_isas(). FW_ISA with an unknown name or a level that this processor lacks is an error (kInvalidArgument).
Result<Isa> current_isa();

/// The levels that `FW_ISA` may name here, for messages: "scalar, sse41, avx2".
std::string available_isa_names();

/// Forces a level that available_isas() lists while it lives (tests and benchmarks). Process-wide; not to be created
/// while another thread prepares layers.
class ScopedIsa {
public:
    explicit ScopedIsa(Isa isa);
    ~ScopedIsa();
    ScopedIsa(const ScopedIsa&) = delete;
    ScopedIsa& operator=(const ScopedIsa&) = delete;

private:
    int previous_;
};

}  // namespace fw
