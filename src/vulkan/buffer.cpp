// Buffers: memory of the device's own, and the application's.
#include <algorithm>

#include "vulkan/device.h"

namespace fw::vulkan {

void Buffer::swap(Buffer* other) {
    std::swap(device_, other->device_);
    std::swap(buffer_, other->buffer_);
    std::swap(memory_, other->memory_);
    std::swap(bytes_, other->bytes_);
    std::swap(host_, other->host_);
    std::swap(foreign_, other->foreign_);
}

Buffer::~Buffer() {
    if (device_ != nullptr) {
        device_->api().DestroyBuffer(device_->handle(), buffer_, nullptr);
        device_->api().FreeMemory(device_->handle(), memory_, nullptr);
    }
}

// What a buffer is made of.
struct Device::Allocation {
    uint64_t bytes = 0;
    VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
    uint32_t types = 0;  ///< bits of the memory types that it may be in: the first that the buffer may have is taken
    const void* buffer_info = nullptr;  ///< what else VkBufferCreateInfo and VkMemoryAllocateInfo say
    void* memory_info = nullptr;        ///< ... of memory that is there already, of as many bytes
    bool dedicated = false;             ///< memory_info has to name the buffer
};

Result<Buffer> Device::allocate(const Allocation& wanted) {
    Buffer out;
    out.device_ = shared_from_this();
    out.bytes_ = wanted.bytes;
    VkBufferCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.pNext = wanted.buffer_info;
    info.size = wanted.bytes;
    info.usage = wanted.usage;
    FW_RETURN_IF_ERROR(check(api_.CreateBuffer(device_, &info, nullptr, &out.buffer_), "vkCreateBuffer"));
    VkMemoryRequirements needs = {};
    api_.GetBufferMemoryRequirements(device_, out.buffer_, &needs);
    const uint32_t types = needs.memoryTypeBits & wanted.types;
    const bool imports = wanted.memory_info != nullptr;
    if (types == 0 || (imports && needs.size > wanted.bytes)) {
        return Status::error(Code::kUnsupported, "the Vulkan device '%s' has no storage buffers in such memory",
                             description_.name.c_str());
    }
    VkMemoryDedicatedAllocateInfo dedicated = {};
    dedicated.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO;
    dedicated.pNext = wanted.memory_info;
    dedicated.buffer = out.buffer_;
    VkMemoryAllocateInfo memory = {};
    memory.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    memory.pNext = wanted.dedicated ? &dedicated : wanted.memory_info;
    memory.allocationSize = imports ? wanted.bytes : needs.size;
    while ((types >> memory.memoryTypeIndex & 1U) == 0) {
        ++memory.memoryTypeIndex;
    }
    const uint64_t heap = memory_.memoryHeaps[memory_.memoryTypes[memory.memoryTypeIndex].heapIndex].size;
    if (!imports && memory.allocationSize > heap) {
        return Status::error(Code::kOutOfMemory, "%llu bytes on '%s', whose memory has %llu",
                             static_cast<unsigned long long>(wanted.bytes), description_.name.c_str(),
                             static_cast<unsigned long long>(heap));
    }
    const VkResult result = api_.AllocateMemory(device_, &memory, nullptr, &out.memory_);
    if (result != VK_SUCCESS) {
        return check(result, "vkAllocateMemory")
            .with_prefix("%llu bytes on '%s'", static_cast<unsigned long long>(wanted.bytes),
                         description_.name.c_str());
    }
    FW_RETURN_IF_ERROR(check(api_.BindBufferMemory(device_, out.buffer_, out.memory_, 0), "vkBindBufferMemory"));
    return out;
}

Result<Buffer> Device::create_buffer(uint64_t bytes, Place place) {
    Allocation wanted;
    wanted.bytes = bytes;
    wanted.usage |= VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    wanted.types = 1U << (place == Place::kHost ? host_memory_ : device_memory_);
    FW_ASSIGN_OR_RETURN(Buffer out, allocate(wanted));
    if (place == Place::kHost || features().unified_memory) {
        FW_RETURN_IF_ERROR(check(api_.MapMemory(device_, out.memory_, 0, VK_WHOLE_SIZE, 0, &out.host_), "vkMapMemory"));
    }
    return Result<Buffer>(std::move(out));
}

Result<Buffer> Device::import_memory(ExternalMemory* memory, uint64_t* offset) {
    FW_ASSIGN_OR_RETURN(const ExternalMemory::Description description, memory->describe(*this));
    VkExternalMemoryBufferCreateInfo external = {};
    external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
    external.handleTypes = static_cast<VkExternalMemoryHandleTypeFlags>(memory->type());
    Allocation wanted;
    wanted.bytes = description.bytes;
    wanted.types = description.types;
    wanted.dedicated = description.dedicated;
    wanted.buffer_info = &external;
    wanted.memory_info = memory->import_info();
    FW_ASSIGN_OR_RETURN(Buffer out, allocate(wanted));
    out.foreign_ = description.foreign;
    *offset = description.offset;
    return Result<Buffer>(std::move(out));
}

}  // namespace fw::vulkan
