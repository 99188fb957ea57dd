#include "vulkan/api.h"

#include <dlfcn.h>

#include <atomic>

namespace fw::vulkan {

namespace {

std::atomic<ApiHook> api_hook{nullptr};

void call_hook(Api* api) {
    if (const ApiHook hook = api_hook.load()) {
        hook(api);
    }
}

// The loader stays open for the life of the process: drivers do not survive being unloaded.
void* open_library() {
    for (const char* file : {"libvulkan.so.1", "libvulkan.so", "libvulkan.1.dylib"}) {
        if (void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
            return library;
        }
    }
    return nullptr;
}

template <class Function>
bool find(PFN_vkVoidFunction address, Function* out) {
    *out = reinterpret_cast<Function>(address);
    return address != nullptr;
}

}  // namespace

Status Api::open_loader() {
    static void* const kLibrary = open_library();
    if (kLibrary == nullptr) {
        return Status::error(Code::kNotFound, "no Vulkan on this machine: libvulkan.so.1 cannot be opened");
    }
    GetInstanceProcAddr = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(kLibrary, "vkGetInstanceProcAddr"));
    if (GetInstanceProcAddr == nullptr) {
        return Status::error(Code::kNotFound, "libvulkan.so.1 is no Vulkan loader: it lacks vkGetInstanceProcAddr");
    }
    const bool found = find(GetInstanceProcAddr(nullptr, "vkCreateInstance"), &CreateInstance) &&
                       find(GetInstanceProcAddr(nullptr, "vkEnumerateInstanceExtensionProperties"),
                            &EnumerateInstanceExtensionProperties) &&
                       find(GetInstanceProcAddr(nullptr, "vkEnumerateInstanceVersion"), &EnumerateInstanceVersion);
    call_hook(this);
    return found ? Status() : Status::error(Code::kUnsupported, "the Vulkan loader is older than Vulkan 1.1");
}

Status Api::load_instance(VkInstance instance) {
#define FW_VULKAN_LOAD(name)                                                             \
    if (!find(GetInstanceProcAddr(instance, "vk" #name), &name)) {                       \
        return Status::error(Code::kUnsupported, "the Vulkan loader lacks vk%s", #name); \
    }
    FW_VULKAN_INSTANCE_FUNCTIONS(FW_VULKAN_LOAD)
#undef FW_VULKAN_LOAD
    find(GetInstanceProcAddr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"),
         &GetPhysicalDeviceCooperativeMatrixPropertiesKHR);
    call_hook(this);
    return {};
}

Status Api::load_device(VkDevice device) {
#define FW_VULKAN_LOAD(name)                                                             \
    if (!find(GetDeviceProcAddr(device, "vk" #name), &name)) {                           \
        return Status::error(Code::kUnsupported, "the Vulkan driver lacks vk%s", #name); \
    }
    FW_VULKAN_DEVICE_FUNCTIONS(FW_VULKAN_LOAD)
#undef FW_VULKAN_LOAD
    find(GetDeviceProcAddr(device, "vkGetMemoryHostPointerPropertiesEXT"), &GetMemoryHostPointerPropertiesEXT);
    find(GetDeviceProcAddr(device, "vkGetAndroidHardwareBufferPropertiesANDROID"),
         &GetAndroidHardwareBufferPropertiesANDROID);
    call_hook(this);
    return {};
}

void set_api_hook(ApiHook hook) {
    api_hook = hook;
}

const char* name(VkResult result) {
    switch (result) {
        case VK_SUCCESS: return "VK_SUCCESS";
        case VK_NOT_READY: return "VK_NOT_READY";
        case VK_TIMEOUT: return "VK_TIMEOUT";
        case VK_ERROR_OUT_OF_HOST_MEMORY: return "VK_ERROR_OUT_OF_HOST_MEMORY";
        case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
        case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
        case VK_ERROR_DEVICE_LOST: return "VK_ERROR_DEVICE_LOST";
        case VK_ERROR_MEMORY_MAP_FAILED: return "VK_ERROR_MEMORY_MAP_FAILED";
        case VK_ERROR_LAYER_NOT_PRESENT: return "VK_ERROR_LAYER_NOT_PRESENT";
        case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
        case VK_ERROR_FEATURE_NOT_PRESENT: return "VK_ERROR_FEATURE_NOT_PRESENT";
        case VK_ERROR_INCOMPATIBLE_DRIVER: return "VK_ERROR_INCOMPATIBLE_DRIVER";
        case VK_ERROR_TOO_MANY_OBJECTS: return "VK_ERROR_TOO_MANY_OBJECTS";
        case VK_ERROR_FRAGMENTED_POOL: return "VK_ERROR_FRAGMENTED_POOL";
        case VK_ERROR_OUT_OF_POOL_MEMORY: return "VK_ERROR_OUT_OF_POOL_MEMORY";
        case VK_ERROR_INVALID_SHADER_NV: return "VK_ERROR_INVALID_SHADER_NV";
        default: return "an unknown VkResult";
    }
}

Status check(VkResult result, const char* what, Code otherwise) {
    if (result == VK_SUCCESS) {
        return {};
    }
    const bool memory = result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const Code code = memory ? Code::kOutOfMemory : result == VK_ERROR_DEVICE_LOST ? Code::kDeviceLost : otherwise;
    return Status::error(code, "Vulkan: %s failed with %s (%d)", what, name(result), static_cast<int>(result));
}

}  // namespace fw::vulkan
