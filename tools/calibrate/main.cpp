// calibrate NET.param NET.bin --images PATH --out NET.table: activation and weight scales for int8.
#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "calibrate/accuracy.h"
#include "calibrate/bias_correction.h"
#include "calibrate/collect.h"
#include "calibrate/diagnosis.h"
#include "calibrate/make_table.h"
#include "calibrate/old_spelling.h"
#include "calibrate/options.h"
#include "calibrate/preset.h"
#include "calibrate/rounding.h"
#include "calibrate/stats_file.h"
#include "common/cli.h"
#include "common/file.h"
#include "common/net_options.h"
#include "model/model_io.h"

namespace fw::tools {

namespace {

constexpr double kWorthwhile = 0.8;  // of the predicted noise: what equalization of a layer has to reach

// --part K/N: the K-th of N equal runs of the list.
Status take_part(const std::string& part, std::vector<ListedImage>* images) {
    if (part.empty()) {
        return {};
    }
    unsigned k = 0;
    unsigned n = 0;
    char behind = 0;
    if (std::sscanf(part.c_str(), "%u/%u%c", &k, &n, &behind) != 2 || k < 1 || k > n || n > images->size()) {
        return Status::error(Code::kInvalidArgument,
                             "--part %s: expected K/N with 1 <= K <= N and N no more than the %zu images", part.c_str(),
                             images->size());
    }
    const size_t all = images->size();
    *images = {images->begin() + static_cast<ptrdiff_t>(all * (k - 1) / n),
               images->begin() + static_cast<ptrdiff_t>(all * k / n)};
    return {};
}

class Calibration {
public:
    Calibration(Tool* tool, const CalibrateOptions& options)
        : tool_(tool), options_(options), start_(std::chrono::steady_clock::now()) {}

    Status run() {
        FW_RETURN_IF_ERROR(tool_->usage_error(check(options_)));
        FW_RETURN_IF_ERROR(load());
        if (!options_.save_config.empty()) {
            FW_RETURN_IF_ERROR(save_config(tool_->app(), options_.save_config));
        }
        if (!options_.collect_only.empty()) {
            FW_ASSIGN_OR_RETURN(const StatisticsFile file, collect_into_file(net_, set_, options_.collect_only));
            for (const std::string& message : file.statistics.unreadable) {
                tool_->warn("%s", message.c_str());
            }
            tool_->say("%s: %zu blobs from %d images in %.1f s\n", options_.collect_only.c_str(),
                       file.statistics.blobs.size(), file.statistics.images, seconds());
            return {};
        }
        FW_ASSIGN_OR_RETURN(const Statistics statistics, statistics_for_table());
        return write_table(statistics);
    }

private:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

    // Network, images and preprocessing.
    Status load() {
        std::vector<std::string> inputs = {options_.net.param, options_.net.bin};
        inputs.insert(inputs.end(), options_.merge.begin(), options_.merge.end());
        if (!options_.images.empty()) {
            FW_ASSIGN_OR_RETURN(set_.images, list_images(options_.images));
            inputs.push_back(options_.images);
        }
        for (const ListedImage& image : set_.images) {
            inputs.push_back(image.path);
        }
        for (const std::string& file : {options_.net.table, options_.labels}) {
            if (!file.empty()) {
                inputs.push_back(file);
            }
        }
        std::vector<std::string> outputs = options_.reports;
        for (const std::string& file : {options_.out, options_.collect_only, options_.save_config}) {
            if (!file.empty()) {
                outputs.push_back(file);
            }
        }
        FW_RETURN_IF_ERROR(tool_->usage_error(check_distinct(outputs, inputs)));
        FW_RETURN_IF_ERROR(check_folders(outputs));
        NetOptions float_net = options_.net;
        float_net.precision = "float";
        float_net.threads = 1;  // images run side by side instead
        float_net.split_attention = true;
        FW_RETURN_IF_ERROR(load_net(float_net, false, &net_));
        FW_ASSIGN_OR_RETURN(const NetDef def, load_net_def(options_.net.param.c_str(), options_.net.bin.c_str()));
        FW_RETURN_IF_ERROR(check_quantizable(def));
        set_.inputs = net_.input_names();
        if (set_.inputs.size() > 1) {
            FW_RETURN_IF_ERROR(group_by_folder(set_.inputs, &set_.images));
        }
        FW_RETURN_IF_ERROR(tool_->usage_error(take_part(options_.part, &set_.images)));
        if (options_.limit > 0 && !options_.images.empty()) {
            if (set_.images.size() < static_cast<size_t>(options_.limit)) {
                return Status::error(Code::kInvalidArgument, "--limit %d: there are only %zu images in %s%s",
                                     options_.limit, set_.images.size(),
                                     options_.part.empty() ? "" : ("part " + options_.part + " of ").c_str(),
                                     options_.images.c_str());
            }
            set_.images.resize(static_cast<size_t>(options_.limit));
        }
        if (needs_preprocess()) {
            const Result<Preprocess> preprocess = resolve_preprocess(options_.net, net_);
            if (!preprocess.ok()) {
                return tool_->usage_error(preprocess.status());
            }
            set_.preprocess = *preprocess;
        }
        FW_ASSIGN_OR_RETURN(set_.fit, parse_fit(options_.net.preprocess.fit));
        set_.threads = options_.threads;
        set_.quiet = tool_->quiet();
        set_.skip_bad = options_.skip_bad;
        return {};
    }

