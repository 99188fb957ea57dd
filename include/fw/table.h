// ScaleTable: activation and weight scales of a network, read from and written to .table files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fw/export.h"
#include "fw/image.h"
#include "fw/span.h"
#include "fw/status.h"

namespace fw {

/// Affine quantization of a blob: q = round(x * scale) + zero_point. scale 0 = unknown.
struct QuantParams {
    float scale = 0.0F;
    int32_t zero_point = 0;

    bool known() const { return scale != 0.0F; }
    bool operator==(const QuantParams& other) const { return scale == other.scale && zero_point == other.zero_point; }
    bool operator!=(const QuantParams& other) const { return !(*this == other); }
};

/// What a table says. Two formats (docs/table-format.md): legacy lines `LAYER s` (scale of that layer's input blob) and
/// `LAYER_param_0 s s ...` (weight scales), as caffe-int8-convert-tools and ncnn write them; and Featherweight's own,
/// which names blobs, carries zero points and a precision a layer.
struct FW_EXPORT ScaleTable {
    enum class LayerPrecision : uint8_t { kUnset, kInt8, kFloat };
    struct LayerEntry {
        std::vector<float>
            weight_scales;  ///< one for each output channel; 0 = dead channel; empty = derive from the weights
        QuantParams input;  ///< of the layer's first input blob (legacy lines)
        LayerPrecision precision = LayerPrecision::kUnset;
        std::vector<float> equalize;    ///< factors of the output channels, which the readers' weights take back
        std::vector<float> bias_delta;  ///< added to the bias of each output channel
        /// One a weight, in their order: it becomes floor(w * scale) + (0 or 1) instead of the nearest; empty = nearest
        std::vector<bool> round_up;
        int line = 0;  ///< where the table names the layer first, for messages
    };

    std::map<std::string, LayerEntry> layers;
    std::map<std::string, QuantParams> blobs;
    std::string model_hash;  ///< Net::model_hash() of the model the table was made for; "" = not said
    Preprocess preprocess;   ///< what calibration fed the network; kNone = not said
    std::string source;      ///< file name, for messages

    bool empty() const { return layers.empty() && blobs.empty(); }

    /// Parses text. Errors name source, line and value: a scale that is inf, nan, negative or not a number, a layer
    /// named twice with different values, a zero activation scale. `source` is the name used in messages.
    static Result<ScaleTable> parse(Span<const char> text, const char* source);
    static Result<ScaleTable> load(const char* path);
    /// Text of the table; both forms read back to an equal table as far as the format can say it: the legacy form holds
    /// weight scales and the layers' input scales, no blobs, zero points, precisions or preprocessing.
    std::string to_text() const;
    std::string to_legacy_text() const;
};

}  // namespace fw
