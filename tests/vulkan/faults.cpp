#include "faults.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

namespace fw::vulkan {

namespace {

constexpr const char* kPortabilitySubset = "VK_KHR_portability_subset";

Faults active;
int imported = 0;
uint64_t allocated_bytes = 0;
int merged = 0;
int bare = 0;
std::set<VkCommandBuffer> with_barrier;
Api real;  // the functions that were replaced

// The result that a call is to fail with; VK_SUCCESS = call the driver.
VkResult fault(VkResult result) {
    return result == VK_SUCCESS || active.successes-- > 0 ? VK_SUCCESS : result;
}

template <class Struct>
void clear(VkBaseOutStructure* features, VkBool32 Struct::*member) {
    reinterpret_cast<Struct*>(features)->*member = VK_FALSE;
}

// What a chain begins with, where it is the structure that the real driver does not know.
template <class Struct>
Struct* made_up(const void* first) {
    const auto* next = static_cast<const VkBaseInStructure*>(first);
    const bool is_it = !active.matrices.empty() && next != nullptr && next->sType == Struct::kType;
    return is_it ? static_cast<Struct*>(const_cast<void*>(first)) : nullptr;
}

VKAPI_ATTR void VKAPI_CALL get_features(VkPhysicalDevice device, VkPhysicalDeviceFeatures2* features) {
    if (auto* matrix = made_up<MatrixFeatures>(features->pNext)) {
        features->pNext = matrix->next;
        real.GetPhysicalDeviceFeatures2(device, features);
        features->pNext = matrix;
        matrix->cooperative_matrix = VK_TRUE;
        return;
    }
    real.GetPhysicalDeviceFeatures2(device, features);
    for (auto* next = static_cast<VkBaseOutStructure*>(features->pNext); next != nullptr; next = next->pNext) {
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES && active.no_int8) {
            clear(next, &VkPhysicalDevice8BitStorageFeatures::storageBuffer8BitAccess);
        } else if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES && active.no_int8) {
            clear(next, &VkPhysicalDeviceShaderFloat16Int8Features::shaderInt8);
        } else if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES &&
                   active.no_integer_dot) {
            clear(next, &VkPhysicalDeviceShaderIntegerDotProductFeatures::shaderIntegerDotProduct);
        } else if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES &&
                   active.no_float16_storage) {
            clear(next, &VkPhysicalDevice16BitStorageFeatures::storageBuffer16BitAccess);
        }
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES &&
            active.no_float16_arithmetic) {
            clear(next, &VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16);
        }
    }
}

VKAPI_ATTR void VKAPI_CALL get_properties(VkPhysicalDevice device, VkPhysicalDeviceProperties2* properties) {
    auto* stages = made_up<MatrixStages>(properties->pNext);
    if (stages == nullptr) {
        real.GetPhysicalDeviceProperties2(device, properties);
        return;
    }
    properties->pNext = stages->next;
    real.GetPhysicalDeviceProperties2(device, properties);
    properties->pNext = stages;
    stages->stages = VK_SHADER_STAGE_COMPUTE_BIT;
}

VKAPI_ATTR VkResult VKAPI_CALL get_matrices(VkPhysicalDevice device, uint32_t* count, MatrixProperties* properties) {
    if (active.matrices.empty() && !active.no_cooperative_matrix) {
        return real.GetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, count, properties);
    }
    if (properties != nullptr) {
        std::copy(active.matrices.begin(), active.matrices.end(), properties);
    }
    *count = static_cast<uint32_t>(active.matrices.size());
    return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL get_external(VkPhysicalDevice device, const VkPhysicalDeviceExternalBufferInfo* info,
                                        VkExternalBufferProperties* properties) {
    real.GetPhysicalDeviceExternalBufferProperties(device, info, properties);
    if (active.no_import) {
        properties->externalMemoryProperties = {};
    }
}