    // Arrays are taken as they are: nothing has to be known of how a network's images were made.
    bool needs_preprocess() const {
        const auto is_array = [](const ListedImage& image) { return names_array(image.path); };
        if (set_.images.empty() || set_.inputs.size() > 1) {
            return false;
        }
        return options_.net.preprocess.given() || net_.preprocess().known() ||
               !std::all_of(set_.images.begin(), set_.images.end(), is_array);
    }

    Result<Statistics> statistics_for_table() {
        if (options_.merge.empty()) {
            FW_ASSIGN_OR_RETURN(Statistics statistics, collect_statistics(net_, set_));
            for (const std::string& message : statistics.unreadable) {
                tool_->warn("%s", message.c_str());
            }
            return statistics;
        }
        FW_ASSIGN_OR_RETURN(StatisticsFile file, merge_files(options_.merge));
        FW_ASSIGN_OR_RETURN(const std::string hash, net_.model_hash());
        if (file.model_hash != hash) {
            return Status::error(Code::kInvalidArgument, "%s: was made with model %s, %s is %s",
                                 options_.merge[0].c_str(), file.model_hash.c_str(), options_.net.param.c_str(),
                                 hash.c_str());
        }
        FW_RETURN_IF_ERROR(check_readable(file.statistics));
        set_.preprocess = file.preprocess;
        set_.fit = file.fit;
        return std::move(file.statistics);
    }

    Status write_table(const Statistics& statistics) {
        FW_ASSIGN_OR_RETURN(const NetDef def, load_net_def(options_.net.param.c_str(), options_.net.bin.c_str()));
        FW_ASSIGN_OR_RETURN(const TableOptions choices, table_options(options_));
        ScaleTable table;
        if (options_.preset.empty()) {
            FW_ASSIGN_OR_RETURN(table, table_of_options(def, statistics, choices));
        } else {
            const PresetInputs inputs{options_.net, def, net_, set_, statistics, choices};
            Preset preset = find_preset(options_.preset);
            preset.judge = options_.judge();
            preset.max_drop = options_.max_drop;
            FW_ASSIGN_OR_RETURN(PresetResult result, run_preset(preset, inputs));
            for (const std::string& line : result.tried) {
                tool_->say("%s\n", line.c_str());
            }
            for (const std::string& note : result.notes) {
                tool_->warn("%s", note.c_str());
            }
            report(result.accuracy, result.target);
            table = std::move(result.table);
        }
        FW_RETURN_IF_ERROR(show_diagnosis(def, statistics, table));
        FW_RETURN_IF_ERROR(target_);  // after the diagnosis, which says why
        if (options_.out.empty()) {
            return {};
        }
        FW_RETURN_IF_ERROR(write_text_file(options_.out, options_.legacy() ? table.to_legacy_text() : table.to_text()));
        tool_->say("%s: %zu blobs, %zu layers from %d images in %.1f s", options_.out.c_str(), table.blobs.size(),
                   table.layers.size(), statistics.images, seconds());
        if (!statistics.unreadable.empty()) {
            tool_->say(", %zu images could not be read", statistics.unreadable.size());
        }
        tool_->say("\n");
        return {};
    }

