#include "layer/vulkan/matrix_tiles.h"

#include <algorithm>

namespace fw::vulkan {

namespace {

constexpr int64_t kLeastRows = 16;  // reckoned: fewer leave most of a tile empty
constexpr int64_t kManyTiles = 64;  // reckoned: enough for all parts of a device
constexpr uint32_t kSubgroups = 4;
constexpr uint32_t kLargeBlock = 32;
constexpr uint32_t kSmallBlock = 16;
constexpr uint32_t kDepth = 32;  // words of a row of a tile, at most

// As conv_matrix.comp declares it: a row of a tile is 80 bytes at most.
uint64_t shared_bytes(const MatrixTiles& tiles) {
    const uint64_t rows = 2 * tiles.block_rows;
    const uint64_t columns = 2 * tiles.block_columns;
    return (rows + columns) * 80 + uint64_t{kSubgroups} * tiles.shape.m * tiles.shape.n * 4 + rows * 8;
}

}  // namespace

std::vector<uint32_t> MatrixTiles::constants() const {
    return {invocations, block_rows, block_columns, shape.m, shape.n, shape.k, shape.m, shape.n, shape.k};
}

std::optional<MatrixTiles> matrix_tiles(Span<const MatrixShape> shapes, uint32_t subgroup_size,
                                        const VkPhysicalDeviceLimits& limits, int64_t rows, int64_t columns,
                                        int64_t groups) {
    MatrixTiles tiles;
    tiles.invocations = kSubgroups * subgroup_size;
    if (rows < kLeastRows || tiles.invocations % kDepth != 0 ||
        tiles.invocations > std::min(limits.maxComputeWorkGroupInvocations, limits.maxComputeWorkGroupSize[0])) {
        return std::nullopt;
    }
    const auto work = [](const MatrixShape& s) { return uint64_t{s.m} * s.n * s.k; };
    bool found = false;
    for (const MatrixShape& shape : shapes) {
        MatrixTiles with = tiles;
        with.shape = shape;
        with.block_rows = with.block_columns = kLargeBlock;
        const auto count = [&] {
            return (rows + with.rows() - 1) / with.rows() * ((columns + with.columns() - 1) / with.columns()) * groups;
        };
        if (shape.n <= kSmallBlock && (columns <= 2 * kSmallBlock || count() < kManyTiles)) {
            with.block_columns = kSmallBlock;
        }
        if (shape.m <= kSmallBlock && (rows <= 2 * kSmallBlock || count() < kManyTiles)) {
            with.block_rows = kSmallBlock;
        }
        if (shared_bytes(with) <= limits.maxComputeSharedMemorySize && (!found || work(shape) > work(tiles.shape))) {
            tiles = with;
            found = true;
        }
    }
    return found ? std::make_optional(tiles) : std::nullopt;
}

}  // namespace fw::vulkan
