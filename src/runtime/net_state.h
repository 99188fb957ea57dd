// NetState: what a Net and its Extractors share - the model, programs, plans and idle arenas.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fw/net.h"
#include "runtime/plan.h"

namespace fw {

class NetState {
public:
    Option option;
    ScaleTable table;
    bool loaded = false;
    Model model;
    std::shared_ptr<const Program> program;  ///< for the model's own outputs

    int threads() const;
    /// `table`, or nullptr where it holds nothing.
    const ScaleTable* table_or_null() const { return table.empty() ? nullptr : &table; }
    /// Finishes a load: reads what the layers say and builds the program. `loaded` is set on success; nothing changes
    /// else.
    Status finish_load(Model model);
    /// Neither the table nor the file gives the network int8 layers.
    bool is_float(const Model& read) const;
    Status load_on_device(Model model);  ///< the part of it that knows where layers run
    /// From now on everything runs on the CPU, for this reason. False, and nothing changes, without
    /// Option::device_fallback.
    bool leave_device(const Status& why);

    /// The program that has `blob` among its outputs; built when asked for the first time.
    Result<std::shared_ptr<const Program>> program_for(const std::string& blob);
    Result<std::shared_ptr<const Plan>> plan_for(const std::shared_ptr<const Program>& program,
                                                 const std::vector<InputDesc>& inputs);
    /// The plan used last, else that of the declared shapes; an error where these are open.
    Result<std::shared_ptr<const Plan>> last_plan();

    /// An arena of at least `bytes`, an idle one if there is one that large; `*got` is its size. Empty when there is no
    /// memory.
    std::shared_ptr<void> take_arena(size_t bytes, size_t* got);
    void give_back_arena(std::shared_ptr<void> arena, size_t bytes);

private:
    static constexpr size_t kMaxPrograms = 4;
    static constexpr size_t kMaxPlans = 8;

    struct Arena {
        std::shared_ptr<void> memory;
        size_t bytes = 0;
    };

    std::mutex mutex_;
    std::string cpu_reason_;  // why everything runs on the CPU where a device was wanted
    std::list<std::pair<std::string, std::shared_ptr<const Program>>> programs_;  // most recently used first
    std::list<std::shared_ptr<const Plan>> plans_;                                // likewise
    std::shared_ptr<const Plan> last_plan_;
    std::vector<Arena> arenas_;
    std::unique_ptr<PagePool> pages_;  // those of the packed weights, until the first arena takes what they leave
};

struct Net::Impl {
    NetState state;
};

}  // namespace fw
