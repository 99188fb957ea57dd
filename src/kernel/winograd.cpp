#include "kernel/winograd.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#include "base/cache.h"
#include "base/cpu.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "kernel/panel.h"
#include "kernel/winograd_layout.h"

namespace fw {

namespace {

// Transformed tiles of one block, in and out, at most: the second-level cache, up to this much of a plan's memory.
constexpr int64_t kBlockBytes = 512 * 1024;
// Tiles of a block at least: the weights of all frequencies pass by once a block.
constexpr int64_t kLeastTiles = 18;
constexpr int kMaxTile = 8;

// Bytes of an element of the planes: of what goes into the matrix products, and of what comes out.
int64_t in_element(const WinogradKernel& kernel) {
    return kernel.int8 || kernel.half ? 2 : 4;
}
int64_t out_element(const WinogradKernel& kernel) {
    return kernel.half ? 2 : 4;
}

// Bytes from plane to plane: an odd number of cache lines, so that the values of a tile, one a plane, do not share the
// same few sets of the cache.
int64_t plane_step(int64_t tiles, int64_t pitch) {
    return (div_up(tiles * pitch, 64) | 1) * 64;
}

// How the tiles of an image are worked on.
struct Schedule {
    Schedule(const Winograd& winograd, int64_t k, int64_t n, int64_t out_h, int64_t out_w, int thread_count)
        : threads(std::max(1, thread_count)),
          columns(div_up(out_w, winograd.kernel->size)),
          tiles(columns * div_up(out_h, winograd.kernel->size)),
          in_pitch(winograd_padded(winograd, k) * in_element(*winograd.kernel)),
          out_pitch(winograd_padded(winograd, n) * out_element(*winograd.kernel)) {
        const int64_t most = std::max(
            kLeastTiles, std::min(kBlockBytes, second_level_cache()) / (winograd.planes() * (in_pitch + out_pitch)));
        by_tiles = tiles >= threads * kLeastTiles;
        const int64_t share = by_tiles ? div_up(tiles, threads) : tiles;
        // Blocks of one size, in whole tiles of the matrix product where that saves one.
        const int64_t mr = winograd.gemm->mr;
        block = div_up(share, div_up(share, most));
        if (share / block * div_up(block, mr) + div_up(share % block, mr) > div_up(share, mr)) {
            block = std::min(tiles, div_up(block, mr) * mr);
        }
        in_step = plane_step(block, in_pitch);
        out_step = plane_step(block, out_pitch);
        in_bytes = round_up(static_cast<size_t>(winograd.planes() * in_step) + kOverread, kAlignment);
        out_bytes = round_up(static_cast<size_t>(winograd.planes() * out_step) + kOverread, kAlignment);
        gemm_bytes = gemm_conv_scratch_bytes(*winograd.gemm, 1, winograd_length(winograd, k), n, false, 1);
    }
    size_t scratch_bytes() const {
        const auto count = static_cast<size_t>(threads);
        return (by_tiles ? count : 1) * (in_bytes + out_bytes) + count * gemm_bytes;
    }

    int threads;
    int64_t columns;  // of tiles
    int64_t tiles;
    int64_t in_pitch;  // bytes from tile to tile within a plane
    int64_t out_pitch;
    bool by_tiles = true;  // threads share tiles; else, where those are few, the frequencies of all
    int64_t block = 0;     // tiles that are worked on at once
    int64_t in_step = 0;   // bytes from plane to plane
    int64_t out_step = 0;
    size_t in_bytes = 0;
    size_t out_bytes = 0;
    size_t gemm_bytes = 0;
};

// The parts of packed weights.
struct Packed {
    Packed(const Winograd& winograd, const void* packed, int64_t k, int64_t n)
        : planes(static_cast<const char*>(packed)),
          plane(winograd_plane_bytes(winograd, k, n)),
          bias(planes + static_cast<size_t>(winograd.planes()) * plane),
          multiplier(reinterpret_cast<const float*>(bias) + winograd_padded(winograd, n)) {}

    const char* planes;
    size_t plane;  // bytes
    const char* bias;
    const float* multiplier;  // int8 only
};

// The steps for a block of tiles, in one thread's or the common scratch memory.
class Block {
public:
    Block(const Winograd& winograd, const ConvJob& job, const Packed& packed, const Schedule& schedule, int64_t first,
          int64_t count, char* scratch)
        : winograd_(winograd),
          job_(job),
          packed_(packed),
          schedule_(schedule),
          first_(first),
          count_(count),
          in_(scratch),
          out_(scratch + schedule.in_bytes) {}

    int64_t count() const { return count_; }