VKAPI_ATTR VkResult VKAPI_CALL get_pointer(VkDevice device, VkExternalMemoryHandleTypeFlagBits type,
                                           const void* pointer, VkMemoryHostPointerPropertiesEXT* properties) {
    return active.import != VK_SUCCESS ? active.import
                                       : real.GetMemoryHostPointerPropertiesEXT(device, type, pointer, properties);
}

std::vector<const char*> added_extensions() {
    std::vector<const char*> names;
    if (active.portability) {
        names.push_back(kPortabilitySubset);
    }
    if (!active.matrices.empty()) {
        names.push_back(kCooperativeMatrixExtension);
    }
    return names;
}

VKAPI_ATTR VkResult VKAPI_CALL list_extensions(VkPhysicalDevice device, const char* layer, uint32_t* count,
                                               VkExtensionProperties* properties) {
    const std::vector<const char*> added = added_extensions();
    *count -= properties != nullptr ? static_cast<uint32_t>(added.size()) : 0;  // the caller knows of these
    const VkResult result = real.EnumerateDeviceExtensionProperties(device, layer, count, properties);
    for (const char* name : added) {
        if (properties != nullptr) {
            std::strncpy(properties[*count].extensionName, name, VK_MAX_EXTENSION_NAME_SIZE - 1);
        }
        ++*count;
    }
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
                                             const VkAllocationCallbacks* callbacks, VkDevice* device) {
    if (active.create_device != VK_SUCCESS) {
        return active.create_device;
    }
    std::vector<const char*> names(info->ppEnabledExtensionNames,
                                   info->ppEnabledExtensionNames + info->enabledExtensionCount);
    for (const char* added : added_extensions()) {
        const auto found =
            std::find_if(names.begin(), names.end(), [&](const char* name) { return std::strcmp(name, added) == 0; });
        if (found != names.end()) {
            names.erase(found);
        } else if (added == kPortabilitySubset) {
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        }
    }
    VkDeviceCreateInfo without = *info;
    VkPhysicalDeviceFeatures2 features = *static_cast<const VkPhysicalDeviceFeatures2*>(info->pNext);
    if (const auto* matrix = made_up<MatrixFeatures>(features.pNext)) {
        features.pNext = matrix->next;
        without.pNext = &features;
    }
    without.enabledExtensionCount = static_cast<uint32_t>(names.size());
    without.ppEnabledExtensionNames = names.data();
    return real.CreateDevice(physical, &without, callbacks, device);
}

VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice device, const VkMemoryAllocateInfo* info,
                                        const VkAllocationCallbacks* callbacks, VkDeviceMemory* memory) {
    const VkResult result = fault(active.allocate);
    allocated_bytes += info->allocationSize;
    const auto* next = static_cast<const VkBaseInStructure*>(info->pNext);
    imported += next != nullptr && next->sType == VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT ? 1 : 0;
    return result != VK_SUCCESS ? result : real.AllocateMemory(device, info, callbacks, memory);
}

VKAPI_ATTR VkResult VKAPI_CALL create_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                const VkComputePipelineCreateInfo* infos,
                                                const VkAllocationCallbacks* callbacks, VkPipeline* pipelines) {
    const VkResult result = fault(active.create_pipeline);
    return result != VK_SUCCESS ? result
                                : real.CreateComputePipelines(device, cache, count, infos, callbacks, pipelines);
}

VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos, VkFence fence) {
    const VkResult result = fault(active.submit);
    return result != VK_SUCCESS ? result : real.QueueSubmit(queue, count, infos, fence);
}

// The work is done, and nobody learns of it.
VKAPI_ATTR VkResult VKAPI_CALL wait(VkDevice device, uint32_t count, const VkFence* fences, VkBool32 all,
                                    uint64_t timeout) {
    const VkResult done = real.WaitForFences(device, count, fences, all, timeout);
    const VkResult result = fault(active.wait);
    return result != VK_SUCCESS ? result : done;
}

