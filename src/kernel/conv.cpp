#include "kernel/conv.h"

#include <algorithm>
#include <limits>

#include "base/cache.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "kernel/pack.h"
#include "kernel/panel.h"
#include "kernel/tap_rows.h"

namespace fw {

namespace {

// Packed weights of one cache block: three quarters of the second-level cache, so that they stay there while the rows
// of the image pass by.
int64_t block_bytes() {
    return second_level_cache() / 4 * 3;
}
// Widened float16 weights of one block, where few rows of the image pass by: they stay in the first-level cache.
constexpr int64_t kWidenedBytes = 16 * 1024;
// Pixels whose addresses are computed at once for a depthwise kernel.
constexpr int64_t kDwPixels = 32;
constexpr int64_t kLineElements = 1024;
constexpr int kMaxMr = 32;
// Tiles of rows that one call of a GEMM kernel does: small ones would feel what it takes to prepare a call, and to
// finish its outputs. Their addresses, and outputs that are staged, stay well within the first-level cache.
constexpr int64_t kMaxTiles = 12;
constexpr int64_t kMaxAddresses = 1024;
constexpr int64_t kMaxStaged = 2048;
// Fewer tiles than these are not worth weights from beyond the second-level cache.
constexpr int64_t kLeastTogether = 4;
// So few channels, those of an image, lie side by side in the input for all taps of a window's row.
constexpr int64_t kFewChannels = 4;

struct Range {
    int64_t begin, end;
};

// Part `index` of `parts` equal ones.
Range part_of(int64_t count, int64_t index, int64_t parts) {
    return {count * index / parts, count * (index + 1) / parts};
}

size_t pointer_bytes(int64_t count) {
    return round_up(static_cast<size_t>(count) * sizeof(void*), kAlignment);
}

size_t staged_bytes(int64_t rows, int64_t columns, bool staged) {
    return staged ? round_up(static_cast<size_t>(rows * columns) * 4 + kOverread, kAlignment) : 0;
}

// Pixels of a line that a row function works on while they are in the first-level cache.
int64_t line_pixels(int64_t channels) {
    return std::max(kDwPixels, kLineElements / channels);
}

int64_t panels_of_block(int64_t panel_bytes, int64_t bytes) {
    return std::max<int64_t>(1, bytes / panel_bytes);
}

size_t widened_bytes(const GemmKernel& kernel, int64_t taps, int64_t k, int64_t n) {
    const int64_t panel_bytes = gemm_column_bytes(taps, k, kernel.kr, kernel.weight_bytes(), kernel.packed_size > 0) *
                                kernel.lanes * kernel.vectors;
    const int64_t panels =
        std::min(panels_of_block(panel_bytes, block_bytes()), panel_count(n, kernel.lanes, kernel.vectors));
    return round_up(static_cast<size_t>(panels * panel_bytes) + kOverread, kAlignment);
}

int64_t tiles_at_once(const GemmKernel& kernel, int64_t taps, int64_t n, bool staged) {
    const int64_t addresses = kMaxAddresses / (taps * kernel.mr);
    const int64_t fit = staged ? std::min(addresses, kMaxStaged / (n * kernel.mr)) : addresses;
    return std::clamp<int64_t>(fit, 1, kMaxTiles);
}

// Bytes of the packed weights of a whole layer.
int64_t weight_bytes(const GemmKernel& kernel, int64_t taps, int64_t k, int64_t n) {
    return gemm_column_bytes(taps, k, kernel.kr, kernel.weight_bytes(), kernel.packed_size > 0) *
           div_up(n, kernel.lanes) * kernel.lanes;
}

// Tiles of rows that are in scratch memory together. Weights of several blocks would have the rows copied for each of
// them: where many tiles fit in a part of the second-level cache they are copied once instead, and use panel after
// panel, which the first of them brings there.
int64_t scratch_tiles(const GemmKernel& kernel, int64_t taps, int64_t k, int64_t n, bool staged) {
    if (!kernel.keeps_tiles || weight_bytes(kernel, taps, k, n) <= block_bytes()) {
        return 1;
    }
    const auto tile_bytes = static_cast<int64_t>(gemm_scratch_bytes(kernel, taps, k));
    const int64_t tiles = std::min(tiles_at_once(kernel, taps, n, staged), second_level_cache() / 4 / tile_bytes);
    return tiles < kLeastTogether ? 1 : tiles;
}

// The rows of a tile are copied while the one before it is multiplied, where two of them fit in the first-level cache.
bool packs_ahead(const GemmKernel& kernel, int64_t taps, int64_t k, int64_t n) {
    constexpr int64_t kMostBytes = 32 * 1024;
    return kernel.packs_ahead && k % kRowPiece == 0 && n % (kernel.lanes * kernel.vectors) == 0 &&
           weight_bytes(kernel, taps, k, n) <= block_bytes() &&
           2 * static_cast<int64_t>(gemm_scratch_bytes(kernel, taps, k)) <= kMostBytes;
}

// What one thread works on, and with.
struct GemmTask {
    Range tiles;
    Range panels;
    const void** rows;
    void* packed_rows;
    char* edges;    // windows with padding in them
    void* widened;  // a block's panels
    float* stage;   // [rows of the tiles at once][n]
};

// The parts of a thread's scratch memory.
struct GemmScratch {
    GemmScratch(const GemmKernel& kernel, int64_t taps, int64_t k, int64_t n, bool staged, bool half)
        : rows(pointer_bytes(taps * kernel.mr * tiles_at_once(kernel, taps, n, staged))),
          packed_rows(
              static_cast<size_t>(packs_ahead(kernel, taps, k, n) ? 2 : scratch_tiles(kernel, taps, k, n, staged)) *
              round_up(gemm_scratch_bytes(kernel, taps, k), kAlignment)),
          edges(
              kernel.packed_size > 0 && taps > 1 && k <= kFewChannels
                  ? round_up(static_cast<size_t>(kernel.mr * taps * k * (kernel.int8 ? 1 : 4)) + kOverread, kAlignment)
                  : 0),
          widened(half ? widened_bytes(kernel, taps, k, n) : 0),
          stage(staged_bytes(kernel.mr * tiles_at_once(kernel, taps, n, staged), n, staged)) {}
    size_t total() const { return rows + packed_rows + edges + widened + stage; }

