#include "android_driver.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace fw::vulkan {

namespace {

constexpr auto kHost = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
constexpr auto kAndroid = VK_EXTERNAL_MEMORY_HANDLE_TYPE_ANDROID_HARDWARE_BUFFER_BIT_ANDROID;
const char* const kExtensions[] = {VK_ANDROID_EXTERNAL_MEMORY_ANDROID_HARDWARE_BUFFER_EXTENSION_NAME,
                                   VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME};

Api real;
AndroidDriver::Calls seen;
bool only_dedicated = false;

bool is_androids(const char* extension) {
    return std::any_of(std::begin(kExtensions), std::end(kExtensions),
                       [&](const char* own) { return std::strcmp(own, extension) == 0; });
}

VKAPI_ATTR VkResult VKAPI_CALL list_extensions(VkPhysicalDevice device, const char* layer, uint32_t* count,
                                               VkExtensionProperties* properties) {
    uint32_t own = 0;
    VkResult result = real.EnumerateDeviceExtensionProperties(device, layer, &own, nullptr);
    if (properties != nullptr) {
        result = real.EnumerateDeviceExtensionProperties(device, layer, &own, properties);
        for (const char* name : kExtensions) {
            VkExtensionProperties added = {};
            std::strncpy(added.extensionName, name, sizeof(added.extensionName) - 1);
            properties[own++] = added;
        }
        *count = own;
        return result;
    }
    *count = own + 2;
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
                                             const VkAllocationCallbacks* callbacks, VkDevice* device) {
    std::vector<const char*> names(info->ppEnabledExtensionNames,
                                   info->ppEnabledExtensionNames + info->enabledExtensionCount);
    names.erase(std::remove_if(names.begin(), names.end(), is_androids), names.end());
    VkDeviceCreateInfo without = *info;
    without.enabledExtensionCount = static_cast<uint32_t>(names.size());
    without.ppEnabledExtensionNames = names.data();
    return real.CreateDevice(physical, &without, callbacks, device);
}

VKAPI_ATTR void VKAPI_CALL get_external(VkPhysicalDevice device, const VkPhysicalDeviceExternalBufferInfo* info,
                                        VkExternalBufferProperties* properties) {
    if (info->handleType != kAndroid) {
        real.GetPhysicalDeviceExternalBufferProperties(device, info, properties);
        return;
    }
    properties->externalMemoryProperties = {};
    properties->externalMemoryProperties.externalMemoryFeatures =
        VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT |
        (only_dedicated ? static_cast<uint32_t>(VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) : 0U);
}

VKAPI_ATTR VkResult VKAPI_CALL get_buffer(VkDevice device, const AHardwareBuffer* buffer,
                                          VkAndroidHardwareBufferPropertiesANDROID* properties) {
    VkMemoryHostPointerPropertiesEXT host = {};
    host.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
    const VkResult result = real.GetMemoryHostPointerPropertiesEXT(device, kHost, buffer->memory, &host);
    properties->allocationSize = buffer->bytes;
    properties->memoryTypeBits = host.memoryTypeBits;
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL create_buffer(VkDevice device, const VkBufferCreateInfo* info,
                                             const VkAllocationCallbacks* callbacks, VkBuffer* buffer) {
    VkBufferCreateInfo changed = *info;
    VkExternalMemoryBufferCreateInfo external = {};
    if (info->pNext != nullptr) {
        external = *static_cast<const VkExternalMemoryBufferCreateInfo*>(info->pNext);
        external.handleTypes = external.handleTypes == kAndroid ? VkFlags{kHost} : external.handleTypes;
        changed.pNext = &external;
    }
    return real.CreateBuffer(device, &changed, callbacks, buffer);
}

VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice device, const VkMemoryAllocateInfo* info,
                                        const VkAllocationCallbacks* callbacks, VkDeviceMemory* memory) {
    const auto* next = static_cast<const VkBaseInStructure*>(info->pNext);
    const bool names = next != nullptr && next->sType == VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO;
    next = names ? next->pNext : next;
    if (next == nullptr || next->sType != VK_STRUCTURE_TYPE_IMPORT_ANDROID_HARDWARE_BUFFER_INFO_ANDROID) {
        return real.AllocateMemory(device, info, callbacks, memory);
    }
    ++seen.imports;
    seen.dedicated += names ? 1 : 0;
    VkImportMemoryHostPointerInfoEXT host = {};
    host.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;
    host.handleType = kHost;
    host.pHostPointer = reinterpret_cast<const VkImportAndroidHardwareBufferInfoANDROID*>(next)->buffer->memory;
    VkMemoryAllocateInfo changed = *info;
    changed.pNext = &host;
    return real.AllocateMemory(device, &changed, callbacks, memory);
}

VKAPI_ATTR void VKAPI_CALL barrier(VkCommandBuffer commands, VkPipelineStageFlags from, VkPipelineStageFlags to,
                                   VkDependencyFlags flags, uint32_t count, const VkMemoryBarrier* barriers,
                                   uint32_t buffer_count, const VkBufferMemoryBarrier* buffers, uint32_t image_count,
                                   const VkImageMemoryBarrier* images) {
    std::vector<VkBufferMemoryBarrier> changed(buffers, buffers + buffer_count);
    for (VkBufferMemoryBarrier& buffer : changed) {
        seen.acquires += buffer.srcQueueFamilyIndex == VK_QUEUE_FAMILY_FOREIGN_EXT ? 1 : 0;
        seen.releases += buffer.dstQueueFamilyIndex == VK_QUEUE_FAMILY_FOREIGN_EXT ? 1 : 0;
        buffer.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
        buffer.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    }
    real.CmdPipelineBarrier(commands, from, to, flags, count, barriers, buffer_count, changed.data(), image_count,
                            images);
}

template <class Function>
void replace(Function replacement, Function* function, Function* original) {
    if (*function != nullptr && *function != replacement) {
        *original = *function;
        *function = replacement;
    }
}

void replace_all(Api* api) {
    replace<PFN_vkEnumerateDeviceExtensionProperties>(list_extensions, &api->EnumerateDeviceExtensionProperties,
                                                      &real.EnumerateDeviceExtensionProperties);
    replace<PFN_vkCreateDevice>(create_device, &api->CreateDevice, &real.CreateDevice);
    replace<PFN_vkGetPhysicalDeviceExternalBufferProperties>(
        get_external, &api->GetPhysicalDeviceExternalBufferProperties, &real.GetPhysicalDeviceExternalBufferProperties);
    replace<PFN_vkCreateBuffer>(create_buffer, &api->CreateBuffer, &real.CreateBuffer);
    replace<PFN_vkAllocateMemory>(allocate, &api->AllocateMemory, &real.AllocateMemory);
    replace<PFN_vkCmdPipelineBarrier>(barrier, &api->CmdPipelineBarrier, &real.CmdPipelineBarrier);
    if (api->GetMemoryHostPointerPropertiesEXT != nullptr) {
        real.GetMemoryHostPointerPropertiesEXT = api->GetMemoryHostPointerPropertiesEXT;
        api->GetAndroidHardwareBufferPropertiesANDROID = get_buffer;
    }
}

}  // namespace

AndroidDriver::AndroidDriver(bool dedicated) {
    seen = {};
    only_dedicated = dedicated;
    set_api_hook(replace_all);
}

AndroidDriver::~AndroidDriver() {
    set_api_hook(nullptr);
}

const AndroidDriver::Calls& AndroidDriver::calls() const {
    return seen;
}

}  // namespace fw::vulkan
