// What quantization does to every layer: figures, histograms, and the reports made of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibrate/collect.h"
#include "common/net_options.h"
#include "fw/table.h"
#include "model/net_def.h"

namespace fw::tools {

/// A layer of the float graph after its passes, by its first output blob.
struct LayerDiagnosis {
    std::string name;
    std::string type;
    std::string blob;
    std::string precision;  ///< "int8" or "float": how the network with the table computes it
    QuantParams quant;      ///< of the blob; not known() where the table has none
    float lo = 0.0F;        ///< range that the scale holds
    float hi = 0.0F;
    float min = 0.0F;  ///< range of the calibration images
    float max = 0.0F;
    double clipped_percent = 0.0;  ///< values beyond the range, of all, zeros included
    /// Against the float network, everything in front quantized too; 200 where the values are equal, none where the
    /// int8 network does not compute the blob by itself.
    std::optional<double> sqnr_db;
    std::optional<double> cosine;
    double weight_spread = 0.0;    ///< largest |w| of all output channels / smallest but 0; 0 = no weights
    int dead_channels = 0;         ///< output channels whose weights are all 0
    std::vector<uint64_t> counts;  ///< over kShownBins bins of [min, max], zeros left out
};

struct ImageDiagnosis {
    std::string path;
    double sqnr_db = 0.0;  ///< of the network's answers
};

struct Diagnosis {
    std::string net;
    std::string method;
    int images = 0;  ///< calibrated with
    double seconds = 0.0;
    std::vector<LayerDiagnosis> layers;  ///< in the order of the network
    std::vector<ImageDiagnosis> worst;   ///< of those compared, worst first
};

/// Compares the int8 network that `table` makes with the float network over at most kDiagnosedImages images of `set`.
Result<Diagnosis> diagnose(const NetOptions& files, const NetDef& def, const Net& float_net, const ImageSet& set,
                           const Statistics& statistics, const ScaleTable& table);
constexpr size_t kDiagnosedImages = 32;
constexpr int kShownBins = 96;
constexpr size_t kShownImages = 12;

/// For programs; docs/calibrate.md shows the keys.
std::string diagnosis_json(const Diagnosis& diagnosis);
/// One page that needs nothing else.
std::string diagnosis_html(const Diagnosis& diagnosis);
/// Several lines of text about the layer; an error where there is none of that name, which names a similar one.
Result<std::string> explain(const Diagnosis& diagnosis, const std::string& layer);

}  // namespace fw::tools
