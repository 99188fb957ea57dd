// Runner: executes a plan step by step in an arena.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fw/net.h"
#include "runtime/plan.h"

namespace fw {

/// A blob of the model file that a plan has computed, as it lies in memory; valid until the next step.
struct ObservedBlob {
    const Graph& graph;  ///< of the running program
    const Value& value;  ///< its factors are still in the tensor
    const Tensor& tensor;
};
using TensorObserver = std::function<Status(const ObservedBlob& blob)>;

/// Observed blobs in one piece of memory, one at a time.
class DenseBlob {
public:
    /// `*dense` is the blob in float32 with factors divided away, dense in `layout`: its own memory where it is that
    /// already, else a copy that is valid until the next call.
    Status make(const ObservedBlob& blob, Layout layout, Tensor* dense);

private:
    std::shared_ptr<void> memory_;
    size_t bytes_ = 0;
};

class Runner {
public:
    /// Takes a plan; `arena` has its arena_bytes. Keeps nothing of an earlier run.
    /// `device`, which outlives the run, does the plan's steps that are on it; may be null where there are none.
    void start(std::shared_ptr<const Plan> plan, std::shared_ptr<void> arena, const std::vector<Mat>& inputs,
               AcceleratorRun* device);
    /// Runs the steps that are still missing for `value`.
    Status run_to(const Model& model, ValueId value, int threads, const TensorObserver& observer,
                  std::vector<double>* profile);
    /// The value's tensor with the shape that the run gave it; valid until the next start.
    const Tensor& tensor(ValueId value) const { return tensors_[static_cast<size_t>(value)]; }
    const Plan* plan() const { return plan_.get(); }
    void stop() { plan_.reset(); }

private:
    Status run_on_device(size_t first, size_t last, std::vector<double>* profile);
    Status fetch(SlotId id);
    void mark_written(const PlanStep& step);
    bool on_device(const PlanStep& step) const { return step.on_device || (imported_ && step.imports); }
    Status step(const Model& model, const PlanStep& step, int threads);
    Status forward(const PlanStep& step, int threads);
    const Node& node_of(const PlanStep& step) const;
    bool is_as_planned(SlotId id) const;
    bool needs_planned_shapes(const PlanStep& step) const;
    Status check_planned_shapes(const PlanStep& step) const;
    Status adapt_to_shapes(const Layer& layer, Action action);
    Status observe(const PlanStep& step, const TensorObserver& observer);

    std::shared_ptr<const Plan> plan_;
    std::shared_ptr<void> arena_;
    std::vector<Tensor> tensors_;   // by slot, with addresses
    std::vector<Tensor> in_, out_;  // arguments of the step that runs
    size_t next_ = 0;               // step
    bool lowered_ = false;          // some output turned out smaller than planned
    AcceleratorRun* device_ = nullptr;
    bool imported_ = false;        // AcceleratorRun::import_inputs
    std::vector<bool> on_device_;  // by root: the device wrote it last
};

/// A plain row-major float32 copy; int8 is dequantized.
Result<Mat> to_float_mat(const Tensor& tensor, Allocator* allocator);
/// A plain row-major copy with the tensor's own type.
Result<Mat> to_mat(const Tensor& tensor, Allocator* allocator);

}  // namespace fw
