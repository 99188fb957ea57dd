#include "vulkan/instance.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include "base/log.h"

namespace fw::vulkan {

namespace {

// Of drivers that make Vulkan of another interface, as on Apple's systems.
constexpr const char* kPortabilitySubset = "VK_KHR_portability_subset";

bool has(const std::vector<VkExtensionProperties>& extensions, const char* name) {
    return std::any_of(extensions.begin(), extensions.end(),
                       [&](const VkExtensionProperties& e) { return std::strcmp(e.extensionName, name) == 0; });
}

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT /*severity*/,
                                          VkDebugUtilsMessageTypeFlagsEXT /*types*/,
                                          const VkDebugUtilsMessengerCallbackDataEXT* data, void* /*user_data*/) {
    log(LogLevel::kWarn, "Vulkan: %s", data->pMessage);
    return VK_FALSE;
}

const char* type_name(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return "discrete GPU";
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return "integrated GPU";
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return "virtual GPU";
        case VK_PHYSICAL_DEVICE_TYPE_CPU: return "CPU";
        default: return "other";
    }
}

bool find_queue(const Api& api, PhysicalDevice* device) {
    uint32_t count = 0;
    api.GetPhysicalDeviceQueueFamilyProperties(device->handle, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    api.GetPhysicalDeviceQueueFamilyProperties(device->handle, &count, families.data());
    for (uint32_t i = 0; i < count; ++i) {
        if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0) {
            device->queue_family = i;
            device->timestamp_bits = families[i].timestampValidBits;
            return true;
        }
    }
    return false;
}

bool has_unified_memory(const Api& api, VkPhysicalDevice device) {
    constexpr VkMemoryPropertyFlags kUnified =
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
        VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    VkPhysicalDeviceMemoryProperties memory = {};
    api.GetPhysicalDeviceMemoryProperties(device, &memory);
    return std::any_of(memory.memoryTypes, memory.memoryTypes + memory.memoryTypeCount,
                       [](const VkMemoryType& type) { return (type.propertyFlags & kUnified) == kUnified; });
}

// What storage buffers of such memory can be.
VkExternalMemoryFeatureFlags external_features(const Api& api, VkPhysicalDevice device,
                                               VkExternalMemoryHandleTypeFlagBits type) {
    VkPhysicalDeviceExternalBufferInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
    info.handleType = type;
    VkExternalBufferProperties buffers = {};
    buffers.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES;
    api.GetPhysicalDeviceExternalBufferProperties(device, &info, &buffers);
    return buffers.externalMemoryProperties.externalMemoryFeatures;
}

void find_imports(const Api& api, const std::vector<VkExtensionProperties>& extensions, PhysicalDevice* device) {
    constexpr VkExternalMemoryFeatureFlags kImport = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    constexpr VkExternalMemoryFeatureFlags kDedicated = VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT;
    Features& features = device->features;
    if (has(extensions, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME) &&
        (external_features(api, device->handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT) &
         (kImport | kDedicated)) == kImport) {
        VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {};
        host.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
        VkPhysicalDeviceProperties2 all = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &host, {}};
        api.GetPhysicalDeviceProperties2(device->handle, &all);
        features.import_alignment = host.minImportedHostPointerAlignment;
        device->extensions.push_back(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    }
    if (has(extensions, VK_ANDROID_EXTERNAL_MEMORY_ANDROID_HARDWARE_BUFFER_EXTENSION_NAME) &&
        has(extensions, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME)) {
        const VkExternalMemoryFeatureFlags buffers =
            external_features(api, device->handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_ANDROID_HARDWARE_BUFFER_BIT_ANDROID);
        features.hardware_buffers = (buffers & kImport) != 0;
        features.dedicated_hardware_buffers = (buffers & kDedicated) != 0;
    }
    if (features.hardware_buffers) {
        device->extensions.push_back(VK_ANDROID_EXTERNAL_MEMORY_ANDROID_HARDWARE_BUFFER_EXTENSION_NAME);
        device->extensions.push_back(VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME);
    }
}

// FW_VULKAN_WITHOUT=NAME,NAME...: as if devices lacked these, to compare what is chosen then.
constexpr const char* kHidden = "FW_VULKAN_WITHOUT";
constexpr const char* kIntegerDot = "integer_dot";
constexpr const char* kCooperativeMatrix = "cooperative_matrix";

std::set<std::string> hidden_features() {
    const char* list = std::getenv(kHidden);
    std::set<std::string> names;
    for (std::string left = list == nullptr ? "" : list; !left.empty();) {
        const size_t end = left.find(',');
        names.insert(left.substr(0, end));
        left.erase(0, end == std::string::npos ? end : end + 1);
    }
    return names;
}

bool is_hidden(const char* name) {
    return hidden_features().count(name) != 0;
}

