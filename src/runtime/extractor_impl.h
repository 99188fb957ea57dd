// Extractor::Impl, which Net creates.
#pragma once

#include "fw/net.h"
#include "runtime/net_state.h"
#include "runtime/runner.h"

namespace fw {

struct Extractor::Impl {
    explicit Impl(std::shared_ptr<NetState> state) : net(std::move(state)), inputs(net->model.inputs.size()) {}
    ~Impl();
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// Runs what `blob` needs and points `*out` at it: a tensor of the plan, or the Mat of an input.
    Status compute(const char* blob, Tensor* out);
    /// Makes `runner` ready for a program: plan, arena, inputs.
    Status start(const std::shared_ptr<const Program>& program);
    /// The same for the plan's device.
    Status start_on_device(const std::shared_ptr<const Plan>& plan);
    Status start_on_cpu(std::shared_ptr<const Plan> plan);
    /// Makes `*to` of `from`, and an entry of the profile of the time it takes.
    Status copy(const Tensor& from, Result<Mat> (*convert)(const Tensor&, Allocator*), Mat* to);
    int find_input(const std::string& blob) const;

    std::shared_ptr<NetState> net;
    std::vector<Mat> inputs;
    std::vector<ExternalBuffer> buffers;  ///< of the inputs; those beyond its end have none
    Runner runner;
    std::unique_ptr<AcceleratorRun> device;  ///< of device_plan; the arena is then its own
    std::shared_ptr<const Plan> device_plan;
    std::shared_ptr<void> arena;
    size_t arena_bytes = 0;
    TensorObserver observer;
    bool profiling = false;
    std::vector<double> profile;
};

/// What the tools may do with an Extractor and the public interface does not offer.
struct ExtractorAccess {
    /// Extractor::set_observer without the copy of every blob.
    static void observe_tensors(TensorObserver observer, Extractor* extractor);
};

}  // namespace fw
