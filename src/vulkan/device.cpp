#include "vulkan/device.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "vulkan/instance.h"

namespace fw::vulkan {

namespace {

constexpr uint64_t kTimeout = UINT64_MAX;

size_t choose(const std::vector<PhysicalDevice>& devices) {
    for (const VkPhysicalDeviceType type :
         {VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU,
          VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU}) {
        for (size_t i = 0; i < devices.size(); ++i) {
            if (devices[i].properties.deviceType == type) {
                return i;
            }
        }
    }
    return 0;
}

}  // namespace

Result<std::shared_ptr<Device>> Device::open(int index, bool staged) {
    static std::mutex mutex;
    static std::map<std::pair<int, bool>, std::weak_ptr<Device>> shared;
    const std::lock_guard<std::mutex> lock(mutex);
    std::weak_ptr<Device>& slot = shared[{index, staged}];
    if (std::shared_ptr<Device> open = slot.lock(); open != nullptr && !open->is_lost()) {
        return open;
    }
    std::shared_ptr<Device> made(new Device());
    FW_RETURN_IF_ERROR(made->create(index, staged));
    slot = made;
    return made;
}

Status Device::create(int index, bool staged) {
    FW_ASSIGN_OR_RETURN(instance_, Instance::open());
    FW_ASSIGN_OR_RETURN(const std::vector<PhysicalDevice> devices, instance_->devices());
    if (index != kAny && static_cast<size_t>(index) >= devices.size()) {
        return Status::error(Code::kNotFound, "there is no Vulkan device %d, this machine has %zu (numbered from 0)",
                             index, devices.size());
    }
    const PhysicalDevice& chosen = devices[index == kAny ? choose(devices) : static_cast<size_t>(index)];
    api_ = instance_->api();
    physical_ = chosen.handle;
    properties_ = chosen.properties;
    limits_ = chosen.properties.limits;
    queue_family_ = chosen.queue_family;
    description_ = describe(chosen);
    timestamp_period_ = chosen.timestamp_bits > 0 ? static_cast<double>(limits_.timestampPeriod) : 0.0;
    timestamp_mask_ = chosen.timestamp_bits >= 64 ? UINT64_MAX : (uint64_t{1} << chosen.timestamp_bits) - 1;
    if (staged) {
        description_.features.unified_memory = false;
    }

    const float priority = 1.0F;
    VkDeviceQueueCreateInfo queue = {};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueFamilyIndex = queue_family_;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkPhysicalDevice8BitStorageFeatures storage8 = {};
    storage8.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES;
    storage8.storageBuffer8BitAccess = VK_TRUE;
    VkPhysicalDevice16BitStorageFeatures storage16 = {};
    storage16.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
    storage16.storageBuffer16BitAccess = VK_TRUE;
    VkPhysicalDeviceShaderFloat16Int8Features arithmetic = {};
    arithmetic.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES;
    arithmetic.shaderInt8 = chosen.features.int8 ? VK_TRUE : VK_FALSE;
    arithmetic.shaderFloat16 = chosen.features.float16 ? VK_TRUE : VK_FALSE;
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot = {};
    dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES;
    dot.shaderIntegerDotProduct = VK_TRUE;
    VkPhysicalDeviceFeatures2 all = {};
    all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    if (chosen.features.int8) {
        all.pNext = &storage8;
    }
    if (chosen.features.int8 || chosen.features.float16) {
        arithmetic.pNext = all.pNext;
        all.pNext = &arithmetic;
    }
    if (chosen.features.float16_storage) {
        storage16.pNext = all.pNext;
        all.pNext = &storage16;
    }
    if (chosen.features.integer_dot) {
        dot.pNext = all.pNext;
        all.pNext = &dot;
    }
    MatrixFeatureChain matrices(all.pNext);
    if (!chosen.features.matrices.empty()) {
        matrices.enable();
        all.pNext = matrices.first();
    }
    VkDeviceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &all;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<uint32_t>(chosen.extensions.size());
    info.ppEnabledExtensionNames = chosen.extensions.data();
    FW_RETURN_IF_ERROR(
        check(api_.CreateDevice(physical_, &info, nullptr, &device_), "vkCreateDevice", Code::kDeviceLost));
    Status loaded = api_.load_device(device_);
    if (!loaded.ok()) {  // what destroys the rest may be missing
        if (api_.DestroyDevice != nullptr) {
            api_.DestroyDevice(device_, nullptr);
        }
        device_ = VK_NULL_HANDLE;
        return loaded;
    }
    api_.GetDeviceQueue(device_, queue_family_, 0, &queue_);
    FW_RETURN_IF_ERROR(choose_memory());
    return create_layouts();
}

Status Device::choose_memory() {
    api_.GetPhysicalDeviceMemoryProperties(physical_, &memory_);
    const VkPhysicalDeviceMemoryProperties& memory = memory_;
    // The first type that has all the properties: drivers list the best one first.
    const auto find = [&](VkMemoryPropertyFlags wanted, uint32_t* out) {
        for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
            if ((memory.memoryTypes[i].propertyFlags & wanted) == wanted) {
                *out = i;
                return true;
            }
        }
        return false;
    };
    constexpr VkMemoryPropertyFlags kVisible =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    constexpr VkMemoryPropertyFlags kCached = kVisible | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
        coherent_types_ |= (memory.memoryTypes[i].propertyFlags & kVisible) == kVisible ? 1U << i : 0U;
    }
    const bool host = find(kCached, &host_memory_) || find(kVisible, &host_memory_);
    const bool device = find(features().unified_memory ? kLocal | kCached : kLocal, &device_memory_);
    if (!host || !device) {
        return Status::error(Code::kUnsupported, "the Vulkan device '%s' has no memory of a kind that is needed",
                             description_.name.c_str());
    }
    return {};
}

