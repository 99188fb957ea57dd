// Times one network, step by step: net_time NET.param NET.bin [TABLE|-] [THREADS] [LOOPS] [C,H,W]
//
// Prints the fastest time of every step and of the whole, on an input of random numbers.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "fw/net.h"
#include "random_input.h"

namespace {

int fail(const fw::Status& status) {
    std::fprintf(stderr, "error: %s\n", status.message());
    return 1;
}

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point from) {
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

fw::Status run(const fw::Net& net, const std::vector<fw::Mat>& inputs, std::vector<double>* profile) {
    fw::Extractor extractor = net.create_extractor();
    extractor.enable_profile(profile != nullptr);
    const std::vector<std::string> names = net.input_names();
    for (size_t i = 0; i < names.size(); ++i) {
        FW_RETURN_IF_ERROR(extractor.input(names[i].c_str(), inputs[i]));
    }
    for (const std::string& output : net.output_names()) {
        fw::Mat out;
        FW_RETURN_IF_ERROR(extractor.extract(output.c_str(), &out));
    }
    if (profile != nullptr) {
        *profile = extractor.profile();
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: net_time NET.param NET.bin [TABLE|-] [THREADS] [LOOPS] [C,H,W]\n");
        return 2;
    }
    fw::Net net;
    fw::Option option;
    option.threads = argc > 4 ? std::atoi(argv[4]) : 1;
    const int loops = argc > 5 ? std::max(1, std::atoi(argv[5])) : 50;
    fw::Status status = net.set_option(option);
    if (status.ok() && argc > 3 && std::strcmp(argv[3], "-") != 0) {
        status = net.load_table(argv[3]);
    }
    const Clock::time_point load = Clock::now();
    if (status.ok()) {
        status = net.load_model(argv[1], argv[2]);
    }
    if (!status.ok()) {
        return fail(status);
    }
    std::printf("load %.2f ms\n", milliseconds(load));

    std::vector<fw::Mat> inputs;
    for (const std::string& name : net.input_names()) {
        fw::Shape shape = net.input_shape(name.c_str());
        if (argc > 6) {
            shape = fw::Shape(0, 0, 0);
            if (std::sscanf(argv[6], "%d,%d,%d", &shape[0], &shape[1], &shape[2]) != 3) {
                std::fprintf(stderr, "usage: the shape is C,H,W\n");
                return 2;
            }
        }
        fw::Result<fw::Mat> mat = fw::bench::random_input(net, shape);
        if (!mat.ok()) {
            return fail(mat.status());
        }
        inputs.push_back(*mat);
    }

    std::vector<double> fastest;
    std::vector<double> times;
    for (int i = 0; i < 2 * loops; ++i) {
        // Odd runs are profiled, even ones give the time of the whole.
        std::vector<double> profile;
        const Clock::time_point begin = Clock::now();
        status = run(net, inputs, i % 2 != 0 ? &profile : nullptr);
        if (!status.ok()) {
            return fail(status);
        }
        if (i % 2 == 0) {
            times.push_back(milliseconds(begin));
            continue;
        }
        fastest.resize(profile.size(), 1e9);
        for (size_t step = 0; step < profile.size(); ++step) {
            fastest[step] = std::min(fastest[step], profile[step]);
        }
    }
    const fw::Result<std::vector<fw::LayerPlan>> plan = net.plan();
    if (!plan.ok()) {
        return fail(plan.status());
    }
    double sum = 0.0;
    for (size_t step = 0; step < plan->size() && step < fastest.size(); ++step) {
        const fw::LayerPlan& layer = (*plan)[step];
        std::printf("%8.4f ms  %-14s %-32s %-7s -> %-7s %s%s\n", fastest[step], layer.type.c_str(), layer.name.c_str(),
                    fw::name(layer.input_type), fw::name(layer.output_type), layer.kernel.c_str(),
                    layer.is_conversion ? " (conversion)" : "");
        sum += fastest[step];
    }
    std::sort(times.begin(), times.end());
    const fw::MemoryUse memory = net.memory_use();
    std::printf(
        "steps %.3f ms, whole: min %.3f ms, median %.3f ms, max %.3f ms; weights %.2f MiB, activations %.2f MiB\n", sum,
        times.front(), times[times.size() / 2], times.back(), static_cast<double>(memory.weights) / 1048576.0,
        static_cast<double>(memory.activations) / 1048576.0);
    return 0;
}
