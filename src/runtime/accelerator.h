// Accelerator: another processor than the CPU, which runs steps of a plan. src/runtime/vulkan_backend.cpp is the one
// there is; a build without it has src/runtime/no_backend.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fw/mat.h"
#include "fw/net.h"
#include "fw/option.h"
#include "fw/status.h"
#include "layer/layer.h"

namespace fw {

struct Model;
struct Plan;
struct ScaleTable;

/// What an accelerator made of a plan: which steps are its own is in PlanStep::on_device.
class AcceleratorPlan {
public:
    virtual ~AcceleratorPlan() = default;
};

/// The memory and commands of one Extractor for one plan.
class AcceleratorRun {
public:
    virtual ~AcceleratorRun() = default;
    /// The arena as the CPU sees it.
    virtual void* arena() const = 0;
    /// In the place of the Mats of the runs that follow, for devices that can; inputs beyond its end have none.
    virtual void set_buffers(const std::vector<ExternalBuffer>& buffers) = 0;
    /// Before a run's first step: whether the device reads these inputs where they lie, so that steps with
    /// PlanStep::imports are its own.
    virtual bool import_inputs(const std::vector<Mat>& inputs) = 0;
    /// Runs the steps [first, last), all of them on the device, and waits. `milliseconds`, if not null, gets the time
    /// of each step.
    virtual Status run(size_t first, size_t last, double* milliseconds) = 0;
    /// Brings a root of the plan that the device wrote last to the CPU.
    virtual Status fetch(int root) = 0;
    /// What run or fetch failed with; ok while they have not.
    virtual Status failure() const = 0;
};

/// The weights of one program on the device.
class AcceleratorProgram {
public:
    virtual ~AcceleratorProgram() = default;
    /// Chooses the steps that run on the device (PlanStep::on_device, reason) and prepares them.
    virtual Status place(Plan* plan) = 0;
    virtual Result<std::unique_ptr<AcceleratorRun>> start(std::shared_ptr<const Plan> plan) = 0;
    /// Bytes of weights and constants on the device.
    virtual size_t weight_bytes() const = 0;
};

class Accelerator {
public:
    virtual ~Accelerator() = default;
    virtual std::unique_ptr<AcceleratorProgram> new_program() = 0;
    /// Tells devices and their drivers apart.
    virtual std::string identity() const = 0;
};

/// Opens what Option::device names; null for "cpu". kNotFound, kUnsupported with the reason where there is none.
/// `all_float`: the network has no int8 layers, so that Precision::kAuto with Option::fp16 becomes kFp16 in `*option`
/// where the device keeps float16, fp16_arithmetic as it multiplies in it.
Result<std::shared_ptr<Accelerator>> open_accelerator(bool all_float, Option* option);

/// Makes "cpu" or "vulkan" of the Option::device "auto", and says why: the fastest for this model and these options -
/// with kAuto, in each precision that they allow, which `*option` then has - measured with the declared input shapes,
/// or as remembered in the file of "auto:FILE". The CPU where the device cannot run it. Fails, and changes nothing,
/// where the CPU cannot either.
Result<std::string> choose_device(const Model& model, const ScaleTable* table, bool all_float, Option* option);

}  // namespace fw
