// benchfw: how fast networks run here, and where the time goes.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/cores.h"
#include "base/cpu.h"
#include "base/parallel.h"
#include "benchfw/html.h"
#include "benchfw/json.h"
#include "benchfw/measure.h"
#include "benchfw/text.h"
#include "benchfw/tune.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/progress.h"

namespace fw::bench {
namespace {

using tools::Tool;

struct Options {
    std::string param, bin, table, tune, json, html, isa, input_shape;
    std::string device = "cpu", pipeline_cache;
    Cores cores = Cores::kAll;
    std::vector<std::string> zoo;
    bool device_fallback = false, list = false, list_devices = false, int8 = false, with_float = false, layers = false,
         force = false;
    bool fp16 = false;
    bool fp16_arithmetic = false;
    bool bf16_arithmetic = false;
    bool no_winograd = false;
    int threads = 1, loops = 0, warmup = 1;
    double seconds = 3.0;
};

const char* const kDescription =
    "Measures networks: time, memory, share of the processor's peak.\n"
    "Without a network: the whole built-in zoo, with made-up weights.\n"
    "A network's line: NAME PRECISION threads=N min=MS med=MS max=MS mem=MiB conversions=N peak=P%\n"
    "  times of one inference in ms; mem: activations; peak: time that its multiply-accumulates take at the rate of a\n"
    "  loop in registers, measured at the start, as a share of min\n"
    "Precision: float; int8 with --int8; auto with --table alone (int8 where the planner finds it pays).\n"
    "Close other programs and repeat: a minimum is what the machine can do, the median what it did.";

const char* const kExamples =
    "  benchfw                                       the zoo, one thread\n"
    "  benchfw --zoo mobilenet_v2,resnet18 --int8 --float --html report.html\n"
    "  benchfw net.param net.bin --table net.table --layers\n"
    "  benchfw net.param net.bin --table net.table --tune fast.table\n"
    "  benchfw net.param --threads 4 --json out.json  random weights";

Status list_zoo() {
    for (const zoo::Network& network : zoo::networks()) {
        std::printf("%-26s %7.0f M MACs %7.2f M weights  %s\n", network.name, static_cast<double>(network.macs) * 1e-6,
                    static_cast<double>(network.params) * 1e-6, network.source);
    }
    return {};
}

Status print_devices() {
    FW_ASSIGN_OR_RETURN(const std::vector<DeviceInfo> devices, list_devices());
    for (const DeviceInfo& device : devices) {
        std::printf("%-9s %s\n", device.device.c_str(), device.description.c_str());
    }
    return {};
}

Status usage(Tool* tool, const std::string& message) {
    return tool->usage_error(Status::error(Code::kInvalidArgument, "%s (see benchfw --help)", message.c_str()));
}

/// The networks of the zoo that were asked for, in that order; none where the user gave files.
Result<std::vector<const zoo::Network*>> chosen_networks(const Options& options, Tool* tool) {
    std::vector<const zoo::Network*> chosen;
    for (const std::string& name : options.zoo) {
        const zoo::Network* network = zoo::find(name);
        if (network == nullptr) {
            return usage(tool, "--zoo: no network '" + name + "', benchfw --list shows those there are");
        }
        chosen.push_back(network);
    }
    if (options.zoo.empty() && options.param.empty()) {
        for (const zoo::Network& network : zoo::networks()) {
            chosen.push_back(&network);
        }
    }
    return chosen;
}

Result<Shape> parse_shape(const std::string& text, Tool* tool) {
    Shape shape;
    size_t begin = 0;
    bool sound = !text.empty();
    while (sound && begin <= text.size()) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        sound = shape.rank < Shape::kMaxRank && !part.empty() && part.size() <= 7 &&
                part.find_first_not_of("0123456789") == std::string::npos && std::stoi(part) > 0;
        if (sound) {
            shape.dims[shape.rank++] = std::stoi(part);
        }
        begin = end + 1;
    }
    if (!sound || !shape.valid()) {
        return usage(tool, "--input-shape: '" + text + "' is no shape, expected C,H,W");
    }
    return shape;
}

Status check_device(const std::string& device, Tool* tool) {
    if (device == "cpu" || device == "auto" || (device.rfind("auto:", 0) == 0 && device.size() > 5)) {
        return {};
    }
    if (device.rfind("vulkan", 0) == 0) {
        const std::string number = device.size() > 6 && device[6] == ':' ? device.substr(7) : "0";
        if ((device.size() == 6 || device[6] == ':') && !number.empty() &&
            number.find_first_not_of("0123456789") == std::string::npos) {
            const Result<std::vector<DeviceInfo>> devices = fw::list_devices();
            return devices.status().with_prefix("--device %s", device.c_str());
        }
    }
    return usage(tool, "--device: '" + device + "', expected cpu, vulkan[:N] or auto[:FILE]");
}

Status force_isa(const std::string& text, Tool* tool, std::optional<ScopedIsa>* forced) {
    Isa isa = Isa::kScalar;
    if (text.empty()) {
        return {};
    }
    if (!parse_isa(text.c_str(), &isa)) {
        return usage(tool, "--isa: no level '" + text + "', this processor has " + available_isa_names());
    }
    const std::vector<Isa> available = available_isas();
    if (std::count(available.begin(), available.end(), isa) == 0) {
        return Status::error(Code::kUnsupported, "--isa %s: this processor has %s", text.c_str(),
                             available_isa_names().c_str());
    }
    forced->emplace(isa);
    return {};
}

std::vector<Precision> precisions_of(const Options& options) {
    std::vector<Precision> precisions;
    if (options.with_float || (!options.int8 && !options.fp16 && options.table.empty())) {
        precisions.push_back(Precision::kFloat);
    }
    if (options.fp16) {
        precisions.push_back(Precision::kFp16);
    }
    if (options.int8) {
        precisions.push_back(Precision::kInt8);
    } else if (!options.table.empty()) {
        precisions.push_back(Precision::kAuto);
    }
    return precisions;
}

void print_results(std::vector<NetResult> measured, bool layers, std::vector<NetResult>* results) {
    for (NetResult& result : measured) {
        std::printf("%s\n", net_line(result).c_str());
        if (layers) {
            std::printf("%s", layer_table(result).c_str());
        }
        results->push_back(std::move(result));
    }
    std::fflush(stdout);
}

/// Measures one network, prints its lines and adds its results.
Status run_one(const Source& source, const Options& options, const MeasureOptions& how, const Machine& machine,
               tools::Progress* progress, std::vector<NetResult>* results) {
    FW_ASSIGN_OR_RETURN(std::vector<NetResult> measured, measure(source, how, machine));
    progress->clear();
    print_results(std::move(measured), options.layers, results);
    return {};
}

/// --tune: measures, prints the lines, writes the table.
Status tune_one(Tool* tool, const Source& source, const Options& options, const MeasureOptions& how,
                const Machine& machine, std::vector<NetResult>* results) {
    FW_ASSIGN_OR_RETURN(const Tuned tuned, tune(source, how, *how.table, machine));
    print_results(tuned.measured, options.layers, results);
    FW_RETURN_IF_ERROR(tools::write_text_file(options.tune, tuned.table.to_text()));
    const char* const names[] = {"all float", "all int8", "the planner's estimates", "measured times"};
    tool->say("# fastest: %s; %d layers int8, %d float, written to %s\n", names[tuned.best], tuned.int8_layers,
              tuned.float_layers, options.tune.c_str());
    return {};
}

Status write_reports(const Options& options, const Machine& machine, const std::vector<NetResult>& results) {
    const nlohmann::ordered_json report = to_json(machine, results);
    if (!options.json.empty()) {
        const std::string text = report.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
        FW_RETURN_IF_ERROR(tools::write_text_file(options.json, text + "\n"));
    }
    return options.html.empty() ? Status() : tools::write_text_file(options.html, html_page(report));
}

Status check_files(const Options& options, Tool* tool) {
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    for (const std::string* input : {&options.param, &options.bin, &options.table}) {
        if (!input->empty()) {
            inputs.push_back(*input);
        }
    }
    for (const std::string* output : {&options.json, &options.html, &options.tune}) {
        if (!output->empty()) {
            outputs.push_back(*output);
        }
    }
    FW_RETURN_IF_ERROR(tool->usage_error(tools::check_distinct(outputs, inputs)));
    return tools::check_folders(outputs);
}

Status bench(Tool* tool, const Options& options) {
    if (options.list) {
        return list_zoo();
    }
    if (options.list_devices) {
        return print_devices();
    }
    if (!options.param.empty() && !options.zoo.empty()) {
        return usage(tool, "--zoo and a network's files: expected one of them");
    }
    FW_ASSIGN_OR_RETURN(const std::vector<const zoo::Network*> networks, chosen_networks(options, tool));
    if (!options.table.empty() && networks.size() > 1) {
        return usage(tool, "--table belongs to one network, but there are " + std::to_string(networks.size()));
    }
    if (!options.tune.empty() && (options.table.empty() || options.int8 || options.with_float)) {
        return usage(tool, options.table.empty()
                               ? "--tune chooses the precisions of a table: give --table"
                               : "--tune measures float and int8 itself: leave out --int8 and --float");
    }
    FW_RETURN_IF_ERROR(check_files(options, tool));
    if (!options.device_fallback) {
        FW_RETURN_IF_ERROR(check_device(options.device, tool));
    }
    std::optional<ScopedIsa> forced;
    FW_RETURN_IF_ERROR(force_isa(options.isa, tool, &forced));

    MeasureOptions how;
    how.precisions = precisions_of(options);
    const std::vector<int>& cores = cores_of(options.cores);
    const int all = cores.empty() ? hardware_threads() : static_cast<int>(cores.size());
    how.threads = options.threads > 0 ? options.threads : all;
    how.device = options.device;
    how.device_fallback = options.device_fallback;
    how.pipeline_cache = options.pipeline_cache;
    how.loops = options.loops;
    how.warmup = options.warmup;
    how.seconds = options.seconds;
    how.ignore_table_model = options.force;
    how.fp16 = options.fp16;
    how.fp16_arithmetic = options.fp16_arithmetic;
    how.bf16_arithmetic = options.bf16_arithmetic;
    how.winograd = !options.no_winograd;
    how.layers = options.layers || !options.json.empty() || !options.html.empty();
    if (!options.input_shape.empty()) {
        FW_ASSIGN_OR_RETURN(how.input_shape, parse_shape(options.input_shape, tool));
    }
    ScaleTable table;
    if (!options.table.empty()) {
        FW_ASSIGN_OR_RETURN(table, ScaleTable::load(options.table.c_str()));
        how.table = &table;
    }

    const CoreScope scope(cores, how.threads);
    FW_ASSIGN_OR_RETURN(const Machine machine, measure_machine(how.threads));
    tool->say("# %s, %s, %d thread%s: peak %.1f GMAC/s int8, %.1f GMAC/s float; reads %.1f GB/s\n", machine.cpu.c_str(),
              machine.isa.c_str(), machine.threads, machine.threads == 1 ? "" : "s", machine.peak_int8_gmacs,
              machine.peak_fp32_gmacs, machine.read_gb_per_s);
    std::vector<NetResult> results;
    tools::Progress progress("measuring", "networks", static_cast<int64_t>(std::max<size_t>(1, networks.size())),
                             tool->quiet());
    const auto measure_one = [&](const Source& source) {
        return options.tune.empty() ? run_one(source, options, how, machine, &progress, &results)
                                    : tune_one(tool, source, options, how, machine, &results);
    };
    if (!options.param.empty()) {
        FW_ASSIGN_OR_RETURN(const Source source, source_of_files(options.param, options.bin));
        FW_RETURN_IF_ERROR(measure_one(source));
    }
    for (size_t i = 0; i < networks.size(); ++i) {
        progress.update(static_cast<int64_t>(i));
        FW_ASSIGN_OR_RETURN(const Source source, source_of_zoo(*networks[i]));
        FW_RETURN_IF_ERROR(measure_one(source));
    }
    return write_reports(options, machine, results);
}

void add_options(CLI::App* app, Options* options) {
    app->add_option("NET.param", options->param, "Network to measure");
    app->add_option("NET.bin", options->bin, "Its weights; random ones where it is left out");
    app->add_option("--zoo", options->zoo, "Networks of the zoo, NAME,..")->delimiter(',');
    app->add_flag("--list", options->list, "Print the zoo's networks");
    app->add_option("--table", options->table, "Scale table of the network");
    app->add_option("--tune", options->tune,
                    "Write the table with int8 or float for each layer, by what is faster here");
    app->add_flag("--int8", options->int8, "int8; without --table by a table made from seeded noise");
    app->add_flag("--float", options->with_float, "float too, in turns with --int8 or --table");
    CLI::Option* fp16 = app->add_flag("--fp16", options->fp16,
                                      "float16 weights, in turns with the others; also a choice of --table's planner");
    app->add_flag("--fp16-arithmetic", options->fp16_arithmetic,
                  "--fp16 multiplies in float16 too, where the processor can")
        ->needs(fp16);
    app->add_flag("--bf16-arithmetic", options->bf16_arithmetic,
                  "Float layers multiply in bfloat16, where the processor can");
    app->add_flag("--no-winograd", options->no_winograd, "3x3 layers without Winograd: slower, with less memory");
    app->add_flag("--force", options->force, "Use a table that was made for another model");
    app->add_option("--input-shape", options->input_shape, "C,H,W of inputs that declare no shape");
    app->add_option("--threads", options->threads, "Threads of one inference, 0 = all cores")
        ->check(CLI::Range(0, 1024));
    app->add_option("--cores", options->cores, "Run on all, big or little cores; the same where they are of one speed")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, Cores>{{"all", Cores::kAll}, {"big", Cores::kBig}, {"little", Cores::kLittle}}));
    app->add_option("--loops", options->loops, "Measured inferences of each network, instead of --seconds")
        ->check(CLI::Range(1, 1000000));
    app->add_option("--warmup", options->warmup, "Inferences before, beside the first")->check(CLI::Range(0, 1000000));
    app->add_option("--seconds", options->seconds, "Time for a network's inferences, at least 5 of them (default 3)")
        ->check(CLI::Range(0.0, 86400.0));
    app->add_flag("--layers", options->layers, "Print every step: time, rate, kernel, and why this precision");
    app->add_option("--json", options->json, "Write all figures, steps included");
    app->add_option("--html", options->html, "Write a page with charts, which needs nothing else");
    app->add_option("--device", options->device, "cpu, vulkan[:N], or auto[:FILE]: the faster, remembered in FILE");
    app->add_flag("--device-fallback", options->device_fallback,
                  "Warn and use the CPU where that device is missing or fails");
    app->add_flag("--list-devices", options->list_devices, "Print what --device can name besides cpu");
    app->add_option("--pipeline-cache", options->pipeline_cache, "File that keeps compiled shaders between runs");
    app->add_option("--isa", options->isa, "Level of the kernels, as scalar or avx2");
}

}  // namespace
}  // namespace fw::bench

int main(int argc, char** argv) {
    fw::bench::Options options;
    fw::tools::Tool tool("benchfw", fw::bench::kDescription, fw::bench::kExamples);
    fw::bench::add_options(&tool.app(), &options);
    return tool.run(argc, argv, [&] { return fw::bench::bench(&tool, options); });
}
