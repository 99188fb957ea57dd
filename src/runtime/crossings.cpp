#include "runtime/crossings.h"

namespace fw {

namespace {

int root_of(const Plan& plan, SlotId id) {
    return plan.slots[static_cast<size_t>(id)].root;
}

}  // namespace

void plan_crossings(Plan* plan) {
    enum class Current : uint8_t { kNowhere, kHost, kDevice, kBoth };
    std::vector<Current> current(plan->roots.size(), Current::kNowhere);
    for (PlanStep& step : plan->steps) {
        if (step.action == Action::kNothing) {
            continue;
        }
        const Current here = step.on_device ? Current::kDevice : Current::kHost;
        const Current there = step.on_device ? Current::kHost : Current::kDevice;
        std::vector<int>& moved = step.on_device ? step.to_device : step.to_host;
        for (const auto* side : {&step.inputs, &step.outputs}) {
            for (const SlotId id : *side) {
                const int r = root_of(*plan, id);
                if (plan->roots[static_cast<size_t>(r)].input == kNone && current[static_cast<size_t>(r)] == there) {
                    moved.push_back(r);
                    current[static_cast<size_t>(r)] = Current::kBoth;
                }
            }
        }
        for (const SlotId id : step.outputs) {
            current[static_cast<size_t>(root_of(*plan, id))] = here;
        }
    }
}

void plan_imports(Plan* plan) {
    bool all = false;
    for (const PlanStep& step : plan->steps) {
        for (const SlotId id : step.outputs) {
            Root& root = plan->roots[static_cast<size_t>(root_of(*plan, id))];
            root.of_input = root.of_input || step.imports;
        }
        all = all || step.imports;
    }
    for (const PlanStep& step : plan->steps) {
        if (step.on_device || step.imports || step.action == Action::kNothing) {
            continue;
        }
        for (const auto* side : {&step.inputs, &step.outputs}) {
            for (const SlotId id : *side) {
                const Root& root = plan->roots[static_cast<size_t>(root_of(*plan, id))];
                all = all && !root.of_input && root.input == kNone;
            }
        }
    }
    plan->imports_inputs = all;
}

}  // namespace fw