    void transform(int64_t index) const {
        const ConvGeometry& g = job_.geometry;
        const int64_t size = job_.in_element_size(winograd_.kernel->int8);
        const int tile = winograd_.tile();
        const int64_t top = (first_ + index) / schedule_.columns * winograd_.kernel->size - g.pad_top;
        const int64_t left = (first_ + index) % schedule_.columns * winograd_.kernel->size - g.pad_left;
        const auto* input = static_cast<const char*>(job_.input);
        const void* pixels[kMaxTile * kMaxTile];
        const void** pixel = pixels;
        for (int64_t y = top; y < top + tile; ++y) {
            for (int64_t x = left; x < left + tile; ++x) {
                const bool inside = y >= 0 && y < g.in_h && x >= 0 && x < g.in_w;
                *pixel++ = inside ? input + (y * g.in_h_stride + x * g.in_w_stride) * size : job_.pad_row;
            }
        }
        WinogradInputArgs args;
        args.pixels = pixels;
        args.channels = job_.k;
        args.half = job_.half_input;
        args.out = in_ + index * schedule_.in_pitch;
        args.plane = schedule_.in_step;
        winograd_.kernel->input(args);
    }

    void multiply(int64_t plane, void* scratch) const {
        ConvJob product;
        product.geometry.in_w = product.geometry.out_w = static_cast<int>(count_);
        const bool half = winograd_.kernel->half;
        const int element = half ? 2 : 4;  // of pairs, too
        product.geometry.in_w_stride = schedule_.in_pitch / element;
        product.geometry.out_w_stride = schedule_.out_pitch / element;
        product.half_input = half;
        product.out_element_size = element;
        product.epilogue.half_output = half;
        product.input = in_ + plane * schedule_.in_step;
        product.output = out_ + plane * schedule_.out_step;
        product.packed = packed_.planes + static_cast<size_t>(plane) * packed_.plane;
        product.k = winograd_length(winograd_, job_.k);
        product.n = job_.n;
        product.epilogue.lo = -std::numeric_limits<float>::infinity();
        product.epilogue.hi = std::numeric_limits<float>::infinity();
        product.scratch = scratch;
        run_gemm_conv(*winograd_.gemm, product);
    }

    void finish(int64_t index) const {
        const ConvGeometry& g = job_.geometry;
        const int size = winograd_.kernel->size;
        const int64_t top = (first_ + index) / schedule_.columns * size;
        const int64_t left = (first_ + index) % schedule_.columns * size;
        auto* output = static_cast<char*>(job_.output);
        void* pixels[kMaxTile * kMaxTile];
        for (int64_t y = 0; y < size; ++y) {
            for (int64_t x = 0; x < size; ++x) {
                const bool inside = top + y < g.out_h && left + x < g.out_w;
                const int64_t at = (top + y) * g.out_h_stride + (left + x) * g.out_w_stride;
                pixels[y * size + x] = inside ? output + at * job_.out_element_size : nullptr;
            }
        }
        WinogradOutputArgs args;
        args.in = out_ + index * schedule_.out_pitch;
        args.plane = schedule_.out_step;
        args.channels = job_.n;
        args.bias = packed_.bias;
        args.multiplier = packed_.multiplier;
        args.pixels = pixels;
        args.epilogue = job_.epilogue;
        winograd_.kernel->output(args);
        if (job_.row_function.run != nullptr) {
            const int64_t columns = std::min<int64_t>(size, g.out_w - left);
            for (int64_t y = 0; y < std::min<int64_t>(size, g.out_h - top); ++y) {
                apply_function(pixels + y * size, columns);
            }
        }
    }

private:
    // The row function on adjacent pixels: together where nothing lies between them.
    void apply_function(void* const* pixels, int64_t count) const {
        const RowFunction& function = job_.row_function;
        if (job_.geometry.out_w_stride == job_.n) {
            function.run(function.context, pixels[0], pixels[0], count * job_.n);
            return;
        }
        for (int64_t x = 0; x < count; ++x) {
            function.run(function.context, pixels[x], pixels[x], job_.n);
        }
    }

