#include "common/net_options.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/cli.h"
#include "common/file.h"
#include "common/fit.h"

namespace fw::tools {

void NetOptions::add_files_to(CLI::App* app) {
    app->add_option("NET.param", param, "Network text file")->required();
    app->add_option("NET.bin", bin, "Its weights")->required();
}

void NetOptions::add_to(CLI::App* app) {
    add_files_to(app);
    app->add_option("--table", table, "Scale table: run in int8");
    app->add_option("--precision", precision, "auto, float, fp16 (weights) or int8")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "float", "fp16", "int8"}));
    app->add_flag("--fp16-arithmetic", fp16_arithmetic,
                  "With --precision fp16: multiply in float16 too, where the processor can");
    app->add_flag("--bf16-arithmetic", bf16_arithmetic,
                  "Multiply in bfloat16 in float layers, where the processor can");
    app->add_flag("--no-winograd", no_winograd, "3x3 layers without Winograd: slower, with less memory");
    app->add_flag("--force", force, "Use a table that was made for another model");
    app->add_option("--threads", threads, "Threads of one inference, 0 = all cores")->check(CLI::Range(0, 1024));
    app->add_option("--device", device,
                    "cpu, vulkan[:N] (benchfw --list-devices), or auto[:FILE]: the faster, remembered in FILE")
        ->capture_default_str();
    app->add_flag("--device-fallback", device_fallback, "Warn and use the CPU where that device is missing or fails");
}

void NetOptions::add_preprocess_to(CLI::App* app) {
    app->add_option("--mean", preprocess.mean, "Mean a channel, subtracted first (only where the model stores none)");
    app->add_option("--norm", preprocess.norm, "Factor a channel, applied after the mean (likewise)");
    app->add_option("--size", preprocess.size, "Input size WIDTHxHEIGHT, instead of the model's own");
    app->add_option("--pixel", preprocess.pixel, "Channel order: BGR, RGB or GRAY (only where the model stores none)");
    app->add_option("--fit", preprocess.fit,
                    "Images of other proportions: stretch, crop[:SHARE] (0.875: resize to 256, crop 224) or "
                    "letterbox[:LEVEL]")
        ->check([](const std::string& text) {
            const Result<Fit> fit = parse_fit(text);
            return fit.ok() ? std::string() : std::string(fit.status().message());
        })
        ->capture_default_str();
}

Status check_options(const NetOptions& options) {
    if (options.precision == "int8" && options.table.empty()) {
        return Status::error(Code::kInvalidArgument, "--precision int8 needs --table");
    }
    if (options.fp16_arithmetic && options.precision != "fp16") {
        return Status::error(Code::kInvalidArgument, "--fp16-arithmetic needs --precision fp16");
    }
    return {};
}

Status load_net(const NetOptions& options, bool with_table, Net* net) {
    Option option;
    option.threads = options.threads;
    option.device = options.device;
    option.device_fallback = options.device_fallback;
    option.ignore_table_model = options.force;
    option.precision = options.precision == "float"  ? Precision::kFloat
                       : options.precision == "fp16" ? Precision::kFp16
                       : options.precision == "int8" ? Precision::kInt8
                                                     : Precision::kAuto;
    option.fp16_arithmetic = options.fp16_arithmetic;
    option.bf16_arithmetic = options.bf16_arithmetic;
    option.winograd = !options.no_winograd;
    option.split_attention = options.split_attention;
    FW_RETURN_IF_ERROR(net->set_option(option));
    if (with_table && !options.table.empty()) {
        FW_RETURN_IF_ERROR(net->load_table(options.table.c_str()));
    }
    return net->load_model(options.param.c_str(), options.bin.c_str());
}

Result<Preprocess> resolve_preprocess(const NetOptions& options, const Net& net) {
    const PreprocessOptions& given = options.preprocess;
    if (net.preprocess().known() && !(given.mean.empty() && given.norm.empty() && given.pixel.empty())) {
        return Status::error(Code::kInvalidArgument,
                             "%s stores its preprocessing: --mean, --norm and --pixel are not accepted",
                             options.param.c_str());
    }
    FW_ASSIGN_OR_RETURN(Preprocess preprocess, apply_preprocess_options(options.preprocess, net.preprocess()));
    if (!preprocess.known()) {
        return Status::error(
            Code::kInvalidArgument,
            "%s stores no preprocessing: give --pixel, --mean, --norm and --size as the network was trained",
            options.param.c_str());
    }
    const std::vector<std::string> inputs = net.input_names();
    const Shape declared = inputs.empty() ? Shape() : net.input_shape(inputs[0].c_str());
    if (preprocess.width == 0 && declared.rank == 3 && declared.w() > 0 && declared.h() > 0) {
        preprocess.width = declared.w();
        preprocess.height = declared.h();
    }
    return preprocess;
}

Status run_net(const Net& net, const Mat& input, const std::string& output, Mat* out) {
    const std::vector<std::string> inputs = net.input_names();
    if (inputs.size() != 1) {
        return Status::error(Code::kUnsupported, "the network has %zu inputs, expected one image input", inputs.size());
    }
    const std::string wanted = output.empty() ? net.output_names().back() : output;
    Extractor extractor = net.create_extractor();
    FW_RETURN_IF_ERROR(extractor.input(inputs[0].c_str(), input));
    return extractor.extract(wanted.c_str(), out);
}

Result<std::vector<std::string>> read_labels(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const std::string text, read_text_file(path));
    if (text.find('\0') != std::string::npos) {
        return Status::error(Code::kParseError, "%s: not a text file; expected one label a line", path.c_str());
    }
    std::vector<std::string> labels;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        labels.push_back(std::move(line));
        begin = end + 1;
    }
    while (!labels.empty() && labels.back().empty()) {
        labels.pop_back();
    }
    if (labels.empty()) {
        return Status::error(Code::kParseError, "%s: holds no label", path.c_str());
    }
    return labels;
}

std::vector<int> top_k(const float* values, int64_t count, int k) {
    std::vector<int> order(static_cast<size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    const auto key = [values](int i) { return std::isnan(values[i]) ? -INFINITY : values[i]; };
    const int kept = static_cast<int>(std::min<int64_t>(k, count));
    std::partial_sort(order.begin(), order.begin() + kept, order.end(),
                      [&](int a, int b) { return key(a) > key(b) || (key(a) == key(b) && a < b); });
    order.resize(static_cast<size_t>(kept));
    return order;
}

}  // namespace fw::tools
