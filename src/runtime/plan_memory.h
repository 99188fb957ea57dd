// Where the blobs of a plan lie.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/plan.h"

namespace fw {

/// Gives every root that is no input, and every step's workspace, its place in the arena, for as long as it is needed:
/// Root::offset, PlanStep::workspace, Plan::arena_bytes. kOutOfMemory, which names `source`, where that takes more than
/// `max_bytes`.
Status lay_out_memory(Plan* plan, uint64_t max_bytes, const std::string& source);

}  // namespace fw