void warn_of_unknown_names() {
    for (const std::string& name : hidden_features()) {
        if (name != kIntegerDot && name != kCooperativeMatrix) {
            log(LogLevel::kWarn, "%s: '%s' is neither %s nor %s", kHidden, name.c_str(), kCooperativeMatrix,
                kIntegerDot);
        }
    }
}

// Asks for each feature only where the version or an extension has it.
Status find_features(const Api& api, uint32_t instance_version, PhysicalDevice* device) {
    uint32_t count = 0;
    FW_RETURN_IF_ERROR(check(api.EnumerateDeviceExtensionProperties(device->handle, nullptr, &count, nullptr),
                             "vkEnumerateDeviceExtensionProperties"));
    std::vector<VkExtensionProperties> extensions(count);
    FW_RETURN_IF_ERROR(check(api.EnumerateDeviceExtensionProperties(device->handle, nullptr, &count, extensions.data()),
                             "vkEnumerateDeviceExtensionProperties"));
    const uint32_t version = std::min(device->properties.apiVersion, instance_version);
    std::vector<const char*> wanted;
    const auto available = [&](const char* name, uint32_t core) {
        if (version >= core) {
            return true;
        }
        const bool listed = has(extensions, name);
        if (listed) {
            wanted.push_back(name);
        }
        return listed;
    };
    VkPhysicalDevice8BitStorageFeatures storage8 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES, nullptr, 0,
                                                    0, 0};
    VkPhysicalDevice16BitStorageFeatures storage16 = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES, nullptr, 0, 0, 0, 0};
    VkPhysicalDeviceShaderFloat16Int8Features arithmetic = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES, nullptr, 0, 0};
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES, nullptr, 0};
    VkPhysicalDeviceSubgroupSizeControlFeatures subgroup = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES, nullptr, 0, 0};
    VkPhysicalDeviceFeatures2 all = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &storage16, {}};
    const auto chain = [&](auto* next) {
        next->pNext = all.pNext;
        all.pNext = next;
    };
    if (available(VK_KHR_8BIT_STORAGE_EXTENSION_NAME, VK_API_VERSION_1_2)) {
        chain(&storage8);
    }
    if (available(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME, VK_API_VERSION_1_2)) {
        chain(&arithmetic);
    }
    if (available(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME, VK_API_VERSION_1_3)) {
        chain(&dot);
    }
    if (version >= VK_API_VERSION_1_3) {
        chain(&subgroup);
    }
    api.GetPhysicalDeviceFeatures2(device->handle, &all);
    Features& features = device->features;
    features.int8 = storage8.storageBuffer8BitAccess != 0 && arithmetic.shaderInt8 != 0;
    features.integer_dot = dot.shaderIntegerDotProduct != 0 && !is_hidden(kIntegerDot);
    features.float16_storage = storage16.storageBuffer16BitAccess != 0;
    features.float16 = features.float16_storage && arithmetic.shaderFloat16 != 0;
    features.subgroup_size_control = subgroup.subgroupSizeControl != 0;
    // All it needs beside the extension is in Vulkan 1.3.
    if (version >= VK_API_VERSION_1_3 && has(extensions, kCooperativeMatrixExtension) &&
        !is_hidden(kCooperativeMatrix)) {
        features.matrices = find_matrix_shapes(api, device->handle);
        if (!features.int8) {
            features.matrices.int8.clear();
        }
        if (!features.float16) {
            features.matrices.float16.clear();
        }
    }
    if (!features.matrices.empty()) {
        wanted.push_back(kCooperativeMatrixExtension);
    }
    features.unified_memory = has_unified_memory(api, device->handle);
    if (has(extensions, kPortabilitySubset)) {  // must be enabled where it is
        wanted.push_back(kPortabilitySubset);
    }
    device->extensions = std::move(wanted);
    find_imports(api, extensions, device);
    return {};
}

}  // namespace

Result<std::shared_ptr<Instance>> Instance::open() {
    const char* wanted = std::getenv("FW_VULKAN");
    if (wanted != nullptr && std::string(wanted) == "0") {
        return Status::error(Code::kNotFound, "FW_VULKAN=0 hides the Vulkan devices");
    }
    static std::mutex mutex;
    static std::weak_ptr<Instance> shared;
    const std::lock_guard<std::mutex> lock(mutex);
    if (std::shared_ptr<Instance> open = shared.lock()) {
        return open;
    }
    warn_of_unknown_names();
    std::shared_ptr<Instance> made(new Instance());
    FW_RETURN_IF_ERROR(made->create());
    shared = made;
    return made;
}

