#include "kernel/strassen.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/cache.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "kernel/panel.h"
#include "kernel/strassen_kernel.h"

namespace fw {

namespace {

constexpr int64_t kPlanes = kStrassenPlanes;
constexpr int64_t kElement = 2;
constexpr int64_t kMultiple = 64;  // of channels
constexpr int64_t kLeastPixels = 32;
// Planes of one block of pairs, in and out, at most: the second-level cache, up to this much of a plan's memory.
constexpr int64_t kBlockBytes = 512 * 1024;
constexpr int64_t kMostPairs = 256;

// How the pairs of pixels are worked on.
struct Schedule {
    Schedule(int64_t k, int64_t n, int64_t pixels, int thread_count)
        : threads(std::max(1, thread_count)), pairs(div_up(pixels, 2)) {
        const int64_t fit = std::min(kBlockBytes, second_level_cache()) / (kPlanes * kElement * (k + n) / 2);
        const int64_t share = std::max<int64_t>(1, div_up(pairs, threads));
        block = div_up(share, div_up(share, std::clamp<int64_t>(fit, 1, kMostPairs)));
        block = std::min(share, round_up_rows(block));
        // Tiles are whole in memory, and one whole tile may be written where the last one begins.
        in_step = plane_step(round_up_rows(block) * k / 2);
        out_step = plane_step((block + kStrassenRows - 1) * n / 2);
        in_bytes = static_cast<size_t>(kPlanes * in_step) + kOverread;
        out_bytes = static_cast<size_t>(kPlanes * out_step) + kOverread;
    }
    static int64_t round_up_rows(int64_t pairs) { return div_up(pairs, kStrassenRows) * kStrassenRows; }
    // An odd number of cache lines: planes do not share the same few sets of the cache.
    static int64_t plane_step(int64_t elements) { return (div_up(elements * kElement, 64) | 1) * 64; }
    size_t task_bytes() const { return in_bytes + out_bytes; }

