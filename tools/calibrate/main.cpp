// calibrate NET.param NET.bin --images PATH --out NET.table: activation and weight scales for int8.
#include <chrono>
#include <climits>

#include "calibrate/accuracy.h"
#include "calibrate/collect.h"
#include "calibrate/make_table.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/net_options.h"
#include "model/model_io.h"

namespace fw::tools {

namespace {

struct CalibrateOptions {
    NetOptions net;
    std::string images;
    std::string out;
    std::string method = "kl";
    std::string format = "fw";
    double percentile = 99.99;
    int limit = 0;
    int threads = 0;
    bool symmetric = false;
    bool equalize = false;
    bool mse_weights = false;
    double max_drop = -1.0;  // not asked for
};

constexpr double kWorthwhile = 0.8;  // of the predicted noise: what equalization of a layer has to reach

bool is_legacy(const CalibrateOptions& options) {
    return options.format == "legacy";
}

Result<TableOptions> table_options(const CalibrateOptions& options) {
    TableOptions out;
    if (!find_method(options.method, &out.threshold.method)) {
        return Status::error(Code::kInvalidArgument, "--method %s: no such method", options.method.c_str());
    }
    out.threshold.symmetric = options.symmetric || is_legacy(options);
    out.threshold.percentile = options.percentile;
    out.mse_weights = options.mse_weights;
    return out;
}

Status calibrate(Tool* tool, const CalibrateOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    if (options.equalize && is_legacy(options)) {
        return tool->usage_error(
            Status::error(Code::kInvalidArgument, "--equalize: the legacy format has no word for factors of channels"));
    }
    if (options.max_drop >= 0.0 && is_legacy(options)) {
        return tool->usage_error(
            Status::error(Code::kInvalidArgument, "--max-drop: the legacy format has no word for a layer in float"));
    }
    FW_ASSIGN_OR_RETURN(std::vector<ListedImage> images, list_images(options.images));
    std::vector<std::string> inputs = {options.net.param, options.net.bin, options.images};
    for (const ListedImage& image : images) {
        inputs.push_back(image.path);
    }
    FW_RETURN_IF_ERROR(tool->usage_error(check_distinct({options.out}, inputs)));
    if (options.limit > 0 && images.size() > static_cast<size_t>(options.limit)) {
        images.resize(static_cast<size_t>(options.limit));
    }
    Net net;
    NetOptions float_net = options.net;
    float_net.precision = "float";
    float_net.threads = 1;  // images run side by side instead
    FW_RETURN_IF_ERROR(load_net(float_net, false, &net));
    const Result<Preprocess> preprocess = resolve_preprocess(options.net, net);
    if (!preprocess.ok()) {
        return tool->usage_error(preprocess.status());
    }
    ImageSet set;
    set.images = std::move(images);
    set.preprocess = *preprocess;
    set.threads = options.threads;
    set.quiet = tool->quiet();
    FW_ASSIGN_OR_RETURN(const Statistics statistics, collect_statistics(net, set));
    for (const std::string& message : statistics.unreadable) {
        tool->warn("%s", message.c_str());
    }

    FW_ASSIGN_OR_RETURN(const NetDef def, load_net_def(options.net.param.c_str(), options.net.bin.c_str()));
    std::vector<std::string> notes;
    LayerFactors factors;
    Statistics scaled;
    if (options.equalize) {
        FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(def));
        factors = choose_factors(graph, statistics, kWorthwhile);
        if (!factors.empty()) {
            const ChannelFactors by_blob = blob_factors(graph, factors);
            FW_ASSIGN_OR_RETURN(scaled, collect_statistics(net, set, &by_blob));
        }
    }
    FW_ASSIGN_OR_RETURN(const TableOptions choices, table_options(options));
    FW_ASSIGN_OR_RETURN(ScaleTable table, make_table(def, statistics, factors, scaled, choices, &notes));
    FW_ASSIGN_OR_RETURN(table.model_hash, net.model_hash());
    table.preprocess = *preprocess;
    if (options.max_drop >= 0.0) {
        FW_ASSIGN_OR_RETURN(const AccuracyResult accuracy, keep_accuracy(options.net, set, options.max_drop, &table));
        tool->say("agreement with float: %.1f %% with all layers in int8", accuracy.before.agreement);
        if (!accuracy.float_layers.empty()) {
            tool->say(", %.1f %% with these in float:", accuracy.after.agreement);
            for (const std::string& layer : accuracy.float_layers) {
                tool->say(" %s", layer.c_str());
            }
        }
        tool->say("\n");
    }
    for (const std::string& note : notes) {
        tool->warn("%s", note.c_str());
    }
    FW_RETURN_IF_ERROR(write_text_file(options.out, is_legacy(options) ? table.to_legacy_text() : table.to_text()));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    tool->say("%s: %zu blobs, %zu layers from %d images in %.1f s", options.out.c_str(), table.blobs.size(),
              table.layers.size(), statistics.images, seconds);
    if (!statistics.unreadable.empty()) {
        tool->say(", %zu images could not be read", statistics.unreadable.size());
    }
    tool->say("\n");
    return {};
}

}  // namespace

}  // namespace fw::tools

