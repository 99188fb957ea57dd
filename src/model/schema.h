// LayerSchema: the one description of a layer type's parameters and weight blobs. The reader checks files against it,
// the writer omits defaults by it, layers read their parameters through it, docs/layers.md is generated from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fw/param_dict.h"
#include "fw/span.h"
#include "fw/status.h"

namespace fw {

enum class ParamKind : uint8_t { kInt, kFloat, kInts, kFloats, kString };

/// One parameter. A default is a number, or the value of another id (kernel_h = kernel_w).
struct ParamSpec {
    int id = 0;
    const char* key = "";  ///< the field's name for it
    ParamKind kind = ParamKind::kInt;
    double default_number = 0;
    int default_id = -1;  ///< take the value of this id instead; -1 = use default_number
    const char* doc = "";
};

/// One weight blob of a layer with given parameters.
struct BlobSpec {
    const char* name = "";
    int64_t count = 0;
    bool flagged = false;  ///< begins with a storage tag; otherwise raw float32
};

/// What int8 means for a layer type (docs/int8-contract.md). The propagate_int8 pass knows nothing else of a type.
enum class QuantRule : uint8_t {
    kFloat,     ///< float only
    kWeighted,  ///< has int8 weights: needs input and weight scales; writes int8 (output scale known) or float
    kMove,      ///< only moves, drops or repeats elements, takes a maximum or interpolates: output scale = input scale,
                ///< int8 or float alike
    kUnify,     ///< moves elements of several inputs into one output (Concat): all get the output's scale
    kClamp,     ///< piecewise linear with slope 0 or 1 (ReLU, Clip): int8 in its input's scale by clamping
    kArith,     ///< own integer formula from its inputs' scales to its output's scale (sums, products, averages)
    kPointwise,  ///< element by element: a 256-entry table from the input's scale to the output's
    kReader,     ///< int8 in, and float out or, where the output's scale is known and an int8 layer reads it, int8
                 ///< (Softmax)
    kConstant,   ///< no inputs, values known at load: quantized then, in the table's scale or that of their own range
};

/// Which of a layer's blobs may be float16 (docs/runtime.md).
enum class HalfUse : uint8_t {
    kNone,
    kSame,  ///< all inputs and outputs, or none
    kEach,  ///< the input, the output, both or neither
};
/// Only 64-bit ARM has kernels that take float16 blobs; elsewhere the layers' code for them is built for its tests.
#if !defined(FW_MINSIZE) && (defined(__aarch64__) || defined(FW_HALF_BLOBS))
constexpr bool kHasHalfBlobs = true;
#else
constexpr bool kHasHalfBlobs = false;
#endif

struct LayerSchema {
    const char* type = "";
    Span<const ParamSpec> params;
    /// Weight blobs in file order for these parameters. Returns an error (without file, line or layer name, the caller
    /// adds them) for counts that are negative or contradict each other. nullptr = none.
    Status (*blobs)(const class Params& params, std::vector<BlobSpec>* out) = nullptr;
    int min_inputs = 1, max_inputs = 1;  ///< max -1 = any number
    int min_outputs = 1, max_outputs = 1;
    QuantRule quant = QuantRule::kFloat;
    const char* doc = "";  ///< one line
    /// For types whose rule depends on their parameters (Pooling: max or average); nullptr = `quant` always.
    QuantRule (*quant_rule)(const class Params& params) = nullptr;

    /// The rule for a layer with these parameters.
    QuantRule rule(const class Params& p) const { return quant_rule != nullptr ? quant_rule(p) : quant; }
};

/// A ParamDict seen through its schema: the same getters everywhere, defaults in one place.
class Params {
public:
    Params(const LayerSchema& schema, const ParamDict& dict) : schema_(&schema), dict_(&dict) {}
    int i(int id) const;
    float f(int id) const;
    std::vector<int> ints(int id) const;
    std::vector<float> floats(int id) const;
    std::string s(int id) const;
    bool has(int id) const { return dict_->has(id); }
    const LayerSchema& schema() const { return *schema_; }

private:
    const ParamSpec& spec(int id) const;
    const LayerSchema* schema_;
    const ParamDict* dict_;
};

/// nullptr for a type that no schema describes, or whose layer FW_LAYERS left out of this build.
const LayerSchema* find_schema(const std::string& type);
/// Whether FW_LAYERS left that layer type out.
bool is_left_out(const std::string& type);
/// Every schema, sorted by type name.
Span<const LayerSchema* const> all_schemas();
/// The parameter of that id, or nullptr.
const ParamSpec* find_param(const LayerSchema& schema, int id);
/// "int", "float", "ints", "floats" or "string".
const char* name(ParamKind kind);
const char* name(QuantRule rule);

}  // namespace fw
