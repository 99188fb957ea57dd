#include "runtime/plan_memory.h"

#include <algorithm>
#include <limits>

#include "runtime/arena_layout.h"

namespace fw {

Status lay_out_memory(Plan* plan, uint64_t max_bytes, const std::string& source) {
    constexpr int kEnd = std::numeric_limits<int>::max();
    std::vector<Lifetime> lives(plan->roots.size(), Lifetime{0, kEnd, -1, 0});
    const auto touch = [&](SlotId id, int step) {
        Lifetime& life = lives[static_cast<size_t>(plan->slots[static_cast<size_t>(id)].root)];
        life.first = std::min(life.first, step);
        life.last = std::max(life.last, step);
    };
    for (size_t s = 0; s < plan->steps.size(); ++s) {
        for (const SlotId id : plan->steps[s].inputs) {
            touch(id, static_cast<int>(s));
        }
        for (const SlotId id : plan->steps[s].outputs) {
            touch(id, static_cast<int>(s));
        }
    }
    for (const auto& [name, value] : plan->program->outputs) {
        touch(value, kEnd);  // an output stays until the next run
    }
    for (size_t i = 0; i < lives.size(); ++i) {
        // Inputs have memory already; a root that no step touches needs none.
        if (plan->roots[i].input == kNone && lives[i].last >= 0) {
            lives[i].bytes = plan->roots[i].bytes;
        } else {
            lives[i] = Lifetime{0, kEnd, -1, 0};
        }
    }
    for (size_t s = 0; s < plan->steps.size(); ++s) {
        const size_t bytes = plan->steps[s].workspace_bytes;
        lives.push_back(bytes > 0 ? Lifetime{bytes, static_cast<int>(s), static_cast<int>(s), 0}
                                  : Lifetime{0, kEnd, -1, 0});
    }
    const uint64_t total = lay_out_arena(&lives);
    if (total > max_bytes) {
        return Status::error(Code::kOutOfMemory, "%s: activations need %llu bytes, the limit is %llu", source.c_str(),
                             static_cast<unsigned long long>(total), static_cast<unsigned long long>(max_bytes));
    }
    plan->arena_bytes = static_cast<size_t>(total);
    for (size_t i = 0; i < plan->roots.size(); ++i) {
        plan->roots[i].offset = static_cast<size_t>(lives[i].offset);
    }
    for (size_t s = 0; s < plan->steps.size(); ++s) {
        plan->steps[s].workspace = static_cast<size_t>(lives[plan->roots.size() + s].offset);
    }
    return {};
}

}  // namespace fw
