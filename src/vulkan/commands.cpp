#include "vulkan/commands.h"

#include <array>

namespace fw::vulkan {

Result<Commands> Commands::create(const std::shared_ptr<Device>& device, uint32_t dispatches, uint32_t timestamps) {
    Commands made;
    made.device_ = device;
    FW_RETURN_IF_ERROR(made.make(dispatches, timestamps));
    return Result<Commands>(std::move(made));
}

Status Commands::make(uint32_t dispatches, uint32_t timestamps) {
    const Api& api = device_->api();
    VkCommandPoolCreateInfo pool = {};
    pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool.queueFamilyIndex = device_->queue_family();
    FW_RETURN_IF_ERROR(check(api.CreateCommandPool(device_->handle(), &pool, nullptr, &pool_), "vkCreateCommandPool"));
    VkCommandBufferAllocateInfo buffer = {};
    buffer.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    buffer.commandPool = pool_;
    buffer.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    buffer.commandBufferCount = 1;
    FW_RETURN_IF_ERROR(
        check(api.AllocateCommandBuffers(device_->handle(), &buffer, &buffer_), "vkAllocateCommandBuffers"));
    if (dispatches > 0) {
        const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, dispatches * kBindings};
        VkDescriptorPoolCreateInfo sets = {};
        sets.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
        sets.maxSets = dispatches;
        sets.poolSizeCount = 1;
        sets.pPoolSizes = &size;
        FW_RETURN_IF_ERROR(
            check(api.CreateDescriptorPool(device_->handle(), &sets, nullptr, &sets_), "vkCreateDescriptorPool"));
    }
    VkCommandBufferBeginInfo begin = {};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    FW_RETURN_IF_ERROR(check(api.BeginCommandBuffer(buffer_, &begin), "vkBeginCommandBuffer"));
    if (timestamps > 0 && device_->timestamp_period() > 0) {
        VkQueryPoolCreateInfo queries = {};
        queries.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
        queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
        queries.queryCount = timestamps;
        FW_RETURN_IF_ERROR(
            check(api.CreateQueryPool(device_->handle(), &queries, nullptr, &queries_), "vkCreateQueryPool"));
        api.CmdResetQueryPool(buffer_, queries_, 0, timestamps);
    }
    return {};
}

void Commands::swap(Commands* other) {
    std::swap(device_, other->device_);
    std::swap(pool_, other->pool_);
    std::swap(buffer_, other->buffer_);
    std::swap(sets_, other->sets_);
    std::swap(queries_, other->queries_);
    std::swap(written_, other->written_);
}

Commands::Commands(Commands&& other) noexcept {
    swap(&other);
}

Commands& Commands::operator=(Commands&& other) noexcept {
    swap(&other);
    return *this;
}

Commands::~Commands() {
    if (device_ != nullptr) {
        const Api& api = device_->api();
        api.DestroyQueryPool(device_->handle(), queries_, nullptr);
        api.DestroyDescriptorPool(device_->handle(), sets_, nullptr);
        api.DestroyCommandPool(device_->handle(), pool_, nullptr);
    }
}

void Commands::barrier() {
    VkMemoryBarrier all = {};
    all.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    all.srcAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    all.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_READ_BIT |
                        VK_ACCESS_TRANSFER_WRITE_BIT;
    constexpr VkPipelineStageFlags kStages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    device_->api().CmdPipelineBarrier(buffer_, kStages, kStages, 0, 1, &all, 0, nullptr, 0, nullptr);
}

void Commands::copy(VkBuffer from, uint64_t from_offset, VkBuffer to, uint64_t to_offset, uint64_t bytes) {
    const VkBufferCopy region = {from_offset, to_offset, bytes};
    device_->api().CmdCopyBuffer(buffer_, from, to, 1, &region);
}

Status Commands::dispatch(VkPipeline pipeline, Span<const BufferRange> bindings, Span<const uint32_t> push,
                          const uint32_t (&groups)[3]) {
    const Api& api = device_->api();
    const VkDescriptorSetLayout layout = device_->set_layout();
    VkDescriptorSetAllocateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    info.descriptorPool = sets_;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &layout;
    VkDescriptorSet set = VK_NULL_HANDLE;
    FW_RETURN_IF_ERROR(check(api.AllocateDescriptorSets(device_->handle(), &info, &set), "vkAllocateDescriptorSets"));
    std::array<VkDescriptorBufferInfo, kBindings> buffers = {};
    std::array<VkWriteDescriptorSet, kBindings> writes = {};
    for (uint32_t i = 0; i < kBindings; ++i) {
        buffers[i] = {bindings[i].buffer, bindings[i].offset, bindings[i].bytes};
        writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
        writes[i].dstSet = set;
        writes[i].dstBinding = i;
        writes[i].descriptorCount = 1;
        writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        writes[i].pBufferInfo = &buffers[i];
    }
    api.UpdateDescriptorSets(device_->handle(), kBindings, writes.data(), 0, nullptr);
    api.CmdBindPipeline(buffer_, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    api.CmdBindDescriptorSets(buffer_, VK_PIPELINE_BIND_POINT_COMPUTE, device_->pipeline_layout(), 0, 1, &set, 0,
                              nullptr);
    api.CmdPushConstants(buffer_, device_->pipeline_layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                         static_cast<uint32_t>(push.size() * sizeof(uint32_t)), push.data());
    api.CmdDispatch(buffer_, groups[0], groups[1], groups[2]);
    return {};
}

void Commands::transfer(VkBuffer buffer, uint32_t from_family, uint32_t to_family) {
    const bool acquires = to_family == device_->queue_family();
    VkBufferMemoryBarrier barrier = {};
    barrier.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER;
    barrier.dstAccessMask = acquires ? VkAccessFlags{VK_ACCESS_SHADER_READ_BIT} : 0U;
    barrier.srcQueueFamilyIndex = from_family;
    barrier.dstQueueFamilyIndex = to_family;
    barrier.buffer = buffer;
    barrier.size = VK_WHOLE_SIZE;
    device_->api().CmdPipelineBarrier(
        buffer_, acquires ? VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT : VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
        acquires ? VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT : VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, nullptr, 1,
        &barrier, 0, nullptr);
}

void Commands::timestamp() {
    if (queries_ != VK_NULL_HANDLE) {
        device_->api().CmdWriteTimestamp(buffer_, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_, written_++);
    }
}

Status Commands::finish() {
    VkMemoryBarrier to_host = {};
    to_host.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    to_host.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    to_host.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
    device_->api().CmdPipelineBarrier(buffer_, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
                                      VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &to_host, 0, nullptr, 0, nullptr);
    return check(device_->api().EndCommandBuffer(buffer_), "vkEndCommandBuffer");
}

Result<std::vector<double>> Commands::times() const {
    std::vector<double> times;
    if (written_ < 2) {
        return times;
    }
    std::vector<uint64_t> ticks(written_);
    FW_RETURN_IF_ERROR(check(device_->api().GetQueryPoolResults(
                                 device_->handle(), queries_, 0, written_, ticks.size() * sizeof(uint64_t),
                                 ticks.data(), sizeof(uint64_t), VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
                             "vkGetQueryPoolResults"));
    for (size_t i = 1; i < ticks.size(); ++i) {
        const uint64_t passed = (ticks[i] - ticks[i - 1]) & device_->timestamp_mask();
        times.push_back(static_cast<double>(passed) * device_->timestamp_period() * 1e-6);
    }
    return times;
}

}  // namespace fw::vulkan