    // The table that single options describe.
    Result<ScaleTable> table_of_options(const NetDef& def, const Statistics& statistics, const TableOptions& choices) {
        std::vector<std::string> notes;
        LayerFactors factors;
        Statistics scaled;
        if (options_.equalize) {
            FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(def));
            factors = choose_factors(graph, statistics, kWorthwhile);
            if (!factors.empty()) {
                const ChannelFactors by_blob = blob_factors(graph, factors);
                FW_ASSIGN_OR_RETURN(scaled, collect_statistics(net_, set_, &by_blob));
            }
        }
        FW_ASSIGN_OR_RETURN(ScaleTable table, make_table(def, statistics, factors, scaled, choices, &notes));
        FW_ASSIGN_OR_RETURN(table.model_hash, net_.model_hash());
        table.preprocess = set_.preprocess;
        if (!options_.net.table.empty()) {
            FW_ASSIGN_OR_RETURN(const ScaleTable given, ScaleTable::load(options_.net.table.c_str()));
            if (!given.model_hash.empty() && given.model_hash != table.model_hash) {
                return Status::error(Code::kInvalidArgument, "%s: was made for model %s, %s is %s",
                                     options_.net.table.c_str(), given.model_hash.c_str(), options_.net.param.c_str(),
                                     table.model_hash.c_str());
            }
            FW_RETURN_IF_ERROR(keep_given(def, given, &table, &notes));
            if (options_.legacy()) {
                FW_RETURN_IF_ERROR(check_legacy(table).with_prefix("%s", options_.net.table.c_str()));
            }
        }
        for (const std::string& note : notes) {
            tool_->warn("%s", note.c_str());
        }
        if (options_.round_weights) {
            FW_ASSIGN_OR_RETURN(const WeightRounder rounder, WeightRounder::create(def, net_, set_));
            FW_RETURN_IF_ERROR(rounder.round(&table, options_.bias_correction));
        }
        BiasCorrector corrector;
        if (options_.bias_correction) {
            FW_ASSIGN_OR_RETURN(corrector, BiasCorrector::create(def, set_));
            FW_RETURN_IF_ERROR(corrector.correct(&table));
        }
        if (options_.max_drop >= 0.0) {
            FW_ASSIGN_OR_RETURN(const Comparison rank, Comparison::create(options_.net, some_of(set_, kRankImages)));
            FW_ASSIGN_OR_RETURN(const Comparison check, checking(options_.net, set_, options_.judge()));
            if (!check.note().empty()) {
                tool_->warn("%s", check.note().c_str());
            }
            FW_ASSIGN_OR_RETURN(const AccuracyTarget target, drop_target(check, options_.max_drop));
            FW_ASSIGN_OR_RETURN(const auto costs, layer_costs(options_.net));
            const Finish finish = [&](ScaleTable* mixed) {
                return options_.bias_correction ? corrector.correct(mixed) : Status();
            };
            FW_ASSIGN_OR_RETURN(const AccuracyResult result, keep_accuracy(rank, check, target, costs, finish, &table));
            report(result, target);
        }
        return table;
    }

    // The path of the search; sets target_.
    void report(const AccuracyResult& accuracy, const AccuracyTarget& target) {
        tool_->say("with all layers in int8: %s; wanted: %s\n", target.text(accuracy.before).c_str(),
                   target.text().c_str());
        for (size_t i = 1; i < accuracy.path.size(); ++i) {
            tool_->say("  %s\n", accuracy.path[i].c_str());
        }
        const std::string reached = target.text(accuracy.after);
        if (!accuracy.reached) {
            target_ = Status::error(Code::kInvalidArgument,
                                    "the target was missed: %s wanted, %s reached with all but one layer in float; no "
                                    "table was written",
                                    target.text().c_str(), reached.c_str());
            return;
        }
        if (!accuracy.float_layers.empty()) {
            tool_->say("%s with these in float:", reached.c_str());
            for (const std::string& layer : accuracy.float_layers) {
                tool_->say(" %s", layer.c_str());
            }
            tool_->say("\n");
        }
    }

    // What --report and --explain ask for.
    Status show_diagnosis(const NetDef& def, const Statistics& statistics, const ScaleTable& table) const {
        if (options_.reports.empty() && options_.explain.empty()) {
            return {};
        }
        FW_ASSIGN_OR_RETURN(Diagnosis diagnosis, diagnose(options_.net, def, net_, set_, statistics, table));
        diagnosis.method = options_.preset.empty() ? options_.method : options_.preset + " preset";
        diagnosis.seconds = seconds();
        for (const std::string& path : options_.reports) {
            const bool page = path.compare(path.size() - 5, 5, ".html") == 0;
            FW_RETURN_IF_ERROR(write_text_file(path, page ? diagnosis_html(diagnosis) : diagnosis_json(diagnosis)));
        }
        if (!options_.explain.empty()) {
            FW_ASSIGN_OR_RETURN(const std::string text, explain(diagnosis, options_.explain));
            std::printf("%s", text.c_str());
        }
        return {};
    }