Status Device::create_layouts() {
    std::array<VkDescriptorSetLayoutBinding, kBindings> bindings = {};
    for (uint32_t i = 0; i < kBindings; ++i) {
        bindings[i].binding = i;
        bindings[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        bindings[i].descriptorCount = 1;
        bindings[i].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    }
    VkDescriptorSetLayoutCreateInfo set = {};
    set.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
    set.bindingCount = kBindings;
    set.pBindings = bindings.data();
    FW_RETURN_IF_ERROR(
        check(api_.CreateDescriptorSetLayout(device_, &set, nullptr, &set_layout_), "vkCreateDescriptorSetLayout"));
    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes};
    VkPipelineLayoutCreateInfo layout = {};
    layout.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    layout.setLayoutCount = 1;
    layout.pSetLayouts = &set_layout_;
    layout.pushConstantRangeCount = 1;
    layout.pPushConstantRanges = &push;
    FW_RETURN_IF_ERROR(
        check(api_.CreatePipelineLayout(device_, &layout, nullptr, &pipeline_layout_), "vkCreatePipelineLayout"));
    VkFenceCreateInfo fence = {};
    fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    return check(api_.CreateFence(device_, &fence, nullptr, &fence_), "vkCreateFence");
}

Device::~Device() {
    if (device_ == VK_NULL_HANDLE || api_.DestroyDevice == nullptr) {
        return;
    }
    for (const auto& [key, pipeline] : pipelines_) {
        api_.DestroyPipeline(device_, pipeline, nullptr);
    }
    api_.DestroyPipelineCache(device_, cache_, nullptr);
    api_.DestroyFence(device_, fence_, nullptr);
    api_.DestroyPipelineLayout(device_, pipeline_layout_, nullptr);
    api_.DestroyDescriptorSetLayout(device_, set_layout_, nullptr);
    api_.DestroyDevice(device_, nullptr);
}

Result<VkPipeline> Device::pipeline(const Shader& shader, Span<const uint32_t> constants, uint32_t subgroup_size) {
    const std::lock_guard<std::mutex> lock(pipeline_mutex_);
    const std::vector<uint32_t> values(constants.begin(), constants.end());
    const auto found = pipelines_.find({shader.code, values, subgroup_size});
    if (found != pipelines_.end()) {
        return found->second;
    }
    if (cache_ == VK_NULL_HANDLE) {
        VkPipelineCacheCreateInfo empty = {};
        empty.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
        FW_RETURN_IF_ERROR(check(api_.CreatePipelineCache(device_, &empty, nullptr, &cache_), "vkCreatePipelineCache"));
    }
    VkShaderModuleCreateInfo code = {};
    code.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
    code.codeSize = shader.bytes;
    code.pCode = shader.code;
    VkShaderModule module = VK_NULL_HANDLE;
    FW_RETURN_IF_ERROR(
        check(api_.CreateShaderModule(device_, &code, nullptr, &module), "vkCreateShaderModule", Code::kShaderRejected)
            .with_prefix("shader '%s'", shader.name));
    std::vector<VkSpecializationMapEntry> entries;
    for (uint32_t i = 0; i < values.size(); ++i) {
        entries.push_back({i, i * static_cast<uint32_t>(sizeof(uint32_t)), sizeof(uint32_t)});
    }
    const VkSpecializationInfo specialization = {static_cast<uint32_t>(entries.size()), entries.data(),
                                                 values.size() * sizeof(uint32_t), values.data()};
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {};
    subgroup.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
    subgroup.requiredSubgroupSize = subgroup_size;
    VkComputePipelineCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = module;
    info.stage.pName = "main";
    info.stage.pSpecializationInfo = &specialization;
    if (subgroup_size != 0) {
        info.stage.pNext = &subgroup;
        info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
    }
    info.layout = pipeline_layout_;
    VkPipeline pipeline = VK_NULL_HANDLE;
    const VkResult result = api_.CreateComputePipelines(device_, cache_, 1, &info, nullptr, &pipeline);
    api_.DestroyShaderModule(device_, module, nullptr);
    FW_RETURN_IF_ERROR(check(result, "vkCreateComputePipelines", Code::kShaderRejected)
                           .with_prefix("shader '%s' on '%s'", shader.name, description_.name.c_str()));
    pipelines_.emplace(std::make_tuple(shader.code, values, subgroup_size), pipeline);
    return pipeline;
}

