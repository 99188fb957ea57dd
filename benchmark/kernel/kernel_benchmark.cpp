// Micro-benchmarks: every kernel of kernels.inc on layers of SqueezeNet v1.1 and MobileNet v1, one thread, in GMAC/s.
//   fw_benchmark_kernel --benchmark_filter=avx512
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/memory.h"
#include "kernel/conv.h"
#include "kernel/dispatch.h"
#include "kernel/pack.h"

namespace fw {
namespace {

struct Layer {
    const char* name;
    int size, channels, outputs, kernel, stride;
};

// SqueezeNet v1.1's first layer has row taps: 3 rows of 9 values.
constexpr Layer kGemmLayers[] = {
    {"conv1_227", 227, 3, 64, 3, 2},          {"squeeze_56_64_16", 56, 64, 16, 1, 1},
    {"expand1_56_16_64", 56, 16, 64, 1, 1},   {"expand3_56_16_64", 56, 16, 64, 3, 1},
    {"expand3_28_32_128", 28, 32, 128, 3, 1}, {"squeeze_14_384_48", 14, 384, 48, 1, 1},
    {"expand3_14_64_256", 14, 64, 256, 3, 1}, {"conv10_14_512_1000", 14, 512, 1000, 1, 1},
    {"pw_112_32_64", 112, 32, 64, 1, 1},      {"pw_28_256_256", 28, 256, 256, 1, 1},
    {"pw_14_512_512", 14, 512, 512, 1, 1},    {"pw_7_1024_1024", 7, 1024, 1024, 1, 1},
    {"fc_1024_1000", 1, 1024, 1000, 1, 1},
};
constexpr Layer kDwLayers[] = {
    {"dw_112_32", 112, 32, 32, 3, 1},  {"dw_112_64_s2", 112, 64, 64, 3, 2},   {"dw_28_256", 28, 256, 256, 3, 1},
    {"dw_14_512", 14, 512, 512, 3, 1}, {"dw_14_480_5x5", 14, 480, 480, 5, 1},
};

struct Memory {
    explicit Memory(size_t bytes) : data(allocate_shared_bytes(bytes, nullptr)) {
        for (size_t i = 0; i < bytes; ++i) {
            static_cast<unsigned char*>(data.get())[i] = static_cast<unsigned char>(i % 5);
        }
    }
    std::shared_ptr<void> data;
};

ConvJob make_job(const Layer& layer, int element_size) {
    ConvJob job;
    ConvGeometry& g = job.geometry;
    g.in_h = g.in_w = layer.size;
    g.kernel_h = g.kernel_w = layer.kernel;
    g.stride_h = g.stride_w = layer.stride;
    g.in_w_stride = layer.channels;
    g.in_h_stride = int64_t{layer.channels} * layer.size;
    const bool row_taps = layer.channels == 3;
    if (row_taps) {
        g.kernel_w = 1;
        g.in_w -= layer.kernel - 1;
    } else {
        g.pad_top = g.pad_left = layer.kernel / 2;
    }
    g.out_h = (layer.size + 2 * g.pad_top - layer.kernel) / layer.stride + 1;
    g.out_w = g.out_h;
    g.out_w_stride = layer.outputs;
    g.out_h_stride = int64_t{layer.outputs} * g.out_w;
    job.k = row_taps ? layer.channels * layer.kernel : layer.channels;
    job.n = layer.outputs;
    job.epilogue.float_output = element_size == 4;
    job.epilogue.lo = element_size == 4 ? 0.0F : -127.0F;
    job.epilogue.hi = 127.0F;
    job.out_element_size = element_size;
    return job;
}

double macs_of(const ConvJob& job, bool depthwise) {
    const double products = static_cast<double>(job.geometry.taps() * job.k);
    return static_cast<double>(job.geometry.pixels()) * products * (depthwise ? 1.0 : static_cast<double>(job.n));
}

template <class Run>
void measure(benchmark::State& state, const Layer& layer, ConvJob job, int element_size, bool depthwise, Run&& run) {
    const auto pixels = static_cast<size_t>(layer.size) * static_cast<size_t>(layer.size);
    const Memory input(pixels * static_cast<size_t>(layer.channels * element_size));
    const Memory output(static_cast<size_t>(job.geometry.pixels() * layer.outputs * element_size));
    const Memory pad(static_cast<size_t>(job.k * element_size));
    job.input = input.data.get();
    job.output = output.data.get();
    job.pad_row = pad.data.get();
    for (auto _ : state) {
        run(job);
        benchmark::DoNotOptimize(job.output);
        benchmark::ClobberMemory();
    }
    state.counters["GMAC/s"] =
        benchmark::Counter(macs_of(job, depthwise) * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void gemm_benchmark(benchmark::State& state, const GemmKernel* kernel, const Layer& layer) {
    const int element_size = kernel->int8 ? 1 : 4;
    ConvJob job = make_job(layer, element_size);
    GemmWeights weights;
    weights.n = job.n;
    weights.taps = job.geometry.taps();
    weights.k = job.k;
    const Memory values(static_cast<size_t>(weights.n * weights.taps * weights.k * element_size));
    const std::vector<float> multiplier(static_cast<size_t>(job.n), 1e-3F);
    weights.values = values.data.get();
    weights.multiplier = multiplier.data();
    const Memory packed(packed_gemm_bytes(*kernel, weights));
    pack_gemm(*kernel, weights, packed.data.get());
    const Memory scratch(gemm_conv_scratch_bytes(*kernel, weights.taps, job.k, job.n, false, 1));
    job.packed = packed.data.get();
    job.scratch = scratch.data.get();
    measure(state, layer, job, element_size, false, [&](const ConvJob& j) { run_gemm_conv(*kernel, j); });
}

void dw_benchmark(benchmark::State& state, const DwKernel* kernel, const Layer& layer) {
    const int element_size = kernel->int8 ? 1 : 4;
    ConvJob job = make_job(layer, element_size);
    DwWeights weights;
    weights.channels = job.k;
    weights.taps = job.geometry.taps();
    const Memory values(static_cast<size_t>(weights.channels * weights.taps * element_size));
    const std::vector<float> multiplier(static_cast<size_t>(job.k), 1e-3F);
    weights.values = values.data.get();
    weights.multiplier = multiplier.data();
    const Memory packed(packed_dw_bytes(*kernel, weights));
    pack_dw(*kernel, weights, packed.data.get());
    const Memory scratch(dw_conv_scratch_bytes(weights.taps, job.k, false, 1));
    job.packed = packed.data.get();
    job.scratch = scratch.data.get();
    measure(state, layer, job, element_size, true, [&](const ConvJob& j) { run_dw_conv(*kernel, j); });
}

void dw_line_benchmark(benchmark::State& state, const DwLineKernel* kernel, const Layer& layer) {
    const int element_size = kernel->int8 ? 1 : 4;
    ConvJob job = make_job(layer, element_size);
    DwWeights weights;
    weights.channels = job.k;
    weights.taps = job.geometry.taps();
    const Memory values(static_cast<size_t>(weights.channels * weights.taps * element_size));
    const std::vector<float> multiplier(static_cast<size_t>(job.k), 1e-3F);
    weights.values = values.data.get();
    weights.multiplier = multiplier.data();
    const Memory packed(packed_dw_line_bytes(*kernel, weights));
    pack_dw_line(*kernel, weights, packed.data.get());
    job.packed = packed.data.get();
    measure(state, layer, job, element_size, true, [&](const ConvJob& j) { run_dw_line_conv(*kernel, j); });
}

bool fits(const GemmKernel& /*kernel*/, const Layer& /*layer*/) {
    return true;
}
bool fits(const DwKernel& /*kernel*/, const Layer& /*layer*/) {
    return true;
}
bool fits(const DwLineKernel& kernel, const Layer& layer) {
    return kernel.size == layer.kernel && kernel.stride == layer.stride;
}

bool runs_here(Isa level) {
    for (const Isa isa : available_isas()) {
        if (isa == level) {
            return true;
        }
    }
    return false;
}

template <class Kernel, class Layers>
void add(Span<const Kernel* const> kernels, const Layers& layers,
         void (*function)(benchmark::State&, const Kernel*, const Layer&)) {
    for (const Kernel* kernel : kernels) {
        for (const Layer& layer : layers) {
            if (runs_here(kernel->level) && fits(*kernel, layer)) {
                const std::string name = std::string(kernel->name) + "/" + layer.name;
                benchmark::RegisterBenchmark(name.c_str(),
                                             [=](benchmark::State& state) { function(state, kernel, layer); });
            }
        }
    }
}

}  // namespace
}  // namespace fw

int main(int argc, char** argv) {
    fw::add(fw::gemm_kernels(), fw::kGemmLayers, fw::gemm_benchmark);
    fw::add(fw::dw_kernels(), fw::kDwLayers, fw::dw_benchmark);
    fw::add(fw::dw_line_kernels(), fw::kDwLayers, fw::dw_line_benchmark);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
