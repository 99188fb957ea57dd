// How conv_matrix.comp cuts a convolution into tiles, for the shapes that a device multiplies.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fw/span.h"
#include "vulkan/cooperative_matrix.h"

namespace fw::vulkan {

struct MatrixTiles {
    MatrixShape shape;
    uint32_t invocations = 0;  ///< of a work group: four subgroups
    uint32_t block_rows = 0;   ///< of a subgroup's quarter of a tile
    uint32_t block_columns = 0;

    int64_t rows() const { return int64_t{2} * block_rows; }
    int64_t columns() const { return int64_t{2} * block_columns; }
    /// Constants 4 to 12 of the shader.
    std::vector<uint32_t> constants() const;
};

/// For a product of `rows` pixels and `columns` outputs, `groups` of them. nullopt where no shape fits the device's
/// limits, or too few pixels would fill the tiles.
std::optional<MatrixTiles> matrix_tiles(Span<const MatrixShape> shapes, uint32_t subgroup_size,
                                        const VkPhysicalDeviceLimits& limits, int64_t rows, int64_t columns,
                                        int64_t groups);

}  // namespace fw::vulkan
