#include "vulkan/cooperative_matrix.h"

#include <algorithm>

namespace fw::vulkan {

namespace {

using Component = MatrixProperties::Component;

// Sides that divide the tiles of conv_matrix.comp; depths of whole words, 32 bytes of int8 or 32 float16 at most.
constexpr uint32_t kMostSide = 32;
constexpr uint32_t kLeastSide = 4;

bool divides(uint32_t part, uint32_t whole) {
    return part >= kLeastSide && whole % part == 0;
}

void add(const MatrixShape& shape, std::vector<MatrixShape>* shapes) {
    if (std::find(shapes->begin(), shapes->end(), shape) == shapes->end()) {
        shapes->push_back(shape);
    }
}

}  // namespace

MatrixShapes usable_shapes(Span<const MatrixProperties> properties) {
    MatrixShapes shapes;
    for (const MatrixProperties& p : properties) {
        const bool fits = divides(p.m, kMostSide) && divides(p.n, kMostSide) && divides(p.k, kMostSide);
        if (!fits || p.scope != MatrixProperties::kSubgroup || p.saturating != VK_FALSE || p.a != p.b ||
            p.c != p.result) {
            continue;
        }
        if (p.a == Component::kInt8 && p.c == Component::kInt32) {
            add({p.m, p.n, p.k}, &shapes.int8);
        } else if (p.a == Component::kFloat16 && p.c == Component::kFloat32) {
            add({p.m, p.n, p.k}, &shapes.float16);
        }
    }
    return shapes;
}

MatrixFeatureChain::MatrixFeatureChain(void* next) {
    matrix_.next = &memory_model_;
    memory_model_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES;
    memory_model_.pNext = &subgroup_;
    subgroup_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES;
    subgroup_.pNext = next;
}

bool MatrixFeatureChain::complete() const {
    return matrix_.cooperative_matrix != VK_FALSE && memory_model_.vulkanMemoryModel != VK_FALSE &&
           subgroup_.subgroupSizeControl != VK_FALSE && subgroup_.computeFullSubgroups != VK_FALSE;
}

void MatrixFeatureChain::enable() {
    matrix_.cooperative_matrix = VK_TRUE;
    memory_model_.vulkanMemoryModel = VK_TRUE;
    subgroup_.subgroupSizeControl = VK_TRUE;
    subgroup_.computeFullSubgroups = VK_TRUE;
}

MatrixShapes find_matrix_shapes(const Api& api, VkPhysicalDevice device) {
    MatrixFeatureChain features;
    VkPhysicalDeviceFeatures2 asked = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, features.first(), {}};
    api.GetPhysicalDeviceFeatures2(device, &asked);
    VkPhysicalDeviceSubgroupProperties subgroup = {};
    subgroup.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES;
    VkPhysicalDeviceSubgroupSizeControlProperties sizes = {};
    sizes.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES;
    sizes.pNext = &subgroup;
    MatrixStages matrix;
    matrix.next = &sizes;
    VkPhysicalDeviceProperties2 properties = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &matrix, {}};
    api.GetPhysicalDeviceProperties2(device, &properties);
    constexpr VkShaderStageFlags kCompute = VK_SHADER_STAGE_COMPUTE_BIT;
    const uint32_t size = subgroup.subgroupSize;
    // Four subgroups of a power of two of lanes load tiles whose rows are of 32 words (matrix_tiles.h).
    constexpr uint32_t kFewestLanes = 8;
    constexpr uint32_t kMostLanes = 128;
    const VkPhysicalDeviceLimits& limits = properties.properties.limits;
    const bool sized = size >= std::max(kFewestLanes, sizes.minSubgroupSize) &&
                       size <= std::min(kMostLanes, sizes.maxSubgroupSize) && (size & (size - 1)) == 0 &&
                       4 * size <= limits.maxComputeWorkGroupInvocations &&
                       4 * size <= limits.maxComputeWorkGroupSize[0] && sizes.maxComputeWorkgroupSubgroups >= 4;
    uint32_t count = 0;
    if (!features.complete() || api.GetPhysicalDeviceCooperativeMatrixPropertiesKHR == nullptr || !sized ||
        (matrix.stages & sizes.requiredSubgroupSizeStages & subgroup.supportedStages & kCompute) == 0 ||
        api.GetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, nullptr) != VK_SUCCESS) {
        return {};
    }
    std::vector<MatrixProperties> all(count);
    if (api.GetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, all.data()) != VK_SUCCESS) {
        return {};
    }
    all.resize(count);
    MatrixShapes shapes = usable_shapes(all);
    shapes.subgroup_size = size;
    return shapes;
}

}  // namespace fw::vulkan
