// The Vulkan functions in use, found at run time: no program links a Vulkan library, and one binary runs with or
// without it.
#pragma once

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan.h>
// Needs nothing of Android's.
#include <vulkan/vulkan_android.h>

#include "fw/status.h"

namespace fw::vulkan {

struct MatrixProperties;
/// vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR
using GetMatrixProperties = VkResult(VKAPI_PTR*)(VkPhysicalDevice device, uint32_t* count,
                                                 MatrixProperties* properties);

#define FW_VULKAN_INSTANCE_FUNCTIONS(F)          \
    F(CreateDevice)                              \
    F(DestroyInstance)                           \
    F(EnumerateDeviceExtensionProperties)        \
    F(EnumeratePhysicalDevices)                  \
    F(GetDeviceProcAddr)                         \
    F(GetPhysicalDeviceExternalBufferProperties) \
    F(GetPhysicalDeviceFeatures2)                \
    F(GetPhysicalDeviceMemoryProperties)         \
    F(GetPhysicalDeviceProperties)               \
    F(GetPhysicalDeviceProperties2)              \
    F(GetPhysicalDeviceQueueFamilyProperties)

// DestroyDevice first: where another one is missing, it is there.
#define FW_VULKAN_DEVICE_FUNCTIONS(F) \
    F(DestroyDevice)                  \
    F(AllocateCommandBuffers)         \
    F(AllocateDescriptorSets)         \
    F(AllocateMemory)                 \
    F(BeginCommandBuffer)             \
    F(BindBufferMemory)               \
    F(CmdBindDescriptorSets)          \
    F(CmdBindPipeline)                \
    F(CmdCopyBuffer)                  \
    F(CmdDispatch)                    \
    F(CmdPipelineBarrier)             \
    F(CmdPushConstants)               \
    F(CmdResetQueryPool)              \
    F(CmdWriteTimestamp)              \
    F(CreateBuffer)                   \
    F(CreateCommandPool)              \
    F(CreateComputePipelines)         \
    F(CreateDescriptorPool)           \
    F(CreateDescriptorSetLayout)      \
    F(CreateFence)                    \
    F(CreatePipelineCache)            \
    F(CreatePipelineLayout)           \
    F(CreateQueryPool)                \
    F(CreateShaderModule)             \
    F(DestroyBuffer)                  \
    F(DestroyCommandPool)             \
    F(DestroyDescriptorPool)          \
    F(DestroyDescriptorSetLayout)     \
    F(DestroyFence)                   \
    F(DestroyPipeline)                \
    F(DestroyPipelineCache)           \
    F(DestroyPipelineLayout)          \
    F(DestroyQueryPool)               \
    F(DestroyShaderModule)            \
    F(DeviceWaitIdle)                 \
    F(EndCommandBuffer)               \
    F(FreeMemory)                     \
    F(GetBufferMemoryRequirements)    \
    F(GetDeviceQueue)                 \
    F(GetPipelineCacheData)           \
    F(GetQueryPoolResults)            \
    F(MapMemory)                      \
    F(MergePipelineCaches)            \
    F(QueueSubmit)                    \
    F(ResetFences)                    \
    F(UpdateDescriptorSets)           \
    F(WaitForFences)

/// Members are named as the functions are without their vk.
struct Api {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
    PFN_vkCreateInstance CreateInstance = nullptr;
    PFN_vkEnumerateInstanceExtensionProperties EnumerateInstanceExtensionProperties = nullptr;
    PFN_vkEnumerateInstanceVersion EnumerateInstanceVersion = nullptr;
#define FW_VULKAN_MEMBER(name) PFN_vk##name name = nullptr;
    FW_VULKAN_INSTANCE_FUNCTIONS(FW_VULKAN_MEMBER)
    FW_VULKAN_DEVICE_FUNCTIONS(FW_VULKAN_MEMBER)
#undef FW_VULKAN_MEMBER
    /// Of VK_KHR_cooperative_matrix; null where no device has that.
    GetMatrixProperties GetPhysicalDeviceCooperativeMatrixPropertiesKHR = nullptr;
    /// Of VK_EXT_external_memory_host; null where that is not enabled.
    PFN_vkGetMemoryHostPointerPropertiesEXT GetMemoryHostPointerPropertiesEXT = nullptr;
    /// Of VK_ANDROID_external_memory_android_hardware_buffer; likewise.
    PFN_vkGetAndroidHardwareBufferPropertiesANDROID GetAndroidHardwareBufferPropertiesANDROID = nullptr;

    /// Opens the loader and finds the functions that need no instance. kNotFound: there is no Vulkan on this machine.
    Status open_loader();
    Status load_instance(VkInstance instance);
    Status load_device(VkDevice device);
};

/// Sees every table as soon as it is filled and may replace functions in it: so tests make drivers that fail or lack
/// features. nullptr (the start) = none. A device's table begins as a copy of its instance's.
using ApiHook = void (*)(Api* api);
void set_api_hook(ApiHook hook);

/// "VK_ERROR_DEVICE_LOST" and the like; "VkResult -99" for one that is not known.
const char* name(VkResult result);
/// ok for VK_SUCCESS, else an error that says what failed and why: kOutOfMemory, kDeviceLost, or `otherwise`.
Status check(VkResult result, const char* what, Code otherwise = Code::kInternal);

}  // namespace fw::vulkan
