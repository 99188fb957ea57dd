#include "calibrate/options.h"

#include <climits>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/parallel.h"
#include "common/cli.h"
#include "common/file.h"

namespace fw::tools {

namespace {

using Json = nlohmann::ordered_json;

Status wrong(const char* message) {
    return Status::error(Code::kInvalidArgument, "%s", message);
}

// The text of one value of a configuration.
Result<std::string> value_text(const Json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    if (value.is_number()) {
        return value.dump();
    }
    return Status::error(Code::kParseError, "is %s, expected a text, a number, true or a list of these",
                         value.dump().c_str());
}

// `--key value...` of one entry; nothing for a flag that is false.
Status append_entry(const std::string& key, const Json& value, std::vector<std::string>* arguments) {
    if (value.is_boolean()) {
        if (value.get<bool>()) {
            arguments->push_back("--" + key);
        }
        return {};
    }
    const bool positional = key == "NET.param" || key == "NET.bin";
    if (!positional) {
        arguments->push_back("--" + key);
    }
    for (const Json& one : value.is_array() ? value : Json::array({value})) {
        FW_ASSIGN_OR_RETURN(std::string text, value_text(one));
        arguments->push_back(std::move(text));
    }
    return {};
}

}  // namespace

void add_options(CLI::App* app, CalibrateOptions* options) {
    options->net.add_files_to(app);
    app->add_option("--table", options->net.table,
                    "Begin with this table (legacy ones too): its scales stay, what it lacks is added");
    options->net.add_preprocess_to(app);
    app->add_option("--images", options->images, "Folder, list file or image; .npy inputs are taken as they are");
    app->add_option("--out", options->out, "Table to write");
    app->add_option("--collect-only", options->collect_only,
                    "Count what the blobs hold into this file, write no table; goes on where it was interrupted");
    app->add_option("--merge", options->merge, "Files of --collect-only to make the table of, instead of --images");
    app->add_option("--part", options->part, "K/N: only the K-th of N equal parts of the images");
    app->add_flag("--skip-bad", options->skip_bad, "Leave out images that cannot be read, naming them");
    app->add_option("--method", options->method,
                    "Range of activations: kl (least information loss), minmax (clip nothing), moving-minmax, "
                    "percentile, mse (least square error) or aciq (analytic)")
        ->check(CLI::IsMember({"kl", "minmax", "moving-minmax", "percentile", "mse", "aciq"}))
        ->capture_default_str();
    app->add_option("--preset", options->preset,
                    "performance (quick and good) or accuracy (everything that helps): chosen by the error measured on "
                    "the images, float layers where needed")
        ->check(CLI::IsMember({"performance", "accuracy"}));
    app->add_flag("--bias-correction", options->bias_correction,
                  "Correct the biases by what int8 adds to each channel's mean");
    app->add_flag("--round-weights", options->round_weights,
                  "Round each weight up or down by the error at the layer's output, not to the nearest");
    app->add_option("--percentile", options->percentile, "Share of values kept by --method percentile, in percent")
        ->check(CLI::Range(50.0, 100.0))
        ->capture_default_str();
    app->add_flag("--symmetric", options->symmetric, "Zero point 0 for every blob");
    app->add_flag("--equalize", options->equalize,
                  "Balance the channels of blobs between layers with weights (a second pass)");
    app->add_option("--max-drop", options->max_drop,
                    "Keep as few layers float as needed to lose at most this many points of --labels' figure; without "
                    "labels, to differ from the float network in at most this share of the answers")
        ->check(CLI::Range(0.0, 100.0));
    app->add_option("--labels", options->labels, "What the images show, as fweval reads it: for --max-drop");
    app->add_option("--task", options->task, "What the output is: classify, detect or segment")
        ->check(CLI::IsMember({"classify", "detect", "segment"}))
        ->capture_default_str();
    app->add_flag("--mse-weights", options->mse_weights, "Weight scales of least square error, not 127 / max|w|");
    app->add_option("--format", options->format,
                    "fw (scale of every blob) or legacy (as caffe-int8-convert-tools writes it)")
        ->check(CLI::IsMember({"fw", "legacy"}));
    app->add_option("--report", options->reports, "Diagnosis of every layer: FILE.html (one page) or FILE.json");
    app->add_option("--explain", options->explain, "Print the diagnosis of this layer");
    app->add_option("--limit", options->limit, "Use the first N images; fewer are an error")
        ->check(CLI::Range(1, INT_MAX));
    app->add_option("--threads", options->threads, "Images run side by side, 0 = all cores")
        ->check(CLI::Range(0, 1024));
    app->add_option("--config", options->config, "Options from this JSON file; those of the command line replace them");
    app->add_option("--save-config", options->save_config, "Write the options of this run as such a file");
}

Status check(const CalibrateOptions& options) {
    const bool diagnosis = !options.reports.empty() || !options.explain.empty();
    if (options.images.empty() && options.merge.empty()) {
        return wrong("--images is required");
    }
    if (!options.out.empty() && !options.collect_only.empty()) {
        return wrong("--out is for the table, --collect-only for statistics without one: give one of them");
    }
    if (options.out.empty() && options.collect_only.empty() && !diagnosis) {
        return wrong(
            "give --out for the table, --report or --explain for a diagnosis, or --collect-only for statistics");
    }
    if (!options.collect_only.empty() && !options.merge.empty()) {
        return wrong("--collect-only counts images, --merge takes what was counted: give one of them");
    }
    if (!options.collect_only.empty() && diagnosis) {
        return wrong("--report and --explain need a table, --collect-only makes none");
    }
    const bool runs =
        options.equalize || options.bias_correction || options.max_drop >= 0.0 || !options.preset.empty() || diagnosis;
    if (options.images.empty() && runs) {
        return wrong(
            "--preset, --equalize, --bias-correction, --round-weights, --max-drop, --report and --explain run the "
            "network: give --images beside --merge");
    }
    if (!options.labels.empty() && options.max_drop < 0.0) {
        return wrong("--labels is for --max-drop: give the points that may be lost");
    }
    if (!options.net.table.empty() && (!options.preset.empty() || options.equalize)) {
        return wrong("--table keeps scales that --preset and --equalize would choose: give one of them");
    }
    if (std::isnan(options.percentile) || std::isnan(options.max_drop)) {
        return wrong("--percentile and --max-drop are numbers, not nan");
    }
    const CalibrateOptions untouched;
    if (options.percentile != untouched.percentile && options.method != "percentile") {
        return wrong("--percentile is for --method percentile");
    }
    if (options.method != untouched.method && !options.preset.empty()) {
        return wrong("--preset chooses the method: leave --method out");
    }
    if (!options.merge.empty() &&
        (options.net.preprocess.given() || options.net.preprocess.fit != untouched.net.preprocess.fit)) {
        return wrong(
            "--merge: the statistics say how images are prepared; leave --mean, --norm, --size, --pixel and --fit out");
    }
    if (options.images.empty() && (options.limit > 0 || !options.part.empty())) {
        return wrong("--limit and --part choose among --images");
    }
    const std::pair<bool, const char*> beyond_legacy[] = {
        {options.equalize, "--equalize: the legacy format has no word for factors of channels"},
        {options.bias_correction, "--bias-correction: the legacy format has no word for biases"},
        {options.round_weights, "--round-weights: the legacy format has no word for a weight's rounding"},
        {options.max_drop >= 0.0, "--max-drop: the legacy format has no word for a layer in float"},
        {!options.preset.empty(), "--preset: the legacy format cannot hold what it chooses"},
    };
    for (const auto& [given, message] : beyond_legacy) {
        if (given && options.legacy()) {
            return wrong(message);
        }
    }
    for (const std::string& report : options.reports) {
        const size_t dot = report.rfind('.');
        const std::string ending = dot == std::string::npos ? "" : report.substr(dot);
        if (ending != ".html" && ending != ".json") {
            return Status::error(Code::kInvalidArgument, "--report %s: expected FILE.html or FILE.json",
                                 report.c_str());
        }
    }
    return {};
}

Result<TableOptions> table_options(const CalibrateOptions& options) {
    TableOptions out;
    if (!find_method(options.method, &out.threshold.method)) {
        return Status::error(Code::kInvalidArgument, "--method %s: no such method", options.method.c_str());
    }
    out.threshold.symmetric = options.symmetric || options.legacy();
    out.threshold.percentile = options.percentile;
    out.threshold.least_for_kl = kEnoughForKl;
    out.mse_weights = options.mse_weights;
    out.layer_scales = options.layer_scales;
    out.threads = options.threads > 0 ? options.threads : hardware_threads();
    return out;
}

Result<std::vector<std::string>> with_config(const CLI::App& app, int argc, char** argv) {
    const std::vector<std::string> given(argv + std::min(argc, 1), argv + argc);
    std::string path;
    std::set<std::string> said;
    size_t files = 0;  // arguments in front of the first option are NET.param and NET.bin
    for (size_t i = 0; i < given.size(); ++i) {
        if (given[i].compare(0, 2, "--") != 0) {
            files += said.empty() ? 1 : 0;
            continue;
        }
        const size_t equals = given[i].find('=');
        const std::string key = given[i].substr(2, equals == std::string::npos ? equals : equals - 2);
        said.insert(key);
        if (key == "config") {
            path = equals != std::string::npos ? given[i].substr(equals + 1) : i + 1 < given.size() ? given[i + 1] : "";
        }
    }
    if (path.empty()) {
        return given;
    }
    FW_ASSIGN_OR_RETURN(const std::string text, read_text_file(path));
    Json config;
    try {
        config = Json::parse(text);
    } catch (const Json::parse_error& error) {
        const std::string what = error.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
        return Status::error(Code::kParseError, "%s: %s", path.c_str(), what.substr(what.find("] ") + 2).c_str());
    }
    if (!config.is_object()) {
        return Status::error(Code::kParseError, "%s: is no JSON object of options", path.c_str());
    }
    std::vector<std::string> arguments;
    for (const char* file : {"NET.param", "NET.bin"}) {
        if (files == 0 && config.contains(file)) {
            FW_RETURN_IF_ERROR(
                append_entry(file, config[file], &arguments).with_prefix("%s: '%s'", path.c_str(), file));
        }
    }
    arguments.insert(arguments.end(), given.begin(), given.end());
    for (const auto& [key, value] : config.items()) {
        if (key == "config") {
            return Status::error(Code::kParseError, "%s: 'config': one file of options cannot name another",
                                 path.c_str());
        }
        if (key == "NET.param" || key == "NET.bin") {
            continue;
        }
        const CLI::Option* option = app.get_option_no_throw("--" + key);
        if (option == nullptr) {
            return Status::error(Code::kParseError, "%s: '%.80s': no such option", path.c_str(), key.c_str());
        }
        if ((option->get_expected_max() == 0) != value.is_boolean()) {
            return Status::error(Code::kParseError, "%s: '%s': is %.80s, expected %s", path.c_str(), key.c_str(),
                                 value.dump(-1, ' ', false, Json::error_handler_t::replace).c_str(),
                                 value.is_boolean() ? "a text, a number or a list of these" : "true or false");
        }
        if (said.count(key) != 0) {
            continue;
        }
        FW_RETURN_IF_ERROR(append_entry(key, value, &arguments).with_prefix("%s: '%s'", path.c_str(), key.c_str()));
    }
    return arguments;
}

Status save_config(const CLI::App& app, const std::string& path) {
    Json config = Json::object();
    for (const CLI::Option* option : app.get_options()) {
        const std::string name = option->get_single_name();
        if (option->count() == 0 || name == "config" || name == "save-config") {
            continue;
        }
        const std::vector<std::string>& values = option->results();
        if (option->get_expected_max() == 0) {
            config[name] = true;
        } else if (values.size() == 1) {
            config[name] = values[0];
        } else {
            config[name] = values;
        }
    }
    return write_text_file(path, config.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace fw::tools