    Tool* tool_;
    const CalibrateOptions& options_;
    std::chrono::steady_clock::time_point start_;
    Net net_;
    ImageSet set_;
    Status target_;  // an error where --max-drop or a preset asks for more than was reached
};

// A folder that goes when the command ends.
class TemporaryFolder {
public:
    TemporaryFolder() = default;
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        if (!path_.empty()) {
            std::error_code ignored;
            std::filesystem::remove_all(path_, ignored);
        }
    }
    Result<std::string> create() {
        std::error_code error;
        std::string name = (std::filesystem::temp_directory_path(error) / "calibrate-XXXXXX").string();
        if (error || mkdtemp(name.data()) == nullptr) {
            return Status::error(Code::kIoError, "%s: cannot make a temporary folder", name.c_str());
        }
        path_ = name;
        return name;
    }

private:
    std::string path_;
};

int run_old_spelling(int argc, char** argv) {
    Tool tool("calibrate", "The command line of caffe-int8-convert-tools: a legacy table for a Caffe network.",
              "  calibrate --proto deploy.prototxt --model net.caffemodel --mean 104 117 123 --norm 1 --images photos/ "
              "--output net.table");
    OldOptions old;
    add_old_options(&tool.app(), &old);
    return tool.run(argc, argv, [&]() -> Status {
        TemporaryFolder folder;
        FW_ASSIGN_OR_RETURN(const std::string path, folder.create());
        FW_RETURN_IF_ERROR(tool.usage_error(check_distinct({old.output}, {old.proto, old.model, old.images})));
        FW_ASSIGN_OR_RETURN(const CalibrateOptions options, translate(old, path));
        return Calibration(&tool, options).run();
    });
}

}  // namespace

}  // namespace fw::tools

int main(int argc, char** argv) {
    using namespace fw::tools;
#ifdef M_MMAP_THRESHOLD
    // Blobs and images of every size come and go on all threads: left to itself, malloc keeps ever larger ones in its
    // heaps, which then grow with the number of images (a third of the peak with 8 threads).
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
    if (is_old_spelling(argc, argv)) {
        return run_old_spelling(argc, argv);
    }
    Tool tool("calibrate", "Finds the int8 scales of a network from sample images and writes a scale table.",
              "  calibrate net.param net.bin --images photos/ --out net.table\n"
              "  calibrate net.param net.bin --images list.txt --limit 200 --out net.table\n"
              "  calibrate net.param net.bin --images photos/ --preset accuracy --out net.table\n"
              "  calibrate net.param net.bin --images photos/ --max-drop 5 --out net.table\n"
              "  calibrate net.param net.bin --images list.txt --labels list.txt --max-drop 0.5 --out net.table\n"
              "  calibrate net.param net.bin --images photos/ --report net.html --out net.table\n"
              "  calibrate net.param net.bin --table old.table --images photos/ --bias-correction --out net.table\n"
              "  calibrate net.param net.bin --images photos/ --part 1/2 --collect-only a.stats\n"
              "  calibrate net.param net.bin --merge a.stats b.stats --out net.table\n"
              "  calibrate net.param net.bin --images photos/ --mean 104,117,123 --pixel BGR --out net.table --format "
              "legacy\n"
              "  calibrate --proto net.prototxt --model net.caffemodel --mean 104 117 123 --images photos/ --output "
              "net.table");
    CalibrateOptions options;
    add_options(&tool.app(), &options);
    const fw::Result<std::vector<std::string>> given = with_config(tool.app(), argc, argv);
    if (!given.ok()) {
        std::fprintf(stderr, "error: %s\n", given.status().message());
        return kExitFailure;
    }
    std::vector<std::string> words = *given;
    words.insert(words.begin(), argv[0]);
    std::vector<char*> arguments;
    arguments.reserve(words.size());
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    return tool.run(static_cast<int>(arguments.size()), arguments.data(),
                    [&] { return Calibration(&tool, options).run(); });
}