    int threads;
    int64_t pairs;
    int64_t block = 0;  // pairs that are worked on at once
    int64_t in_step = 0;
    int64_t out_step = 0;
    size_t in_bytes = 0;
    size_t out_bytes = 0;
};

GemmWeights plane_shape(int64_t k, int64_t n) {
    GemmWeights plane;
    plane.n = n / 2;
    plane.k = k / 2;
    return plane;
}

size_t plane_bytes(const Strassen& strassen, int64_t k, int64_t n) {
    return round_up(packed_gemm_bytes(*strassen.gemm, plane_shape(k, n)), kAlignment);
}

// Addresses of `count` pixels of a tensor from `first` on.
void pixel_rows(const void* data, int64_t width, int64_t h_stride, int64_t w_stride, int64_t first, int64_t count,
                void** rows) {
    int64_t x = first % width;
    auto line = reinterpret_cast<uintptr_t>(data) + static_cast<uintptr_t>(first / width * h_stride * kElement);
    const auto step = static_cast<uintptr_t>(w_stride * kElement);
    while (count > 0) {
        const int64_t here = std::min(count, width - x);
        uintptr_t at = line + static_cast<uintptr_t>(x) * step;
        for (int64_t i = 0; i < here; ++i, at += step) {
            rows[i] = reinterpret_cast<void*>(at);
        }
        rows += here;
        count -= here;
        x = 0;
        line += static_cast<uintptr_t>(h_stride * kElement);
    }
}

// The quarters of a matrix of weights, and of a plane's they are summed up to: factors of lower input channels and
// lower outputs, lower inputs and upper outputs, and so on.
struct Quarters {
    float low_low, low_high, high_low, high_high;
    bool low_bias, high_bias;  // of lower or upper outputs, which this plane brings to both rows of a pair
};
constexpr Quarters kQuarters[kPlanes] = {
    {1, 0, 0, 1, false, false}, {1, 0, 0, 0, false, false}, {0, 1, 0, -1, false, true}, {-1, 0, 1, 0, true, false},
    {0, 0, 0, 1, false, false}, {1, 1, 0, 0, false, false}, {0, 0, 1, 1, false, false}};

void run_block(const Strassen& strassen, const ConvJob& job, const Schedule& schedule, int64_t first, int64_t pairs,
               char* in) {
    const ConvGeometry& g = job.geometry;
    char* out = in + schedule.in_bytes;
    const int64_t pixels = std::min(2 * pairs, g.pixels() - 2 * first);
    void* rows[2 * kMostPairs];
    StrassenSums sums;
    sums.rows = rows;
    sums.pairs = pairs;
    sums.half = job.k / 2;
    sums.planes = in;
    sums.plane = schedule.in_step;
    pixel_rows(job.input, g.out_w, g.in_h_stride, g.in_w_stride, 2 * first, pixels, rows);
    rows[2 * pairs - 1] = rows[pixels - 1];  // the last of an odd number pairs with itself
    strassen.kernel->input(sums);

    StrassenProduct product;
    product.pairs = pairs;
    product.k = job.k / 2;
    product.out_step = job.n / 2 * kElement;
    const int64_t panels = job.n / 2 / kStrassenColumns;
    const int64_t panel_bytes = kStrassenColumns * gemm_column_bytes(1, product.k, 1, kElement, true);
    const int64_t block = std::max<int64_t>(1, second_level_cache() / 2 / panel_bytes);
    const auto* packed = static_cast<const char*>(job.packed);
    for (int64_t plane = 0; plane < kPlanes; ++plane, packed += plane_bytes(strassen, job.k, job.n)) {
        product.in = in + plane * schedule.in_step;
        product.bias = kQuarters[plane].low_bias || kQuarters[plane].high_bias;
        for (int64_t panel = 0; panel < panels; panel += block) {
            product.panels = std::min(block, panels - panel);
            product.packed = packed + panel * panel_bytes;
            product.out = out + plane * schedule.out_step + panel * kStrassenColumns * kElement;
            strassen.kernel->multiply(product);
        }
    }

    sums.half = job.n / 2;
    sums.planes = out;
    sums.plane = schedule.out_step;
    sums.lo = job.epilogue.lo;
    sums.hi = job.epilogue.hi;
    pixel_rows(job.output, g.out_w, g.out_h_stride, g.out_w_stride, 2 * first, pixels, rows);
    if (pixels < 2 * pairs) {
        rows[pixels] = nullptr;
    }
    strassen.kernel->output(sums);
}

}  // namespace

Strassen choose_strassen(Isa level, int64_t k, int64_t n, int64_t pixels) {
    Strassen strassen;
    if (k % kMultiple != 0 || n % kMultiple != 0 || pixels < kLeastPixels) {
        return strassen;
    }
    // Instructions a pixel: an eighth of the products, of which one takes 0.131, less what the sums take; not worth
    // the larger weights below 4 %.
    const double products = 0.131 * static_cast<double>(k) * static_cast<double>(n);
    const double sums = 0.25 * static_cast<double>(k + n);
    if (products / 8 - sums > 0.04 * products) {
        strassen.gemm = find_half_gemm_kernel(HalfFormat::kFloat16, level, true);
        strassen.kernel = strassen.gemm != nullptr ? find_strassen_kernel(level) : nullptr;
    }
    return strassen;
}

bool strassen_fits(const GemmWeights& weights) {
    constexpr float kMostWeight = 65504.0F / 2;
    const auto* values = static_cast<const float*>(weights.values);
    return std::all_of(values, values + weights.n * weights.k,
                       [](float value) { return std::fabs(value) <= kMostWeight; });
}

size_t packed_strassen_bytes(const Strassen& strassen, const GemmWeights& weights) {
    return static_cast<size_t>(kPlanes) * plane_bytes(strassen, weights.k, weights.n);
}

void pack_strassen(const Strassen& strassen, const GemmWeights& weights, void* out) {
    const int64_t k = weights.k / 2;
    const int64_t n = weights.n / 2;
    const auto* low = static_cast<const float*>(weights.values);
    const float* high = low + n * weights.k;
    const auto* bias = static_cast<const float*>(weights.bias);
    std::vector<float> values(static_cast<size_t>(n * k));
    GemmWeights plane = plane_shape(weights.k, weights.n);
    plane.values = values.data();
    char* to = static_cast<char*>(out);
    for (const Quarters& q : kQuarters) {
        float* value = values.data();
        for (int64_t j = 0; j < n; ++j) {
            for (int64_t i = 0; i < k; ++i) {
                const int64_t at = j * weights.k + i;
                *value++ =
                    q.low_low * low[at] + q.low_high * high[at] + q.high_low * low[at + k] + q.high_high * high[at + k];
            }
        }
        plane.bias = bias == nullptr ? nullptr : q.low_bias ? bias : q.high_bias ? bias + n : nullptr;
        pack_gemm(*strassen.gemm, plane, to);
        to += plane_bytes(strassen, weights.k, weights.n);
    }
}

size_t strassen_scratch_bytes(int64_t k, int64_t n, int64_t pixels, int threads) {
    const Schedule schedule(k, n, pixels, threads);
    return static_cast<size_t>(schedule.threads) * schedule.task_bytes();
}

void run_strassen(const Strassen& strassen, const ConvJob& job) {
    const Schedule schedule(job.k, job.n, job.geometry.pixels(), job.threads);
    const int threads = schedule.threads;
    parallel_for(threads, threads, [&](int64_t i) {
        char* scratch = static_cast<char*>(job.scratch) + static_cast<size_t>(i) * schedule.task_bytes();
        const int64_t end = schedule.pairs * (i + 1) / threads;
        for (int64_t first = schedule.pairs * i / threads; first < end; first += schedule.block) {
            run_block(strassen, job, schedule, first, std::min(schedule.block, end - first), scratch);
        }
    });
}

}  // namespace fw
