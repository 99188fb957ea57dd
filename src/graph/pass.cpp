#include "graph/pass.h"

#include <algorithm>

#include "base/log.h"

namespace fw {

#define FW_PASS(name, optional) Status pass_##name(Graph* graph, const PassContext& context);
#include "graph/passes.inc"
#undef FW_PASS

Span<const Pass> all_passes() {
#define FW_PASS(name, optional) {#name, &pass_##name, optional},
    static const Pass kPasses[] = {
#include "graph/passes.inc"
    };
#undef FW_PASS
    return kPasses;
}

Status run_passes(Graph* graph, const PassContext& context) {
    const std::vector<std::string>& disabled = context.option->disabled_passes;
    for (const std::string& name : disabled) {
        const auto same = [&](const Pass& pass) { return pass.optional && name == pass.name; };
        if (std::none_of(all_passes().begin(), all_passes().end(), same)) {
            return Status::error(Code::kInvalidArgument, "disabled_passes: '%s' is not a pass that can be left out",
                                 name.c_str());
        }
    }
    for (const Pass& pass : all_passes()) {
        const bool off =
            !context.option->optimize || std::find(disabled.begin(), disabled.end(), pass.name) != disabled.end();
        if (pass.optional && off) {
            continue;
        }
        FW_RETURN_IF_ERROR(pass.run(graph, context));
#if !defined(NDEBUG)
        const Status sound = graph->check();
        if (!sound.ok()) {
            return sound.with_prefix("after pass %s", pass.name);
        }
#endif
    }
    return graph->check();
}

}  // namespace fw
