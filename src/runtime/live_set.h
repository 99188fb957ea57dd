// How little memory the blobs of a plan could do with.
#pragma once

#include <cstdint>

#include "runtime/plan.h"

namespace fw {

/// The largest sum of bytes (each blob rounded up to kAlignment) that must exist at one step, in the plan's order of
/// execution: what the step reads and writes, and what later steps or the caller still read. A blob that can be a view,
/// be computed in place of an input that dies there, or be a part of a joined blob is counted once; workspaces and
/// copies are not counted. A lower bound of Plan::arena_bytes that does not depend on how the plan lays out memory.
uint64_t least_activation_bytes(const Plan& plan);

}  // namespace fw
