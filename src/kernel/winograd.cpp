#include "kernel/winograd.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "base/memory.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "kernel/panel.h"

namespace fw {

namespace {

// Transformed tiles of one block, in and out: about a second-level cache.
constexpr int64_t kBlockBytes = 512 * 1024;
// Tiles of a block at least: the weights of all frequencies pass by once a block.
constexpr int64_t kLeastTiles = 24;
constexpr int kMaxTile = 8;

// Weights to the frequencies: a row a frequency, times the three of a filter (G of Lavin and Gray).
constexpr double kToFrequencies4[6][3] = {{1.0 / 4, 0, 0},
                                          {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                          {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                          {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                          {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                          {0, 0, 1}};
constexpr double kToFrequencies6[8][3] = {{1, 0, 0},
                                          {-2.0 / 9, -2.0 / 9, -2.0 / 9},
                                          {-2.0 / 9, 2.0 / 9, -2.0 / 9},
                                          {1.0 / 90, 1.0 / 45, 2.0 / 45},
                                          {1.0 / 90, -1.0 / 45, 2.0 / 45},
                                          {32.0 / 45, 16.0 / 45, 8.0 / 45},
                                          {32.0 / 45, -16.0 / 45, 8.0 / 45},
                                          {0, 0, 1}};

size_t plane_bytes(const Winograd& winograd, const GemmWeights& weights) {
    GemmWeights plane = weights;
    plane.taps = 1;
    return round_up(packed_gemm_bytes(*winograd.gemm, plane), kAlignment);
}

size_t bias_bytes(const Winograd& winograd, int64_t n) {
    return round_up(static_cast<size_t>(div_up(n, winograd.kernel->lanes) * winograd.kernel->lanes) * sizeof(float),
                    kAlignment);
}

// Floats from plane to plane: an odd number of cache lines, so that the values of a tile, one a plane, do not share the
// same few sets of the cache.
int64_t plane_step(int64_t tiles, int64_t pitch) {
    return (div_up(tiles * pitch, 16) | 1) * 16;
}

// How the tiles of an image are worked on.
struct Schedule {
    Schedule(const Winograd& winograd, int64_t k, int64_t n, int64_t out_h, int64_t out_w, int thread_count)
        : threads(std::max(1, thread_count)),
          columns(div_up(out_w, winograd.kernel->size)),
          tiles(columns * div_up(out_h, winograd.kernel->size)),
          in_pitch(div_up(k, winograd.kernel->lanes) * winograd.kernel->lanes),
          out_pitch(div_up(n, winograd.kernel->lanes) * winograd.kernel->lanes) {
        const int64_t tile_bytes = winograd.planes() * (in_pitch + out_pitch) * int64_t{sizeof(float)};
        const int64_t most = std::max(kLeastTiles, kBlockBytes / tile_bytes);
        by_tiles = tiles >= threads * kLeastTiles;
        const int64_t share = by_tiles ? div_up(tiles, threads) : tiles;
        // Blocks of one size, in whole tiles of the matrix product.
        block = div_up(share, div_up(share, most));
        block = std::min(tiles, div_up(block, winograd.gemm->mr) * winograd.gemm->mr);
        in_step = plane_step(block, in_pitch);
        out_step = plane_step(block, out_pitch);
        in_bytes = round_up(static_cast<size_t>(winograd.planes() * in_step) * sizeof(float) + kOverread, kAlignment);
        out_bytes = round_up(static_cast<size_t>(winograd.planes() * out_step) * sizeof(float) + kOverread, kAlignment);
        gemm_bytes = gemm_conv_scratch_bytes(*winograd.gemm, 1, k, n, false, 1);
    }
    size_t scratch_bytes() const {
        const auto count = static_cast<size_t>(threads);
        return (by_tiles ? count : 1) * (in_bytes + out_bytes) + count * gemm_bytes;
    }

    int threads;
    int64_t columns;  // of tiles
    int64_t tiles;
    int64_t in_pitch;  // floats from tile to tile within a plane
    int64_t out_pitch;
    bool by_tiles = true;  // threads share tiles; else, where those are few, the frequencies of all
    int64_t block = 0;     // tiles that are worked on at once
    int64_t in_step = 0;   // floats from plane to plane
    int64_t out_step = 0;
    size_t in_bytes = 0;
    size_t out_bytes = 0;
    size_t gemm_bytes = 0;
};

// The steps for a block of tiles, in one thread's or the common scratch memory.
class Block {
public:
    Block(const Winograd& winograd, const ConvJob& job, const Schedule& schedule, int64_t first, int64_t count,
          char* scratch)
        : winograd_(winograd),
          job_(job),
          schedule_(schedule),
          first_(first),
          count_(count),
          in_(reinterpret_cast<float*>(scratch)),
          out_(reinterpret_cast<float*>(scratch + schedule.in_bytes)) {}

    int64_t count() const { return count_; }

    void transform(int64_t index) const {
        const ConvGeometry& g = job_.geometry;
        const int tile = winograd_.tile();
        const int64_t top = (first_ + index) / schedule_.columns * winograd_.kernel->size - g.pad_top;
        const int64_t left = (first_ + index) % schedule_.columns * winograd_.kernel->size - g.pad_left;
        const auto* input = static_cast<const float*>(job_.input);
        const auto* padding = static_cast<const float*>(job_.pad_row);
        const float* pixels[kMaxTile * kMaxTile];
        const float** pixel = pixels;
        for (int64_t y = top; y < top + tile; ++y) {
            for (int64_t x = left; x < left + tile; ++x) {
                const bool inside = y >= 0 && y < g.in_h && x >= 0 && x < g.in_w;
                *pixel++ = inside ? input + y * g.in_h_stride + x * g.in_w_stride : padding;
            }
        }
        WinogradInputArgs args;
        args.pixels = pixels;
        args.channels = job_.k;
        args.out = in_ + index * schedule_.in_pitch;
        args.plane = schedule_.in_step;
        winograd_.kernel->input(args);
    }

    void multiply(int64_t plane, size_t plane_bytes, void* scratch) const {
        ConvJob product;
        product.geometry.in_w = product.geometry.out_w = static_cast<int>(count_);
        product.geometry.in_w_stride = schedule_.in_pitch;
        product.geometry.out_w_stride = schedule_.out_pitch;
        product.input = in_ + plane * schedule_.in_step;
        product.output = out_ + plane * schedule_.out_step;
        product.packed = static_cast<const char*>(job_.packed) + static_cast<size_t>(plane) * plane_bytes;
        product.k = job_.k;
        product.n = job_.n;
        product.epilogue.lo = -std::numeric_limits<float>::infinity();
        product.epilogue.hi = std::numeric_limits<float>::infinity();
        product.scratch = scratch;
        run_gemm_conv(*winograd_.gemm, product);
    }

    void finish(int64_t index, const float* bias) const {
        const ConvGeometry& g = job_.geometry;
        const int size = winograd_.kernel->size;
        const int64_t top = (first_ + index) / schedule_.columns * size;
        const int64_t left = (first_ + index) % schedule_.columns * size;
        auto* output = static_cast<float*>(job_.output);
        float* pixels[kMaxTile * kMaxTile];
        for (int64_t y = 0; y < size; ++y) {
            for (int64_t x = 0; x < size; ++x) {
                const bool inside = top + y < g.out_h && left + x < g.out_w;
                pixels[y * size + x] =
                    inside ? output + (top + y) * g.out_h_stride + (left + x) * g.out_w_stride : nullptr;
            }
        }
        WinogradOutputArgs args;
        args.in = out_ + index * schedule_.out_pitch;
        args.plane = schedule_.out_step;
        args.channels = job_.n;
        args.bias = bias;
        args.pixels = pixels;
        args.lo = job_.epilogue.lo;
        args.hi = job_.epilogue.hi;
        winograd_.kernel->output(args);
        for (int i = 0; i < size * size && job_.row_function.run != nullptr; ++i) {
            if (pixels[i] != nullptr) {
                job_.row_function.run(job_.row_function.context, pixels[i], pixels[i], job_.n);
            }
        }
    }

private:
    const Winograd& winograd_;
    const ConvJob& job_;
    const Schedule& schedule_;
    int64_t first_;
    int64_t count_;
    float* in_;
    float* out_;
};

// What a layer costs, in products: reading one weight, and a value's way through a transform.
constexpr double kWeightCost = 12;
constexpr double kTransformCost = 8;

double winograd_cost(const Winograd& winograd, int64_t k, int64_t n, int64_t out_h, int64_t out_w) {
    const int size = winograd.kernel->size;
    const auto tiles = static_cast<double>(div_up(out_h, size) * div_up(out_w, size));
    const auto products = static_cast<double>(k) * static_cast<double>(n);
    return static_cast<double>(winograd.planes()) *
           (products * (tiles + kWeightCost) + tiles * kTransformCost * static_cast<double>(k + n));
}

double plain_cost(int64_t k, int64_t n, int64_t out_h, int64_t out_w) {
    const auto products = 9.0 * static_cast<double>(k) * static_cast<double>(n);
    return products * (static_cast<double>(out_h) * static_cast<double>(out_w) + kWeightCost);
}

}  // namespace

Winograd choose_winograd(Isa level, int64_t k, int64_t n, int64_t out_h, int64_t out_w) {
    constexpr int64_t kFewChannels = 16;
    Winograd best;
    if (k < kFewChannels || n < kFewChannels) {
        return best;
    }
    for (const int size : {4, 6}) {
        Winograd candidate = {find_winograd_kernel(level, size), find_gemm_kernel(false, level, n)};
        if (candidate.kernel == nullptr) {
            continue;
        }
        candidate.share = winograd_cost(candidate, k, n, out_h, out_w) / plain_cost(k, n, out_h, out_w);
        // Less by a tenth at least: the larger tile has more weights and larger errors.
        if (1.1 * candidate.share < best.share) {
            best = candidate;
        }
    }
    return best;
}

size_t packed_winograd_bytes(const Winograd& winograd, const GemmWeights& weights) {
    return static_cast<size_t>(winograd.planes()) * plane_bytes(winograd, weights) + bias_bytes(winograd, weights.n);
}

bool pack_winograd(const Winograd& winograd, const GemmWeights& weights, void* out) {
    const auto k = static_cast<size_t>(weights.k);
    const auto n = static_cast<size_t>(weights.n);
    const size_t bytes = plane_bytes(winograd, weights);
    const std::shared_ptr<void> memory = allocate_shared_bytes(n * k * sizeof(float), nullptr);
    if (memory == nullptr) {
        return false;
    }
    auto* values = static_cast<float*>(memory.get());
    GemmWeights plane = weights;
    plane.taps = 1;
    plane.values = values;
    plane.bias = nullptr;
    const double(*rows)[3] = winograd.kernel->size == 4 ? kToFrequencies4 : kToFrequencies6;
    char* to = static_cast<char*>(out);
    for (int y = 0; y < winograd.tile(); ++y) {
        for (int x = 0; x < winograd.tile(); ++x, to += bytes) {
            double factor[9];
            for (int i = 0; i < 9; ++i) {
                factor[i] = rows[y][i / 3] * rows[x][i % 3];
            }
            const auto* filter = static_cast<const float*>(weights.values);
            for (size_t j = 0; j < n; ++j, filter += 9 * k) {
                for (size_t c = 0; c < k; ++c) {
                    double sum = 0;
                    for (size_t i = 0; i < 9; ++i) {
                        sum += factor[i] * static_cast<double>(filter[i * k + c]);
                    }
                    values[j * k + c] = static_cast<float>(sum);
                }
            }
            pack_gemm(*winograd.gemm, plane, to);
        }
    }
    auto* bias = reinterpret_cast<float*>(to);
    std::fill_n(bias, bias_bytes(winograd, weights.n) / sizeof(float), 0.0F);
    if (weights.bias != nullptr) {
        std::copy_n(static_cast<const float*>(weights.bias), n, bias);
    }
    return true;
}

size_t winograd_scratch_bytes(const Winograd& winograd, int64_t k, int64_t n, int64_t out_h, int64_t out_w,
                              int threads) {
    return Schedule(winograd, k, n, out_h, out_w, threads).scratch_bytes();
}

void run_winograd(const Winograd& winograd, const ConvJob& job) {
    const ConvGeometry& g = job.geometry;
    const Schedule schedule(winograd, job.k, job.n, g.out_h, g.out_w, job.threads);
    GemmWeights shape;
    shape.n = job.n;
    shape.k = job.k;
    const size_t weights = plane_bytes(winograd, shape);
    const int64_t planes = winograd.planes();
    const auto* bias =
        reinterpret_cast<const float*>(static_cast<const char*>(job.packed) + static_cast<size_t>(planes) * weights);
    const int threads = schedule.threads;
    char* scratch = static_cast<char*>(job.scratch);
    const auto gemm_scratch = [&](int64_t thread) {
        return scratch + static_cast<size_t>(thread) * schedule.gemm_bytes;
    };
    char* blocks = gemm_scratch(threads);
    const auto block_at = [&](int64_t first, int64_t end, char* memory) {
        return Block(winograd, job, schedule, first, std::min(schedule.block, end - first), memory);
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
                    block.multiply(plane, weights, gemm_scratch(i));
                }
                for (int64_t tile = 0; tile < block.count(); ++tile) {
                    block.finish(tile, bias);
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
                block.multiply(plane, weights, gemm_scratch(i));
            }
        });
        parallel_for(block.count(), threads, [&](int64_t tile) { block.finish(tile, bias); });
    }
}

}  // namespace fw