int main(int argc, char** argv) {
    using namespace fw::tools;
    Tool tool("calibrate", "Finds the int8 scales of a network from sample images and writes a scale table.",
              "  calibrate net.param net.bin --images photos/ --out net.table\n"
              "  calibrate net.param net.bin --images list.txt --limit 200 --out net.table\n"
              "  calibrate net.param net.bin --images photos/ --max-drop 5 --out net.table\n"
              "  calibrate net.param net.bin --images photos/ --mean 104,117,123 --pixel BGR --out net.table --format "
              "legacy");
    CalibrateOptions options;
    options.net.add_files_to(&tool.app());
    options.net.add_preprocess_to(&tool.app());
    tool.app()
        .add_option("--images", options.images, "Folder, list file or image; .npy inputs are taken as they are")
        ->required();
    tool.app().add_option("--out", options.out, "Table to write")->required();
    tool.app()
        .add_option("--method", options.method,
                    "Range of activations: kl (least information loss), minmax (clip nothing), moving-minmax, "
                    "percentile, mse (least square error) or aciq (analytic)")
        ->check(CLI::IsMember({"kl", "minmax", "moving-minmax", "percentile", "mse", "aciq"}))
        ->capture_default_str();
    tool.app()
        .add_option("--percentile", options.percentile, "Share of values kept by --method percentile, in percent")
        ->check(CLI::Range(50.0, 100.0))
        ->capture_default_str();
    tool.app().add_flag("--symmetric", options.symmetric, "Zero point 0 for every blob");
    tool.app().add_flag("--equalize", options.equalize,
                        "Balance the channels of blobs between layers with weights (a second pass)");
    tool.app()
        .add_option(
            "--max-drop", options.max_drop,
            "Keep as few layers float as needed for the class of at most this share of the images to differ from "
            "float's, in percent; for classifiers")
        ->check(CLI::Range(0.0, 100.0));
    tool.app().add_flag("--mse-weights", options.mse_weights, "Weight scales of least square error, not 127 / max|w|");
    tool.app()
        .add_option("--format", options.format,
                    "fw (scale of every blob) or legacy (as caffe-int8-convert-tools writes it)")
        ->check(CLI::IsMember({"fw", "legacy"}));
    tool.app().add_option("--limit", options.limit, "Use at most N images")->check(CLI::Range(1, INT_MAX));
    tool.app()
        .add_option("--threads", options.threads, "Images run side by side, 0 = all cores")
        ->check(CLI::Range(0, 1024));
    return tool.run(argc, argv, [&] { return calibrate(&tool, options); });
}