VKAPI_ATTR VkResult VKAPI_CALL get_version(uint32_t* version) {
    const VkResult result = real.EnumerateInstanceVersion(version);
    *version = active.old_loader ? std::min<uint32_t>(*version, VK_API_VERSION_1_1) : *version;
    return result;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_function(VkDevice device, const char* name) {
    return active.missing != nullptr && std::strcmp(name, active.missing) == 0 ? nullptr
                                                                               : real.GetDeviceProcAddr(device, name);
}

VKAPI_ATTR void VKAPI_CALL get_memory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties* memory) {
    real.GetPhysicalDeviceMemoryProperties(device, memory);
    for (uint32_t i = 0; i < memory->memoryHeapCount && active.heap_bytes != 0; ++i) {
        memory->memoryHeaps[i].size = active.heap_bytes;
    }
}

VKAPI_ATTR void VKAPI_CALL get_families(VkPhysicalDevice device, uint32_t* count, VkQueueFamilyProperties* families) {
    real.GetPhysicalDeviceQueueFamilyProperties(device, count, families);
    for (uint32_t i = 0; families != nullptr && i < *count && active.timestamp_bits != 0; ++i) {
        families[i].timestampValidBits = active.timestamp_bits;
    }
}

VKAPI_ATTR VkResult VKAPI_CALL get_results(VkDevice device, VkQueryPool pool, uint32_t first, uint32_t count,
                                           size_t bytes, void* data, VkDeviceSize stride, VkQueryResultFlags flags) {
    const VkResult result = real.GetQueryPoolResults(device, pool, first, count, bytes, data, stride, flags);
    const uint64_t mask = (uint64_t{1} << active.timestamp_bits) - 1;
    for (uint32_t i = 0; i < count && active.timestamp_bits != 0; ++i) {
        static_cast<uint64_t*>(data)[i] = (mask - 500 + 1000 * uint64_t{i}) & mask;
    }
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL merge(VkDevice device, VkPipelineCache to, uint32_t count, const VkPipelineCache* from) {
    merged += static_cast<int>(count);
    return real.MergePipelineCaches(device, to, count, from);
}

VKAPI_ATTR VkResult VKAPI_CALL begin(VkCommandBuffer commands, const VkCommandBufferBeginInfo* info) {
    with_barrier.erase(commands);
    return real.BeginCommandBuffer(commands, info);
}

VKAPI_ATTR void VKAPI_CALL barrier(VkCommandBuffer commands, VkPipelineStageFlags from, VkPipelineStageFlags to,
                                   VkDependencyFlags flags, uint32_t count, const VkMemoryBarrier* all,
                                   uint32_t buffer_count, const VkBufferMemoryBarrier* buffers, uint32_t image_count,
                                   const VkImageMemoryBarrier* images) {
    with_barrier.insert(commands);
    real.CmdPipelineBarrier(commands, from, to, flags, count, all, buffer_count, buffers, image_count, images);
}

VKAPI_ATTR void VKAPI_CALL copy(VkCommandBuffer commands, VkBuffer from, VkBuffer to, uint32_t count,
                                const VkBufferCopy* regions) {
    bare += with_barrier.count(commands) == 0 ? 1 : 0;
    real.CmdCopyBuffer(commands, from, to, count, regions);
}

template <class Function>
void replace(Function replacement, Function* function, Function* original) {
    if (*function != nullptr && *function != replacement) {
        *original = *function;
        *function = replacement;
    }
}

void replace_all(Api* api) {
    replace<PFN_vkEnumerateInstanceVersion>(get_version, &api->EnumerateInstanceVersion,
                                            &real.EnumerateInstanceVersion);
    replace<PFN_vkGetDeviceProcAddr>(get_function, &api->GetDeviceProcAddr, &real.GetDeviceProcAddr);
    replace<PFN_vkGetPhysicalDeviceMemoryProperties>(get_memory, &api->GetPhysicalDeviceMemoryProperties,
                                                     &real.GetPhysicalDeviceMemoryProperties);
    replace<PFN_vkGetPhysicalDeviceQueueFamilyProperties>(get_families, &api->GetPhysicalDeviceQueueFamilyProperties,
                                                          &real.GetPhysicalDeviceQueueFamilyProperties);
    replace<PFN_vkGetQueryPoolResults>(get_results, &api->GetQueryPoolResults, &real.GetQueryPoolResults);
    replace<PFN_vkMergePipelineCaches>(merge, &api->MergePipelineCaches, &real.MergePipelineCaches);
    replace<PFN_vkBeginCommandBuffer>(begin, &api->BeginCommandBuffer, &real.BeginCommandBuffer);
    replace<PFN_vkCmdPipelineBarrier>(barrier, &api->CmdPipelineBarrier, &real.CmdPipelineBarrier);
    replace<PFN_vkCmdCopyBuffer>(copy, &api->CmdCopyBuffer, &real.CmdCopyBuffer);
    replace<PFN_vkGetPhysicalDeviceFeatures2>(get_features, &api->GetPhysicalDeviceFeatures2,
                                              &real.GetPhysicalDeviceFeatures2);
    replace<PFN_vkGetPhysicalDeviceExternalBufferProperties>(
        get_external, &api->GetPhysicalDeviceExternalBufferProperties, &real.GetPhysicalDeviceExternalBufferProperties);
    replace<PFN_vkGetMemoryHostPointerPropertiesEXT>(get_pointer, &api->GetMemoryHostPointerPropertiesEXT,
                                                     &real.GetMemoryHostPointerPropertiesEXT);
    replace<PFN_vkEnumerateDeviceExtensionProperties>(list_extensions, &api->EnumerateDeviceExtensionProperties,
                                                      &real.EnumerateDeviceExtensionProperties);
    replace<PFN_vkGetPhysicalDeviceProperties2>(get_properties, &api->GetPhysicalDeviceProperties2,
                                                &real.GetPhysicalDeviceProperties2);
    if (!active.matrices.empty() && api->GetPhysicalDeviceCooperativeMatrixPropertiesKHR == nullptr) {
        api->GetPhysicalDeviceCooperativeMatrixPropertiesKHR = get_matrices;
    }
    replace<GetMatrixProperties>(get_matrices, &api->GetPhysicalDeviceCooperativeMatrixPropertiesKHR,
                                 &real.GetPhysicalDeviceCooperativeMatrixPropertiesKHR);
    replace<PFN_vkCreateDevice>(create_device, &api->CreateDevice, &real.CreateDevice);
    replace<PFN_vkAllocateMemory>(allocate, &api->AllocateMemory, &real.AllocateMemory);
    replace<PFN_vkCreateComputePipelines>(create_pipelines, &api->CreateComputePipelines, &real.CreateComputePipelines);
    replace<PFN_vkQueueSubmit>(submit, &api->QueueSubmit, &real.QueueSubmit);
    replace<PFN_vkWaitForFences>(wait, &api->WaitForFences, &real.WaitForFences);
}

}  // namespace

FaultyDriver::FaultyDriver(const Faults& faults) {
    set(faults);
    imported = merged = bare = 0;
    allocated_bytes = 0;
    with_barrier.clear();
    set_api_hook(replace_all);
}

FaultyDriver::~FaultyDriver() {
    set_api_hook(nullptr);
}

void FaultyDriver::set(const Faults& faults) {
    active = faults;
}

int FaultyDriver::imports() const {
    return imported;
}

uint64_t FaultyDriver::allocated() const {
    return allocated_bytes;
}

int FaultyDriver::merges() const {
    return merged;
}

int FaultyDriver::bare_copies() const {
    return bare;
}

}  // namespace fw::vulkan