    const Winograd& winograd_;
    const ConvJob& job_;
    const Packed& packed_;
    const Schedule& schedule_;
    int64_t first_;
    int64_t count_;
    char* in_;
    char* out_;
};

// What a layer costs, in products of the plain convolution: a product, a value's way through a transform, reading a
// weight, and reading one of the plain convolution.
struct Costs {
    double product;
    double transform;
    double weight;
    double plain_weight;
};
constexpr Costs kFloatCosts = {1, 12, 24, 24};
constexpr Costs kHalfCosts = {1.15, 14, 12, 24};  // in instructions, of which a plain product takes 0.14
constexpr Costs kInt8Costs = {1, 8, 12, 6};
constexpr Costs kInt8CostsNeon = {1.35, 10, 2.4, 6};  // in instructions: smull and smlal2 take 16 bytes, smlal 4 words
constexpr Costs kInt8CostsVnni = {2, 42, 23, 11.5};   // of plain products of bytes; fitted to five layers of VGG-16
const Costs& costs_of(const Winograd& winograd) {
    return winograd.kernel->half                      ? kHalfCosts
           : !winograd.kernel->int8                   ? kFloatCosts
           : winograd.kernel->level == Isa::kNeon     ? kInt8CostsNeon
           : winograd.gemm->level == Isa::kAvx512Vnni ? kInt8CostsVnni
                                                      : kInt8Costs;
}

double winograd_cost(const Winograd& winograd, const Costs& costs, int64_t k, int64_t n, int64_t out_h, int64_t out_w) {
    const int size = winograd.kernel->size;
    const auto tiles = static_cast<double>(div_up(out_h, size) * div_up(out_w, size));
    const auto products = static_cast<double>(k) * static_cast<double>(n);
    return static_cast<double>(winograd.planes()) *
           (products * (tiles * costs.product + costs.weight) + tiles * costs.transform * static_cast<double>(k + n));
}

double plain_cost(const Costs& costs, int64_t k, int64_t n, int64_t out_h, int64_t out_w) {
    return 9.0 * static_cast<double>(k) * static_cast<double>(n) *
           (static_cast<double>(out_h) * static_cast<double>(out_w) + costs.plain_weight);
}

// Where pairs of 16 bits are not far behind products of bytes: no instruction sums four of those, or one sums two of
// these.
bool has_fast_pairs(Isa level) {
    return isa_covers(level, Isa::kAvx512Vnni) ||
           (!isa_covers(level, Isa::kAvxVnni) && !isa_covers(level, Isa::kDotprod));
}

}  // namespace

Winograd choose_winograd(bool int8, Isa level, int64_t k, int64_t n, int64_t out_h, int64_t out_w, bool half) {
    constexpr int64_t kFewChannels = 16;
    Winograd best;
    if (k < kFewChannels || n < kFewChannels || (int8 && !has_fast_pairs(level))) {
        return best;
    }
    const GemmKernel* gemm = int8   ? find_pair_gemm_kernel(level)
                             : half ? find_half_gemm_kernel(HalfFormat::kFloat16, level, true)
                                    : find_gemm_kernel(false, level, n);
    for (const int size : {4, 6}) {
        Winograd candidate = {find_winograd_kernel(int8, level, size, half), gemm};
        if (candidate.kernel == nullptr || gemm == nullptr) {
            continue;
        }
        const Costs& costs = costs_of(candidate);
        candidate.share = winograd_cost(candidate, costs, k, n, out_h, out_w) / plain_cost(costs, k, n, out_h, out_w);
        // Less by a tenth at least: the larger tile has more weights and larger errors.
        if (1.1 * candidate.share < best.share) {
            best = candidate;
        }
    }
    return best;
}

size_t winograd_scratch_bytes(const Winograd& winograd, int64_t k, int64_t n, int64_t out_h, int64_t out_w,
                              int threads) {
    return Schedule(winograd, k, n, out_h, out_w, threads).scratch_bytes();
}

void run_winograd(const Winograd& winograd, const ConvJob& job) {
    const ConvGeometry& g = job.geometry;
    const Schedule schedule(winograd, job.k, job.n, g.out_h, g.out_w, job.threads);
    const Packed packed(winograd, job.packed, job.k, job.n);
    const int64_t planes = winograd.planes();
    const int threads = schedule.threads;
    char* scratch = static_cast<char*>(job.scratch);
    const auto gemm_scratch = [&](int64_t thread) {
        return scratch + static_cast<size_t>(thread) * schedule.gemm_bytes;
    };
    char* blocks = gemm_scratch(threads);
    const auto block_at = [&](int64_t first, int64_t end, char* memory) {
        return Block(winograd, job, packed, schedule, first, std::min(schedule.block, end - first), memory);
    };
    if (schedule.by_tiles) {
        parallel_for(threads, threads, [&](int64_t i) {
            char* memory = blocks + static_cast<size_t>(i) * (schedule.in_bytes + schedule.out_bytes);
            const int64_t end = schedule.tiles * (i + 1) / threads;
            for (int64_t first = schedule.tiles * i / threads; first < end; first += schedule.block) {
                const Block block = block_at(first, end, memory);
                for (int64_t tile = 0; tile < block.count(); ++tile) {
                    block.transform(tile);
                }
                for (int64_t plane = 0; plane < planes; ++plane) {
                    block.multiply(plane, gemm_scratch(i));
                }
                for (int64_t tile = 0; tile < block.count(); ++tile) {
                    block.finish(tile);
                }
            }
        });
        return;
    }
    for (int64_t first = 0; first < schedule.tiles; first += schedule.block) {
        const Block block = block_at(first, schedule.tiles, blocks);
        parallel_for(block.count(), threads, [&](int64_t tile) { block.transform(tile); });
        parallel_for(threads, threads, [&](int64_t i) {
            for (int64_t plane = planes * i / threads; plane < planes * (i + 1) / threads; ++plane) {
                block.multiply(plane, gemm_scratch(i));
            }
        });
        parallel_for(block.count(), threads, [&](int64_t tile) { block.finish(tile); });
    }
}

}  // namespace fw
