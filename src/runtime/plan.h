// Plan: a Program for certain input shapes - every shape, every address in the arena, every step. Immutable, shared by
// threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/accelerator.h"
#include "runtime/program.h"

namespace fw {

/// What an Extractor was given for one input.
struct InputDesc {
    Shape shape;
    DType dtype = DType::kFloat32;

    bool operator==(const InputDesc& other) const { return shape == other.shape && dtype == other.dtype; }
};

using SlotId = int;

/// Memory that slots share: a stretch of the arena, or the Mat of an input.
struct Root {
    int input = kNone;  ///< index of the input; kNone = in the arena
    size_t offset = 0;  ///< in the arena
    size_t bytes = 0;
    bool of_input = false;  ///< of the CPU's steps only one with `imports` touches it
};

/// A tensor of the plan. Slots 0..values-1 are the graph's values; the ones after are inputs as the caller gave them
/// and dense copies. `tensor.data` is null; the address is root + offset.
struct Slot {
    int root = kNone;
    int64_t offset = 0;  ///< bytes from the start of the root
    Tensor tensor;
};

enum class Action : uint8_t {
    kForward,  ///< Layer::forward
    kNothing,  ///< outputs are views of inputs, or were written in place by their producers
    kCopy,     ///< copies input i to output i; from int8 to float if need be (inputs of the network)
};

struct PlanStep {
    int program_step = kNone;  ///< kNone = a copy that the planner added
    Action action = Action::kForward;
    std::vector<SlotId> inputs;
    std::vector<SlotId> outputs;
    size_t workspace = 0;  ///< offset in the arena
    size_t workspace_bytes = 0;
    bool on_device = false;
    const char* shader = nullptr;  ///< on the device: the one that writes the output; null where nothing runs
    bool imports = false;          ///< not on the device, but may be where the memory of its input is imported
    std::string cpu_reason;        ///< where a device was wanted: why the step is not on it
    std::vector<int> to_device;    ///< roots that the CPU wrote last and this step reads or changes on the device
    std::vector<int> to_host;      ///< the other way round
};

struct Plan {
    std::shared_ptr<const Program> program;
    std::vector<InputDesc> inputs;
    std::vector<Slot> slots;
    std::vector<Root> roots;
    std::vector<PlanStep> steps;
    std::vector<int> producer;  ///< step that fills the slot of a value; kNone = an input
    size_t arena_bytes = 0;
    std::shared_ptr<const AcceleratorPlan> device;  ///< null: everything runs on the CPU
    bool imports_inputs = false;  ///< every step that reads the application's memory has PlanStep::imports
};

/// Infers shapes, lays out memory. Fails with the layer's name where shapes do not fit, with kOutOfMemory where the
/// arena would be larger than `max_bytes`. With a `cpu_reason` every step is the CPU's, even where the program has a
/// device.
Result<std::shared_ptr<const Plan>> make_plan(const Model& model, const std::shared_ptr<const Program>& program,
                                              const std::vector<InputDesc>& inputs, int threads, uint64_t max_bytes,
                                              const std::string& cpu_reason);

}  // namespace fw
