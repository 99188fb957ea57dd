// What steps on a device and steps on the CPU hand to one another.
#pragma once

#include "runtime/plan.h"

namespace fw {

/// PlanStep::to_device and to_host: which roots each step needs that were written on the other side. A step that writes
/// a part of a root needs the rest of it too, so that the root as a whole is always current on one side.
void plan_crossings(Plan* plan);

/// Plan::imports_inputs: inputs are imported all or none, and where the device alone reads what is made of them, since
/// crossings were planned as if the CPU had written it.
void plan_imports(Plan* plan);

}  // namespace fw