    size_t rows, packed_rows, edges, widened, stage;
};

// Calls the row function for outputs as they are finished. Rows that lie behind one another go together: a function
// has its own costs for each call. Staged ones are to be flushed before their memory is written again.
class FinishedRows {
public:
    explicit FinishedRows(const ConvJob& job) : job_(job) {}
    ~FinishedRows() { flush(); }
    FinishedRows(const FinishedRows&) = delete;
    FinishedRows& operator=(const FinishedRows&) = delete;

    // `count` outputs at `written`, whose place in the output is `place`.
    void add(const void* written, void* place, int64_t count) {
        const bool staged = job_.row_function.staged;
        const bool behind = count_ > 0 && count_ < most_ && to_ + count_ * job_.out_element_size == place &&
                            (!staged || from_ + count_ * kStagedSize == written);
        if (!behind) {
            flush();
            from_ = static_cast<const char*>(written);
            to_ = static_cast<char*>(place);
        }
        count_ += count;
    }
    void flush() {
        if (count_ > 0) {
            job_.row_function.run(job_.row_function.context, job_.row_function.staged ? from_ : to_, to_, count_);
        }
        count_ = 0;
    }

private:
    static constexpr int64_t kBytes = 4096;  // they are still in the first-level cache
    static constexpr int64_t kStagedSize = 4;

