// Cold start of one network: start_time [--no-winograd] NET.param NET.bin [TABLE|-] [THREADS] [STARTS]
//
// Starts itself STARTS times (default 15); each process loads the network and computes one result of random numbers.
// Prints, as minimum and median, the time from the start of the process to that result, what loading took of it, and
// the peak of resident memory. Files are in the page cache after the first start. Linux and macOS.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "fw/net.h"
#include "random_input.h"

#ifdef __APPLE__
extern char** environ;  // elsewhere unistd.h has it
#endif

namespace {

double now_ms() {
    // The clock of the whole system: a child's time can be compared with its parent's.
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Moments {
    double loaded = 0.0;
    double result = 0.0;
};

fw::Status first_result(const char* param, const char* bin, const char* table, int threads, bool winograd,
                        Moments* moments) {
    fw::Net net;
    fw::Option option;
    option.threads = threads;
    option.winograd = winograd;
    FW_RETURN_IF_ERROR(net.set_option(option));
    if (std::strcmp(table, "-") != 0) {
        FW_RETURN_IF_ERROR(net.load_table(table));
    }
    FW_RETURN_IF_ERROR(net.load_model(param, bin));
    moments->loaded = now_ms();
    fw::Extractor extractor = net.create_extractor();
    for (const std::string& name : net.input_names()) {
        FW_ASSIGN_OR_RETURN(const fw::Mat mat, fw::bench::random_input(net, net.input_shape(name.c_str())));
        FW_RETURN_IF_ERROR(extractor.input(name.c_str(), mat));
    }
    for (const std::string& output : net.output_names()) {
        fw::Mat out;
        FW_RETURN_IF_ERROR(extractor.extract(output.c_str(), &out));
    }
    moments->result = now_ms();  // before the network is taken apart
    return {};
}

int child(char** argv) {
    Moments moments;
    const fw::Status status =
        first_result(argv[2], argv[3], argv[4], std::atoi(argv[5]), std::strcmp(argv[6], "1") == 0, &moments);
    if (!status.ok()) {
        std::fprintf(stderr, "error: %s\n", status.message());
        return 1;
    }
    return std::fwrite(&moments, sizeof moments, 1, stdout) == 1 ? 0 : 1;
}

struct Start {
    double load_ms = 0.0;
    double result_ms = 0.0;
    double cpu_ms = 0.0;
    double rss_mib = 0.0;
};

double milliseconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) * 1e-3;
}

bool start(const std::vector<char*>& arguments, Start* result) {
    int ends[2];
    if (pipe(ends) != 0) {
        return false;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    pid_t pid = 0;
    const double begin = now_ms();
    const bool spawned = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    Moments moments;
    const bool complete = spawned && read(ends[0], &moments, sizeof moments) == static_cast<ssize_t>(sizeof moments);
    close(ends[0]);
    int status = 1;
    rusage usage{};
    if (!spawned || wait4(pid, &status, 0, &usage) != pid || status != 0 || !complete) {
        return false;
    }
#ifdef __APPLE__
    constexpr double kUnit = 1.0 / 1048576.0;
#else
    constexpr double kUnit = 1.0 / 1024.0;
#endif
    *result = {moments.loaded - begin, moments.result - begin,
               milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
               static_cast<double>(usage.ru_maxrss) * kUnit};
    return true;
}

void print(const char* name, const char* unit, std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::printf("%-13s min %7.2f, median %7.2f %s\n", name, values.front(), values[values.size() / 2], unit);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 7 && std::strcmp(argv[1], "--child") == 0) {
        return child(argv);
    }
    const char* self = argv[0];
    const bool winograd = argc < 2 || std::strcmp(argv[1], "--no-winograd") != 0;
    if (!winograd) {
        ++argv;
        --argc;
    }
    if (argc < 3) {
        std::fprintf(stderr, "usage: start_time [--no-winograd] NET.param NET.bin [TABLE|-] [THREADS] [STARTS]\n");
        return 2;
    }
    std::string words[] = {
        self, "--child", argv[1], argv[2], argc > 3 ? argv[3] : "-", argc > 4 ? argv[4] : "1", winograd ? "1" : "0"};
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    std::vector<double> load;
    std::vector<double> result;
    std::vector<double> cpu;
    std::vector<double> memory;
    for (int i = argc > 5 ? std::max(1, std::atoi(argv[5])) : 15; i > 0; --i) {
        Start one;
        if (!start(arguments, &one)) {
            return 1;
        }
        load.push_back(one.load_ms);
        result.push_back(one.result_ms);
        cpu.push_back(one.cpu_ms);
        memory.push_back(one.rss_mib);
    }
    print("loaded", "ms", load);
    print("first result", "ms", result);
    print("processor", "ms", cpu);
    print("peak memory", "MiB", memory);
    return 0;
}
