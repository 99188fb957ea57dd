#include "vulkan/external_memory.h"

#include "vulkan/device.h"

namespace fw::vulkan {

namespace {

Status no_such_import(const Device& device, const char* what) {
    return Status::error(Code::kUnsupported, "'%s' imports no %s", device.description().name.c_str(), what);
}

bool is_aligned(const Device& device, uint64_t offset) {
    return offset % device.limits().minStorageBufferOffsetAlignment == 0;
}

}  // namespace

Result<ExternalMemory::Description> HostMemory::describe(const Device& device) const {
    constexpr uint64_t kPage = 4096;  // no system has smaller ones: what surrounds the memory in it is there too
    const uint64_t alignment = device.features().import_alignment;
    if (alignment == 0 || device.api().GetMemoryHostPointerPropertiesEXT == nullptr) {
        return no_such_import(device, "memory");
    }
    const auto address = reinterpret_cast<uintptr_t>(memory_);
    Description out;
    out.offset = address % alignment;
    out.bytes = (out.offset + bytes_ + alignment - 1) / alignment * alignment;
    const bool whole = out.offset == 0 && out.bytes == bytes_;
    if ((!whole && alignment > kPage) || !is_aligned(device, out.offset)) {
        return no_such_import(device, "memory at such an address");
    }
    info_.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;
    info_.handleType = type();
    info_.pHostPointer = reinterpret_cast<void*>(address - static_cast<uintptr_t>(out.offset));
    VkMemoryHostPointerPropertiesEXT properties = {};
    properties.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
    FW_RETURN_IF_ERROR(
        check(device.api().GetMemoryHostPointerPropertiesEXT(device.handle(), type(), info_.pHostPointer, &properties),
              "vkGetMemoryHostPointerPropertiesEXT"));
    out.types = properties.memoryTypeBits & device.coherent_types();
    return out;
}

Result<ExternalMemory::Description> HardwareBuffer::describe(const Device& device) const {
    if (!device.features().hardware_buffers || device.api().GetAndroidHardwareBufferPropertiesANDROID == nullptr) {
        return no_such_import(device, "Android hardware buffers");
    }
    VkAndroidHardwareBufferPropertiesANDROID properties = {};
    properties.sType = VK_STRUCTURE_TYPE_ANDROID_HARDWARE_BUFFER_PROPERTIES_ANDROID;
    FW_RETURN_IF_ERROR(
        check(device.api().GetAndroidHardwareBufferPropertiesANDROID(device.handle(), info_.buffer, &properties),
              "vkGetAndroidHardwareBufferPropertiesANDROID"));
    if (offset_ > properties.allocationSize || bytes_ > properties.allocationSize - offset_ ||
        !is_aligned(device, offset_)) {
        return no_such_import(device, "such part of an Android hardware buffer");
    }
    Description out;
    out.bytes = properties.allocationSize;
    out.offset = offset_;
    out.types = properties.memoryTypeBits;
    out.dedicated = device.features().dedicated_hardware_buffers;
    out.foreign = true;
    return out;
}

}  // namespace fw::vulkan
