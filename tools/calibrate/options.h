// The command line of calibrate: its options and the JSON form of them.
#pragma once

#include <string>
#include <vector>

#include "calibrate/likeness.h"
#include "calibrate/make_table.h"
#include "common/cli_fwd.h"
#include "common/net_options.h"

namespace fw::tools {

struct CalibrateOptions {
    NetOptions net;
    std::string images;
    std::string out;
    std::string collect_only;
    std::vector<std::string> merge;
    std::string part;
    std::string preset;
    std::string method = "kl";
    std::string format = "fw";
    std::string labels;
    std::string task = "classify";
    std::vector<std::string> reports;
    std::string explain;
    std::string config;
    std::string save_config;
    double percentile = 99.99;
    int limit = 0;
    int threads = 0;
    bool symmetric = false;
    bool equalize = false;
    bool mse_weights = false;
    bool bias_correction = false;
    bool round_weights = false;
    bool skip_bad = false;
    bool layer_scales = false;  // one weight scale a layer: --group 0 of the old command line
    double max_drop = -1.0;     // not asked for

    bool legacy() const { return format == "legacy"; }
    Judge judge() const { return {task_named(task), labels}; }
};

void add_options(CLI::App* app, CalibrateOptions* options);

/// An error where options contradict each other or lack something.
Status check(const CalibrateOptions& options);
Result<TableOptions> table_options(const CalibrateOptions& options);

/// The arguments without the program's name, and what `--config FILE.json` adds to them: a JSON object whose keys are
/// long options without dashes (and NET.param, NET.bin), whose values are texts, numbers, true for a flag, or lists of
/// them. Options on the command line go before those of the file; so do its NET.param and NET.bin, if they are its
/// first arguments. Errors name file and key: one that is no option of `app`, a value that is no word of its kind.
Result<std::vector<std::string>> with_config(const CLI::App& app, int argc, char** argv);
/// Writes the options that were parsed, as with_config reads them.
Status save_config(const CLI::App& app, const std::string& path);

}  // namespace fw::tools
