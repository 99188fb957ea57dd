#include "runtime/live_set.h"

#include <algorithm>
#include <limits>

#include "graph/int8_plan.h"
#include "runtime/arena_layout.h"

namespace fw {

namespace {

constexpr int kEnd = std::numeric_limits<int>::max();

class LiveSet {
public:
    explicit LiveSet(const Plan& plan) : plan_(plan), graph_(plan.program->graph) {}

    uint64_t least() {
        storage_.assign(graph_.values().size(), kNone);
        last_read_.assign(graph_.values().size(), -1);
        const std::vector<ProgramStep>& steps = plan_.program->steps;
        for (size_t s = 0; s < steps.size(); ++s) {
            const Node& node = graph_.node(steps[s].node);
            for (size_t slot = 0; slot < node.inputs.size(); ++slot) {
                if (!reads_only_shape(node, slot)) {
                    last_read_[static_cast<size_t>(node.inputs[slot])] = static_cast<int>(s);
                }
            }
        }
        for (const auto& [name, value] : plan_.program->outputs) {
            last_read_[static_cast<size_t>(value)] = kEnd;
        }
        for (const ValueId input : plan_.program->inputs) {
            const Slot& slot = slot_of(input);
            // An input that is read where the caller has it costs nothing.
            if (slot.root != kNone && plan_.roots[static_cast<size_t>(slot.root)].input == kNone) {
                begin(input, 0);
            }
        }
        for (size_t s = 0; s < steps.size(); ++s) {
            run(static_cast<int>(s), *steps[s].layer, graph_.node(steps[s].node));
        }
        return largest_live_set(storages_);
    }

private:
    const Slot& slot_of(ValueId value) const { return plan_.slots[static_cast<size_t>(value)]; }
    Lifetime* storage_of(ValueId value) {
        const int storage = storage_[static_cast<size_t>(value)];
        return storage == kNone ? nullptr : &storages_[static_cast<size_t>(storage)];
    }

    void begin(ValueId value, int step) {
        storage_[static_cast<size_t>(value)] = static_cast<int>(storages_.size());
        const int last = std::max(step, last_read_[static_cast<size_t>(value)]);
        storages_.push_back(Lifetime{slot_of(value).tensor.desc().bytes(), step, last, 0});
    }

    void share(ValueId value, ValueId with) {
        storage_[static_cast<size_t>(value)] = storage_[static_cast<size_t>(with)];
        if (Lifetime* storage = storage_of(value)) {
            storage->last = std::max(storage->last, last_read_[static_cast<size_t>(value)]);
        }
    }

    bool is_view(const Layer& layer, const Node& node) const {
        if (node.inputs.empty()) {
            return false;
        }
        std::vector<Tensor> in;
        std::vector<Tensor> out;
        char somewhere = 0;
        for (const ValueId input : node.inputs) {
            in.push_back(make_tensor(&somewhere, slot_of(input).tensor.desc()));
        }
        for (const ValueId output : node.outputs) {
            out.push_back(make_tensor(nullptr, slot_of(output).tensor.desc()));
        }
        return layer.view(in, out);
    }

    void run(int step, const Layer& layer, const Node& node) {
        if (is_view(layer, node)) {
            for (const ValueId output : node.outputs) {
                share(output, node.inputs[0]);
            }
            return;
        }
        const TensorDesc out = slot_of(node.outputs[0]).tensor.desc();
        if (node.type == "Concat") {
            // The parts have become one blob by now; whoever reads a part later reads it there.
            begin(node.outputs[0], step);
            for (const ValueId input : node.inputs) {
                Lifetime* part = storage_of(input);
                const TensorDesc desc = slot_of(input).tensor.desc();
                if (part != nullptr && part->first < step && desc.quant == out.quant && part->bytes == desc.bytes()) {
                    Lifetime* joined = storage_of(node.outputs[0]);
                    joined->last = std::max(joined->last, part->last);
                    part->last = std::min(part->last, step - 1);
                    storage_[static_cast<size_t>(input)] = storage_[static_cast<size_t>(node.outputs[0])];
                }
            }
            return;
        }
        if (layer.traits().in_place && node.outputs.size() == 1) {
            for (const ValueId input : node.inputs) {
                const TensorDesc desc = slot_of(input).tensor.desc();
                const Lifetime* storage = storage_of(input);
                if (storage != nullptr && storage->last <= step && desc.shape == out.shape && desc.dtype == out.dtype) {
                    share(node.outputs[0], input);
                    return;
                }
            }
        }
        for (const ValueId output : node.outputs) {
            begin(output, step);
        }
    }

    const Plan& plan_;
    const Graph& graph_;
    std::vector<Lifetime> storages_;
    std::vector<int> storage_;    // by value
    std::vector<int> last_read_;  // step, by value
};

}  // namespace

uint64_t least_activation_bytes(const Plan& plan) {
    return LiveSet(plan).least();
}

}  // namespace fw