Status Instance::create() {
    FW_RETURN_IF_ERROR(api_.open_loader());
    uint32_t version = 0;
    FW_RETURN_IF_ERROR(check(api_.EnumerateInstanceVersion(&version), "vkEnumerateInstanceVersion"));
    if (version < VK_API_VERSION_1_1) {
        return Status::error(Code::kUnsupported, "the Vulkan loader is older than Vulkan 1.1");
    }
    uint32_t count = 0;
    FW_RETURN_IF_ERROR(check(api_.EnumerateInstanceExtensionProperties(nullptr, &count, nullptr),
                             "vkEnumerateInstanceExtensionProperties"));
    std::vector<VkExtensionProperties> extensions(count);
    FW_RETURN_IF_ERROR(check(api_.EnumerateInstanceExtensionProperties(nullptr, &count, extensions.data()),
                             "vkEnumerateInstanceExtensionProperties"));
    const bool messages = has(extensions, VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    const bool portability = has(extensions, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
    std::vector<const char*> enabled;
    if (messages) {
        enabled.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    }
    if (portability) {
        enabled.push_back(VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
    }

    VkApplicationInfo application = {};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.pEngineName = "featherweight";
    version_ = std::min<uint32_t>(version, VK_API_VERSION_1_3);
    application.apiVersion = version_;
    VkDebugUtilsMessengerCreateInfoEXT messenger = {};
    messenger.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
    messenger.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
    messenger.pfnUserCallback = on_message;
    VkInstanceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pNext = messages ? &messenger : nullptr;
    info.pApplicationInfo = &application;
    info.flags = portability ? VkInstanceCreateFlags{VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR} : 0U;
    info.enabledExtensionCount = static_cast<uint32_t>(enabled.size());
    info.ppEnabledExtensionNames = enabled.data();
    const VkResult result = api_.CreateInstance(&info, nullptr, &instance_);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
        return Status::error(Code::kNotFound, "no Vulkan driver on this machine (the loader is there)");
    }
    FW_RETURN_IF_ERROR(check(result, "vkCreateInstance"));
    FW_RETURN_IF_ERROR(api_.load_instance(instance_));
    const auto create_messenger = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
        api_.GetInstanceProcAddr(instance_, "vkCreateDebugUtilsMessengerEXT"));
    if (messages && create_messenger != nullptr) {
        FW_RETURN_IF_ERROR(
            check(create_messenger(instance_, &messenger, nullptr, &messenger_), "vkCreateDebugUtilsMessengerEXT"));
    }
    return {};
}

Instance::~Instance() {
    if (messenger_ != VK_NULL_HANDLE) {
        const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
            api_.GetInstanceProcAddr(instance_, "vkDestroyDebugUtilsMessengerEXT"));
        destroy(instance_, messenger_, nullptr);
    }
    if (instance_ != VK_NULL_HANDLE && api_.DestroyInstance != nullptr) {
        api_.DestroyInstance(instance_, nullptr);
    }
}

Result<std::vector<PhysicalDevice>> Instance::devices() const {
    uint32_t count = 0;
    FW_RETURN_IF_ERROR(check(api_.EnumeratePhysicalDevices(instance_, &count, nullptr), "vkEnumeratePhysicalDevices"));
    std::vector<VkPhysicalDevice> handles(count);
    FW_RETURN_IF_ERROR(
        check(api_.EnumeratePhysicalDevices(instance_, &count, handles.data()), "vkEnumeratePhysicalDevices"));
    std::vector<PhysicalDevice> devices;
    for (VkPhysicalDevice handle : handles) {
        PhysicalDevice device;
        device.handle = handle;
        api_.GetPhysicalDeviceProperties(handle, &device.properties);
        if (device.properties.apiVersion < VK_API_VERSION_1_1 || !find_queue(api_, &device)) {
            continue;
        }
        FW_RETURN_IF_ERROR(find_features(api_, version_, &device));
        devices.push_back(std::move(device));
    }
    if (devices.empty()) {
        return Status::error(Code::kNotFound,
                             "no Vulkan device on this machine (of %u, none has Vulkan 1.1 and a "
                             "compute queue)",
                             count);
    }
    return devices;
}

DeviceDescription describe(const PhysicalDevice& device) {
    const uint32_t version = device.properties.apiVersion;
    DeviceDescription out;
    out.name = device.properties.deviceName;
    out.type = type_name(device.properties.deviceType);
    out.version = std::to_string(VK_API_VERSION_MAJOR(version)) + "." + std::to_string(VK_API_VERSION_MINOR(version)) +
                  "." + std::to_string(VK_API_VERSION_PATCH(version));
    out.features = device.features;
    return out;
}

Result<std::vector<DeviceDescription>> list_devices() {
    FW_ASSIGN_OR_RETURN(const std::shared_ptr<Instance> instance, Instance::open());
    FW_ASSIGN_OR_RETURN(const std::vector<PhysicalDevice> devices, instance->devices());
    std::vector<DeviceDescription> out;
    out.reserve(devices.size());
    for (const PhysicalDevice& device : devices) {
        out.push_back(describe(device));
    }
    return out;
}

}  // namespace fw::vulkan