    const ConvJob& job_;
    const int64_t most_ = kBytes / job_.out_element_size;
    const char* from_ = nullptr;
    char* to_ = nullptr;
    int64_t count_ = 0;
};

// The addresses of the next args.m rows; those that are missing in the last tile repeat its last one.
void next_tiles(TapRows* pixel, const GemmArgs& args, int64_t mr, const void** rows, void** place) {
    const int64_t step = args.taps == 1 ? args.m : mr;  // tiles of one tap lie behind one another
    for (int64_t first = 0; first < args.m; first += step, rows += args.taps * step) {
        const int64_t m = std::min(step, args.m - first);
        pixel->next(m, rows, place + first);
        for (int64_t t = 0; t < args.taps && m % mr != 0; ++t) {
            const void** row = rows + t * mr;
            std::fill(row + m, row + div_up(m, mr) * mr, row[m - 1]);
        }
    }
}

// The distance of the outputs where all have the same, else 0.
int64_t one_distance(const ConvGeometry& g) {
    return g.out_h == 1 || g.out_h_stride == g.out_w * g.out_w_stride ? g.out_w_stride
           : g.out_w == 1                                             ? g.out_h_stride
                                                                      : 0;
}

// Pixels at one distance, each read by a window of one, are a single line.
ConvGeometry as_one_line(const ConvGeometry& g) {
    const bool each = g.taps() == 1 && g.stride_h == 1 && g.stride_w == 1 && g.pad_top == 0 && g.pad_left == 0;
    const bool behind = g.in_h_stride == g.in_w * g.in_w_stride && g.out_h_stride == g.out_w * g.out_w_stride;
    if (!each || g.transposed || g.in_w != g.out_w || g.in_h != g.out_h || !(behind || g.out_w == 1) ||
        g.pixels() > std::numeric_limits<int>::max()) {
        return g;
    }
    ConvGeometry line = g;
    line.in_w = line.out_w = static_cast<int>(g.pixels());
    line.in_h = line.out_h = 1;
    if (!behind) {
        line.in_w_stride = g.in_h_stride;
        line.out_w_stride = g.out_h_stride;
    }
    return line;
}

bool is_line(const ConvGeometry& g) {
    return g.taps() == 1 && g.out_h == 1 && g.stride_w == 1 && g.pad_top == 0 && g.pad_left == 0 && !g.transposed &&
           g.out_w <= g.in_w;
}

void run_gemm_task(const GemmKernel& kernel, const ConvJob& job, const GemmTask& task) {
    const ConvGeometry& g = job.geometry;
    const int in_size = job.in_element_size(kernel.int8);
    const int64_t taps = g.taps();
    const int64_t pixels = g.pixels();
    const int64_t column_bytes =
        gemm_column_bytes(taps, job.k, kernel.kr, kernel.weight_bytes(), kernel.packed_size > 0);
    const int64_t panel_bytes = column_bytes * kernel.lanes * kernel.vectors;
    // Kernels that copy the rows to one long sum take any division of it into taps.
    const bool joined = kernel.packed_size > 0 && job.k <= kFewChannels && g.kernel_w > 1 && g.dilation_w == 1 &&
                        !g.transposed && g.in_w_stride == job.k;
    const bool few = job.widen != nullptr && pixels <= kernel.mr;
    const int64_t together =
        joined || job.widen != nullptr ? 1 : scratch_tiles(kernel, taps, job.k, job.n, job.row_function.staged);
    const int64_t block = together > 1 ? std::max<int64_t>(1, task.panels.end - task.panels.begin)
                                       : panels_of_block(panel_bytes, few ? kWidenedBytes : block_bytes());

    // Windows with padding in them are copied to memory for one tile.
    int64_t at_once = joined ? 1 : tiles_at_once(kernel, taps, job.n, job.row_function.staged);
    const int64_t all = std::max<int64_t>(1, task.tiles.end - task.tiles.begin);
    at_once = div_up(all, div_up(all, at_once));  // no last call of few
    void* place[kMaxMr * kMaxTiles];
    void* out[kMaxMr * kMaxTiles];
    GemmArgs args;
    args.rows = task.rows;
    args.taps = joined ? g.kernel_h : taps;
    args.k = joined ? g.kernel_w * job.k : job.k;
    args.packed = job.packed;
    args.n = job.n;
    args.out = job.row_function.staged ? out : place;
    args.out_step = job.row_function.staged ? job.n * 4 : one_distance(g) * job.out_element_size;
    args.epilogue = job.epilogue;
    args.scratch = task.packed_rows;
    args.scratch_tiles = together;
    // Most leaky ReLU have tiles of their own.
    args.packs_ahead = job.epilogue.bent != BentFunction::kLeakyRelu && packs_ahead(kernel, taps, job.k, job.n);
    for (int64_t r = 0; r < kernel.mr * at_once && job.row_function.staged; ++r) {
        out[r] = task.stage + r * job.n;
    }
    for (int64_t panel = task.panels.begin; panel < task.panels.end; panel += block) {
        args.panel_begin = panel;
        args.panel_end = std::min(panel + block, task.panels.end);
        const int64_t column = panel_at(args.panel_begin, job.n, kernel.lanes, kernel.vectors).column;
        const Panel last = panel_at(args.panel_end - 1, job.n, kernel.lanes, kernel.vectors);
        const int64_t columns = std::min(job.n, last.column + last.vectors * kernel.lanes) - column;
        if (job.widen != nullptr) {
            GemmWeights shape;
            shape.n = job.n;
            shape.taps = taps;
            shape.k = job.k;
            widen_panels(kernel, shape, job.packed, args.panel_begin, args.panel_end, job.widen, task.widened);
            // The kernel adds the offset of its first column.
            args.packed = reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(task.widened) -
                                                        static_cast<uintptr_t>(column * column_bytes));
        }
        // Outputs of all rows of a call lie behind one another.
        const bool joins = columns == job.n && g.out_w_stride == job.n && g.out_h == 1;
        FinishedRows finished(job);
        // Of a line, the first addresses will do. A single row may have no distance to a next one.
        const bool steps = kernel.steps && is_line(g) && g.in_w_stride != 0 && args.out_step != 0 &&
                           (job.row_function.run == nullptr || joins);
        args.row_step = steps ? g.in_w_stride * in_size : 0;
        TapRows pixel(job, in_size, kernel.mr, 1, task.tiles.begin * kernel.mr, joined ? task.edges : nullptr);
        for (int64_t tile = task.tiles.begin; tile < task.tiles.end; tile += at_once) {
            const int64_t tiles = std::min(at_once, task.tiles.end - tile);
            args.m = std::min(kernel.mr * tiles, pixels - tile * kernel.mr);
            if (steps) {
                const int64_t first = tile * kernel.mr;
                task.rows[0] = static_cast<const char*>(job.input) + first * args.row_step;
                place[0] = static_cast<char*>(job.output) + first * g.out_w_stride * job.out_element_size;
            } else {
                next_tiles(&pixel, args, kernel.mr, task.rows, place);
            }
            kernel.run(args);
            if (job.row_function.run == nullptr) {
                continue;
            }
            const int64_t step = joins ? args.m : 1;
            for (int64_t r = 0; r < args.m; r += step) {
                finished.add(static_cast<const char*>(args.out[r]) + column * 4,
                             static_cast<char*>(place[r]) + column * job.out_element_size, step * columns);
            }
            if (job.row_function.staged) {
                finished.flush();
            }
        }
    }
}

}  // namespace

