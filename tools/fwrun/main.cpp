// fwrun NET.param NET.bin IMAGE...: any network on images or .npy inputs.
#include <chrono>
#include <cstdio>

#include "common/cli.h"
#include "common/file.h"
#include "common/image_file.h"
#include "common/net_options.h"
#include "common/npy.h"

namespace fw::tools {

namespace {

struct RunOptions {
    NetOptions net;
    std::vector<std::string> images;
    std::string input_npy;
    std::string output;
    std::string dump;
    std::string labels;
    int top = 5;
};

void print_top(const Mat& out, int top, const std::vector<std::string>& labels) {
    for (const int index : top_k(out.data(), out.count(), top)) {
        const auto i = static_cast<size_t>(index);
        std::printf("  %-6d %-10.6f %s\n", index, static_cast<double>(out.data()[i]),
                    i < labels.size() ? labels[i].c_str() : "");
    }
}

// Rows of [label, score, xmin, ymin, xmax, ymax] as detection layers write them.
void print_detections(const Mat& out, const std::vector<std::string>& labels) {
    std::printf("  %d detections\n", out.h());
    for (int y = 0; y < out.h(); ++y) {
        const float* row = out.row(y);
        const auto label = row[0] >= 0 ? static_cast<size_t>(row[0]) : labels.size();
        std::printf("  %-4.0f %-8.4f [%.4f %.4f %.4f %.4f] %s\n", static_cast<double>(row[0]),
                    static_cast<double>(row[1]), static_cast<double>(row[2]), static_cast<double>(row[3]),
                    static_cast<double>(row[4]), static_cast<double>(row[5]),
                    label < labels.size() ? labels[label].c_str() : "");
    }
}

Status run_one(const Tool& tool, const RunOptions& options, const Net& net, const Mat& input, const std::string& path,
               const std::vector<std::string>& labels) {
    const auto start = std::chrono::steady_clock::now();
    Mat out;
    Status status = run_net(net, input, options.output, &out);
    if (!status.ok()) {
        return status.with_prefix("%s", path.c_str());
    }
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (!options.dump.empty()) {
        FW_RETURN_IF_ERROR(write_npy(options.dump, out));
    }
    tool.say("%s: output %s, %.2f ms\n", path.c_str(), out.shape().str().c_str(), ms);
    if (out.shape().rank == 2 && out.w() == 6) {
        print_detections(out, labels);
    } else {
        print_top(out, options.top, labels);
    }
    return {};
}

Status run(Tool* tool, const RunOptions& options) {
    if (options.images.empty() == options.input_npy.empty()) {
        return tool->usage_error(
            Status::error(Code::kInvalidArgument, "give images or --input FILE.npy, one of the two"));
    }
    FW_RETURN_IF_ERROR(tool->usage_error(check_options(options.net)));
    if (!options.dump.empty() && options.images.size() > 1) {
        return tool->usage_error(Status::error(Code::kInvalidArgument, "--dump holds one output: give a single image"));
    }
    if (!options.dump.empty()) {
        std::vector<std::string> inputs = options.images;
        inputs.insert(inputs.end(), {options.net.param, options.net.bin});
        for (const std::string& optional : {options.net.table, options.labels, options.input_npy}) {
            if (!optional.empty()) {
                inputs.push_back(optional);
            }
        }
        FW_RETURN_IF_ERROR(tool->usage_error(check_distinct({options.dump}, inputs)));
    }
    std::vector<std::string> labels;
    if (!options.labels.empty()) {
        FW_ASSIGN_OR_RETURN(labels, read_labels(options.labels));
    }
    Net net;
    FW_RETURN_IF_ERROR(load_net(options.net, true, &net));
    if (!options.input_npy.empty()) {
        FW_ASSIGN_OR_RETURN(const Mat input, read_npy(options.input_npy));
        return run_one(*tool, options, net, input, options.input_npy, labels);
    }
    const Result<Preprocess> preprocess = resolve_preprocess(options.net, net);
    if (!preprocess.ok()) {
        return tool->usage_error(preprocess.status());
    }
    FW_ASSIGN_OR_RETURN(const Fit fit, parse_fit(options.net.preprocess.fit));
    for (const std::string& image : options.images) {
        FW_ASSIGN_OR_RETURN(const Mat input, load_input(image, *preprocess, fit));
        FW_RETURN_IF_ERROR(run_one(*tool, options, net, input, image, labels));
    }
    return {};
}

}  // namespace

}  // namespace fw::tools

int main(int argc, char** argv) {
    using namespace fw::tools;
    Tool tool("fwrun", "Runs a network on images and prints the largest outputs or the detections.",
              "  fwrun net.param net.bin cat.jpg --labels labels.txt\n"
              "  fwrun net.param net.bin cat.jpg --table net.table           in int8\n"
              "  fwrun net.param net.bin --input data.npy --output prob --dump prob.npy");
    RunOptions options;
    options.net.add_to(&tool.app());
    options.net.add_preprocess_to(&tool.app());
    tool.app().add_option("IMAGE", options.images, "Images");
    tool.app().add_option("--input", options.input_npy, "The input blob itself, float32 NCHW");
    tool.app().add_option("--output", options.output, "Blob to show (default: the network's last output)");
    tool.app().add_option("--dump", options.dump, "Write that blob as .npy");
    tool.app().add_option("--top", options.top, "How many classes to show")->check(CLI::Range(1, 1000000));
    tool.app().add_option("--labels", options.labels, "Names, one a line");
    return tool.run(argc, argv, [&] { return run(&tool, options); });
}
