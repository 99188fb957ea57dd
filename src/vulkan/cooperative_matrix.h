// Cooperative matrices (VK_KHR_cooperative_matrix): products of small matrices by a whole subgroup. Vulkan's headers
// may be older than the extension, so what is used of it is declared here, as its specification has it.
#pragma once

#include <cstdint>
#include <vector>

#include "fw/span.h"
#include "vulkan/api.h"

namespace fw::vulkan {

constexpr const char* kCooperativeMatrixExtension = "VK_KHR_cooperative_matrix";

/// An m x k matrix by a k x n one.
struct MatrixShape {
    uint32_t m = 0, n = 0, k = 0;
    bool operator==(const MatrixShape& other) const { return m == other.m && n == other.n && k == other.k; }
};

/// What a subgroup multiplies, exactly these types and without saturation.
struct MatrixShapes {
    std::vector<MatrixShape> int8;     ///< signed, sums in int32
    std::vector<MatrixShape> float16;  ///< sums in float32
    uint32_t subgroup_size = 0;        ///< that shaders ask for
    bool empty() const { return int8.empty() && float16.empty(); }
};

/// VkCooperativeMatrixPropertiesKHR.
struct MatrixProperties {
    enum class Component : int32_t { kFloat16 = 0, kFloat32 = 1, kInt8 = 3, kInt32 = 5 };
    static constexpr int32_t kSubgroup = 3;
    VkStructureType type = static_cast<VkStructureType>(1000506001);
    void* next = nullptr;
    uint32_t m = 0, n = 0, k = 0;
    Component a = {}, b = {}, c = {}, result = {};
    VkBool32 saturating = VK_FALSE;
    int32_t scope = 0;
};

/// VkPhysicalDeviceCooperativeMatrixFeaturesKHR.
struct MatrixFeatures {
    static constexpr VkStructureType kType = static_cast<VkStructureType>(1000506000);
    VkStructureType type = kType;
    void* next = nullptr;
    VkBool32 cooperative_matrix = VK_FALSE;
    VkBool32 robust_buffer_access = VK_FALSE;
};

/// VkPhysicalDeviceCooperativeMatrixPropertiesKHR.
struct MatrixStages {
    static constexpr VkStructureType kType = static_cast<VkStructureType>(1000506002);
    VkStructureType type = kType;
    void* next = nullptr;
    VkShaderStageFlags stages = 0;
};

/// The shapes among a driver's properties that shaders can be given.
MatrixShapes usable_shapes(Span<const MatrixProperties> properties);

/// Asks a device that lists the extension. Nothing where it, or the driver, lacks what the shaders need beside it.
MatrixShapes find_matrix_shapes(const Api& api, VkPhysicalDevice device);

/// What a device with shapes has to be created with; a chain that ends with `next`.
class MatrixFeatureChain {
public:
    explicit MatrixFeatureChain(void* next = nullptr);
    MatrixFeatureChain(const MatrixFeatureChain&) = delete;
    MatrixFeatureChain& operator=(const MatrixFeatureChain&) = delete;
    void* first() { return &matrix_; }
    bool complete() const;
    void enable();

private:
    MatrixFeatures matrix_;
    VkPhysicalDeviceVulkanMemoryModelFeatures memory_model_ = {};
    VkPhysicalDeviceSubgroupSizeControlFeatures subgroup_ = {};
};

}  // namespace fw::vulkan