size_t gemm_conv_scratch_bytes(const GemmKernel& kernel, int64_t taps, int64_t k, int64_t n, bool staged, int threads,
                               bool half) {
    return static_cast<size_t>(threads) * GemmScratch(kernel, taps, k, n, staged, half).total();
}

void run_gemm_conv(const GemmKernel& kernel, const ConvJob& job) {
    const int64_t tiles = div_up(job.geometry.pixels(), kernel.mr);
    const int64_t panels = panel_count(job.n, kernel.lanes, kernel.vectors);
    const int threads = std::max(1, job.threads);
    // Rows of the image are shared out, or output channels where there are few rows (inner products).
    const bool by_rows = tiles >= 2 * int64_t{threads} || tiles >= panels;
    const GemmScratch parts(kernel, job.geometry.taps(), job.k, job.n, job.row_function.staged, job.widen != nullptr);
    ConvJob line = job;
    line.geometry = as_one_line(job.geometry);
    parallel_for(threads, threads, [&](int64_t i) {
        char* scratch = static_cast<char*>(job.scratch) + static_cast<size_t>(i) * parts.total();
        GemmTask task;
        task.tiles = by_rows ? part_of(tiles, i, threads) : Range{0, tiles};
        task.panels = by_rows ? Range{0, panels} : part_of(panels, i, threads);
        task.rows = reinterpret_cast<const void**>(scratch);
        task.packed_rows = scratch + parts.rows;
        task.edges = scratch + parts.rows + parts.packed_rows;
        task.widened = task.edges + parts.edges;
        task.stage = reinterpret_cast<float*>(task.edges + parts.edges + parts.widened);
        run_gemm_task(kernel, line, task);
    });
}

size_t dw_conv_scratch_bytes(int64_t taps, int64_t channels, bool staged, int threads) {
    return static_cast<size_t>(threads) *
           (pointer_bytes(taps * kDwPixels) + staged_bytes(line_pixels(channels), channels, staged));
}

