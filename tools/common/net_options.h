// Options of the tools that run a network: --table --threads --precision --device and the way they load it.
#pragma once

#include <string>

#include "common/cli_fwd.h"
#include "common/preprocess_options.h"
#include "fw/net.h"

namespace fw::tools {

struct NetOptions {
    std::string param;
    std::string bin;
    std::string table;
    std::string precision = "auto";
    std::string device = "cpu";
    int threads = 1;
    bool fp16_arithmetic = false;
    bool bf16_arithmetic = false;
    bool no_winograd = false;
    bool device_fallback = false;
    bool force = false;
    bool split_attention = false;  ///< Option::split_attention; no option of a command
    PreprocessOptions preprocess;

    /// Adds NET.param NET.bin to a command; `add_to` adds --table, --precision, --fp16-arithmetic, --threads, --device
    /// and --force as well.
    void add_files_to(CLI::App* app);
    void add_to(CLI::App* app);
    void add_preprocess_to(CLI::App* app);
};

/// An error where options contradict each other: int8 without a table.
Status check_options(const NetOptions& options);

/// Table (when one is given and `with_table`), then model. Errors name the file.
Status load_net(const NetOptions& options, bool with_table, Net* net);

/// The model's preprocessing. --size may replace its size; the other options stand in only where the model stores none,
/// and are an error where it does. A model without any, and no options, is an error that says what to give. The size
/// falls back to the declared shape of the input.
Result<Preprocess> resolve_preprocess(const NetOptions& options, const Net& net);

/// Runs one input Mat through `output` ("" = the last output). A net of several inputs gets the Mat in its first one;
/// an "im_info"-like second input is an error that says so.
Status run_net(const Net& net, const Mat& input, const std::string& output, Mat* out);

/// One label a line; blank lines at the end do not count.
Result<std::vector<std::string>> read_labels(const std::string& path);

/// Indices of the k largest values, largest first, ties by index; NaN counts as smallest.
std::vector<int> top_k(const float* values, int64_t count, int k);

}  // namespace fw::tools