Status Device::run(VkCommandBuffer commands) {
    const std::lock_guard<std::mutex> lock(queue_mutex_);
    VkSubmitInfo submit = {};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands;
    if (is_lost()) {
        return check(VK_ERROR_DEVICE_LOST, "an earlier run");
    }
    Status status = check(api_.QueueSubmit(queue_, 1, &submit, fence_), "vkQueueSubmit");
    if (status.ok()) {
        status = check(api_.WaitForFences(device_, 1, &fence_, VK_TRUE, kTimeout), "vkWaitForFences");
    }
    if (status.ok()) {
        status = check(api_.ResetFences(device_, 1, &fence_), "vkResetFences");
    }
    if (!status.ok()) {
        // What was submitted may still run: nobody reads or frees its memory before it ends. A lost device does not
        // wait.
        lost_ = true;
        api_.DeviceWaitIdle(device_);
    }
    return status;
}

std::vector<uint8_t> Device::cache_data() const {
    const std::lock_guard<std::mutex> lock(pipeline_mutex_);
    std::vector<uint8_t> data;
    size_t bytes = 0;
    if (cache_ != VK_NULL_HANDLE && api_.GetPipelineCacheData(device_, cache_, &bytes, nullptr) == VK_SUCCESS) {
        data.resize(bytes);
        if (api_.GetPipelineCacheData(device_, cache_, &bytes, data.data()) != VK_SUCCESS) {
            bytes = 0;
        }
        data.resize(bytes);
        if (!is_own(data)) {  // a driver that writes less than the header: nobody would take it back
            data.clear();
        }
    }
    return data;
}

std::string Device::identity() const {
    std::string text = description_.name;
    for (const uint32_t number : {properties_.vendorID, properties_.deviceID, properties_.driverVersion}) {
        text += ' ' + std::to_string(number);
    }
    const char* without = std::getenv("FW_VULKAN_WITHOUT");  // instance.cpp
    return without == nullptr || *without == '\0' ? text : text + " without " + without;
}

bool Device::is_own(Span<const uint8_t> data) const {
    VkPipelineCacheHeaderVersionOne header = {};
    if (data.size() < sizeof(header)) {
        return false;
    }
    std::memcpy(&header, data.data(), sizeof(header));
    return header.headerSize == sizeof(header) && header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
           header.vendorID == properties_.vendorID && header.deviceID == properties_.deviceID &&
           std::memcmp(header.pipelineCacheUUID, properties_.pipelineCacheUUID, VK_UUID_SIZE) == 0;
}

bool Device::use_cache_data(Span<const uint8_t> data) {
    if (!is_own(data)) {
        return false;
    }
    const std::lock_guard<std::mutex> lock(pipeline_mutex_);
    VkPipelineCacheCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
    info.initialDataSize = data.size();
    info.pInitialData = data.data();
    VkPipelineCache read = VK_NULL_HANDLE;
    if (api_.CreatePipelineCache(device_, &info, nullptr, &read) != VK_SUCCESS) {
        return false;
    }
    if (cache_ == VK_NULL_HANDLE) {
        cache_ = read;
        return true;
    }
    // Another net has begun one.
    const bool merged = api_.MergePipelineCaches(device_, cache_, 1, &read) == VK_SUCCESS;
    api_.DestroyPipelineCache(device_, read, nullptr);
    return merged;
}

size_t Device::pipelines() const {
    const std::lock_guard<std::mutex> lock(pipeline_mutex_);
    return pipelines_.size();
}

}  // namespace fw::vulkan
