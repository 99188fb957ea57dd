// A build without Vulkan (FW_VULKAN is OFF).
#include "runtime/accelerator.h"

namespace fw {

Result<std::shared_ptr<Accelerator>> open_accelerator(bool /*all_float*/, Option* option) {
    if (option->device == "cpu") {
        return std::shared_ptr<Accelerator>();
    }
    return Status::error(Code::kUnsupported, "device '%s': this build has no Vulkan (FW_VULKAN is OFF)",
                         option->device.c_str());
}

Result<std::string> choose_device(const Model& /*model*/, const ScaleTable* /*table*/, bool /*all_float*/,
                                  Option* option) {
    option->device = "cpu";
    return std::string("device 'auto': this build has no Vulkan (FW_VULKAN is OFF)");
}

Result<std::vector<DeviceInfo>> list_devices() {
    return Status::error(Code::kUnsupported, "this build has no Vulkan (FW_VULKAN is OFF)");
}

}  // namespace fw