void run_dw_conv(const DwKernel& kernel, const ConvJob& job) {
    const int64_t taps = job.geometry.taps();
    const int64_t pixels = job.geometry.pixels();
    const int64_t runs = div_up(pixels, kDwPixels);
    const int threads = std::max(1, job.threads);
    const size_t rows_bytes = pointer_bytes(taps * kDwPixels);
    const size_t task_bytes = rows_bytes + staged_bytes(kDwPixels, job.k, job.row_function.staged);
    parallel_for(threads, threads, [&](int64_t i) {
        char* scratch = static_cast<char*>(job.scratch) + static_cast<size_t>(i) * task_bytes;
        const auto rows = reinterpret_cast<const void**>(scratch);
        const auto stage = reinterpret_cast<float*>(scratch + rows_bytes);
        void* place[kDwPixels];
        void* out[kDwPixels];
        DwArgs args;
        args.rows = rows;
        args.taps = taps;
        args.channels = job.k;
        args.packed = job.packed;
        args.out = job.row_function.staged ? out : place;
        args.epilogue = job.epilogue;
        const Range range = part_of(runs, i, threads);
        FinishedRows finished(job);
        TapRows pixel(job, job.in_element_size(kernel.int8), 1, taps, range.begin * kDwPixels);
        for (int64_t run = range.begin; run < range.end; ++run) {
            args.pixels = std::min(kDwPixels, pixels - run * kDwPixels);
            pixel.next(args.pixels, rows, place);
            for (int64_t p = 0; p < args.pixels && job.row_function.staged; ++p) {
                out[p] = stage + p * job.k;
            }
            kernel.run(args);
            for (int64_t p = 0; p < args.pixels && job.row_function.run != nullptr; ++p) {
                finished.add(args.out[p], place[p], job.k);
            }
            if (job.row_function.staged) {
                finished.flush();
            }
        }
    });
}

void run_dw_line_conv(const DwLineKernel& kernel, const ConvJob& job) {
    const ConvGeometry& g = job.geometry;
    const int64_t in_size = job.in_element_size(kernel.int8);
    const int threads = std::max(1, job.threads);
    const size_t stage_bytes = staged_bytes(line_pixels(job.k), job.k, job.row_function.staged);
    parallel_for(threads, threads, [&](int64_t i) {
        auto* stage = reinterpret_cast<float*>(static_cast<char*>(job.scratch) + static_cast<size_t>(i) * stage_bytes);
        DwLineArgs args;
        args.pad_row = job.pad_row;
        args.columns = g.in_w;
        args.channels = job.k;
        args.packed = job.packed;
        args.epilogue = job.epilogue;
        const Range lines = part_of(g.out_h, i, threads);
        FinishedRows finished(job);
        for (int64_t y = lines.begin; y < lines.end; ++y) {
            for (int ky = 0; ky < g.kernel_h; ++ky) {
                const int64_t in_y = y * g.stride_h - g.pad_top + int64_t{ky} * g.dilation_h;
                const bool inside = in_y >= 0 && in_y < g.in_h;
                args.lines[ky] =
                    inside ? static_cast<const char*>(job.input) + in_y * g.in_h_stride * in_size : job.pad_row;
                args.line_step[ky] = inside ? g.in_w_stride * in_size : 0;
            }
            const int64_t out_step = g.out_w_stride * job.out_element_size;
            char* line = static_cast<char*>(job.output) + y * g.out_h_stride * job.out_element_size;
            // What a row function works on goes in runs that stay in the cache.
            const int64_t run = job.row_function.run != nullptr ? line_pixels(job.k) : g.out_w;
            for (int64_t x = 0; x < g.out_w; x += run) {
                args.first_column = x * g.stride_w - g.pad_left;
                args.pixels = std::min<int64_t>(run, g.out_w - x);
                args.out = job.row_function.staged ? reinterpret_cast<char*>(stage) : line + x * out_step;
                args.out_step = job.row_function.staged ? job.k * 4 : out_step;
                kernel.run(args);
                const int64_t step = g.out_w_stride == job.k ? args.pixels : 1;
                for (int64_t p = 0; p < args.pixels && job.row_function.run != nullptr; p += step) {
                    finished.add(static_cast<const char*>(args.out) + p * args.out_step, line + (x + p) * out_step,
                                 step * job.k);
                }
                if (job.row_function.staged) {
                    finished.flush();
                }
            }
        }
    });
}

}  // namespace fw
