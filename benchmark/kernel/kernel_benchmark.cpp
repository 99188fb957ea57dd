// Micro-benchmarks: every kernel of kernels.inc on every layer shape of the zoo that it can run, one thread, in GMAC/s
// and per cent of the peak that the processor reaches at the kernel's level.
//   fw_benchmark_kernel --benchmark_filter='gemm_int8.*avx512vnni/mobilenet_v1'
#include <benchmark/benchmark.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/memory.h"
#include "kernel/conv.h"
#include "kernel/dispatch.h"
#include "kernel/pack.h"
#include "peak/peak.h"
#include "zoo_layers.h"

namespace fw::bench {
namespace {

struct Memory {
    explicit Memory(int64_t bytes) : data(allocate_shared_bytes(static_cast<size_t>(bytes), nullptr)) {
        for (int64_t i = 0; i < bytes; ++i) {
            static_cast<unsigned char*>(data.get())[i] = static_cast<unsigned char>(i % 5);
        }
    }
    std::shared_ptr<void> data;
};

double peak_of(bool int8, Isa level) {
    static std::map<std::pair<bool, Isa>, double> peaks;
    double& peak = peaks[{int8, level}];
    if (peak == 0.0) {
        peak = measure_peak(int8, level, 1, 0.2);
    }
    return peak;
}

ConvJob make_job(const ZooLayer& layer, int element_size) {
    ConvJob job;
    job.geometry = layer.geometry;
    job.k = layer.k;
    job.n = layer.n;
    job.epilogue.float_output = element_size == 4;
    job.epilogue.lo = element_size == 4 ? 0.0F : -127.0F;
    job.epilogue.hi = 127.0F;
    job.out_element_size = element_size;
    return job;
}

template <class Kernel, class Run>
void measure(benchmark::State& state, const Kernel& kernel, const ZooLayer& layer, ConvJob job, Run&& run) {
    const int64_t element_size = job.out_element_size;
    const int64_t channels = std::max<int64_t>(layer.geometry.in_w_stride, layer.k);
    const Memory input(layer.input_pixels * channels * element_size);
    const Memory output(job.geometry.pixels() * layer.n * element_size);
    const Memory pad(job.k * element_size);
    job.input = input.data.get();
    job.output = output.data.get();
    job.pad_row = pad.data.get();
    const double peak = peak_of(kernel.int8, kernel.level);
    for (auto _ : state) {
        run(job);
        benchmark::DoNotOptimize(job.output);
        benchmark::ClobberMemory();
    }
    const double gmacs = static_cast<double>(layer.macs()) * 1e-9;
    constexpr auto kRate = benchmark::Counter::kIsIterationInvariantRate;
    state.counters["GMAC/s"] = benchmark::Counter(gmacs, kRate);
    state.counters["peak%"] = benchmark::Counter(100.0 * gmacs / peak, kRate);
}

/// Weights of a layer, as GemmWeights or DwWeights take them.
template <class Weights>
struct Filled {
    Filled(int64_t count, int64_t outputs, bool int8)
        : values(count * (int8 ? 1 : 4)), multiplier(static_cast<size_t>(outputs), 1e-3F) {
        weights.values = values.data.get();
        weights.multiplier = multiplier.data();
    }
    Memory values;
    std::vector<float> multiplier;
    Weights weights;
};

void run_benchmark(benchmark::State& state, const GemmKernel& kernel, const ZooLayer& layer) {
    ConvJob job = make_job(layer, kernel.int8 ? 1 : 4);
    const int64_t taps = job.geometry.taps();
    Filled<GemmWeights> filled(job.n * taps * job.k, job.n, kernel.int8);
    filled.weights.n = job.n;
    filled.weights.taps = taps;
    filled.weights.k = job.k;
    filled.weights.offset = 0;  // the inputs are at or above 0
    const Memory packed(static_cast<int64_t>(packed_gemm_bytes(kernel, filled.weights)));
    pack_gemm(kernel, filled.weights, packed.data.get());
    const Memory scratch(static_cast<int64_t>(gemm_conv_scratch_bytes(kernel, taps, job.k, job.n, false, 1)));
    job.packed = packed.data.get();
    job.scratch = scratch.data.get();
    measure(state, kernel, layer, job, [&](const ConvJob& j) { run_gemm_conv(kernel, j); });
}

void run_benchmark(benchmark::State& state, const DwKernel& kernel, const ZooLayer& layer) {
    ConvJob job = make_job(layer, kernel.int8 ? 1 : 4);
    Filled<DwWeights> filled(job.k * job.geometry.taps(), job.k, kernel.int8);
    filled.weights.channels = job.k;
    filled.weights.taps = job.geometry.taps();
    const Memory packed(static_cast<int64_t>(packed_dw_bytes(kernel, filled.weights)));
    pack_dw(kernel, filled.weights, packed.data.get());
    const Memory scratch(static_cast<int64_t>(dw_conv_scratch_bytes(filled.weights.taps, job.k, false, 1)));
    job.packed = packed.data.get();
    job.scratch = scratch.data.get();
    measure(state, kernel, layer, job, [&](const ConvJob& j) { run_dw_conv(kernel, j); });
}

void run_benchmark(benchmark::State& state, const DwLineKernel& kernel, const ZooLayer& layer) {
    ConvJob job = make_job(layer, kernel.int8 ? 1 : 4);
    Filled<DwWeights> filled(job.k * job.geometry.taps(), job.k, kernel.int8);
    filled.weights.channels = job.k;
    filled.weights.taps = job.geometry.taps();
    const Memory packed(static_cast<int64_t>(packed_dw_line_bytes(kernel, filled.weights)));
    pack_dw_line(kernel, filled.weights, packed.data.get());
    job.packed = packed.data.get();
    measure(state, kernel, layer, job, [&](const ConvJob& j) { run_dw_line_conv(kernel, j); });
}

bool fits(const GemmKernel& /*kernel*/, const ZooLayer& layer) {
    return !layer.depthwise;
}
bool fits(const DwKernel& /*kernel*/, const ZooLayer& layer) {
    return layer.depthwise;
}
bool fits(const DwLineKernel& kernel, const ZooLayer& layer) {
    const ConvGeometry& g = layer.geometry;
    return layer.depthwise && g.kernel_h == kernel.size && g.kernel_w == kernel.size && g.stride_h == kernel.stride &&
           g.stride_w == kernel.stride && g.dilation_h == 1 && g.dilation_w == 1;
}

template <class Kernel>
void add(Span<const Kernel* const> kernels, const std::vector<ZooLayer>& layers) {
    const std::vector<Isa> available = available_isas();
    for (const Kernel* kernel : kernels) {
        if (std::count(available.begin(), available.end(), kernel->level) == 0) {
            continue;
        }
        for (const ZooLayer& layer : layers) {
            if (fits(*kernel, layer)) {
                const std::string name = std::string(kernel->name) + "/" + layer.name;
                benchmark::RegisterBenchmark(
                    name.c_str(), [kernel, &layer](benchmark::State& state) { run_benchmark(state, *kernel, layer); });
            }
        }
    }
}

}  // namespace
}  // namespace fw::bench

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    const std::vector<fw::bench::ZooLayer> layers = fw::bench::zoo_layers();
    if (layers.empty()) {
        std::fprintf(stderr, "error: the zoo does not build\n");
        return 1;
    }
    fw::bench::add(fw::gemm_kernels(), layers);
    fw::bench::add(fw::dw_kernels(), layers);
    fw::bench::add(fw::dw_line_kernels(), layers);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
