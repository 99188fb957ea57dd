// What a layer costs in int8 and in float: the figures behind Precision::kAuto.
#pragma once

#include <cstdint>
#include <vector>

#include "base/isa.h"
#include "graph/precision_cut.h"
#include "runtime/program.h"

namespace fw {

/// What the time of a layer is proportional to.
enum class WorkKind : uint8_t {
    kNothing,    ///< a view, or shapes only
    kGemm,       ///< multiply-accumulates of convolutions, channels rounded up to what the kernels work on
    kDepthwise,  ///< multiply-accumulates
    kWeights,    ///< weights that are read once: inner products, convolutions of a pixel
    kWindow,     ///< elements that pooling windows cover
    kElement,    ///< elements in and out
};
constexpr int kWorkKinds = 6;

struct Work {
    WorkKind kind = WorkKind::kNothing;
    double units = 0;
    double float_share = 1.0;  ///< Layer::time_share
    double int8_share = 1.0;
};

/// Picoseconds.
struct CostTable {
    double layer;                 ///< of starting any layer that is no view
    double in_float[kWorkKinds];  ///< a unit of each kind of work
    double in_int8[kWorkKinds];
    double conversion;  ///< an element
    double fp16_read;   ///< a float16 weight that is read once (WorkKind::kWeights)
    double fp16_widen;  ///< a float16 weight that is widened before many pixels use it
};

/// The figures for a kernel level; nullptr for one that nobody has measured.
const CostTable* cost_table(Isa isa);

/// The work of every node (by NodeId) and the number of elements of every value, for the declared input shapes. False
/// where an input leaves its shape open or a layer refuses its inputs (loading will say why).
bool find_work(const Model& model, const Graph& graph, bool winograd, std::vector<Work>* work,
               std::vector<int64_t>* elements);

/// PassContext::costs for a graph of `model` at the kernel level in use. False, so that everything runs int8, at a
/// level without a table, and for open input shapes if a layer with weights has 16 channels or more on both sides; with
/// fewer, most of a vector of int8 stays empty, and float is said to be cheaper throughout.
bool estimate_costs(const Model& model, const Graph& graph, bool winograd, PrecisionCosts* costs);

}  // namespace fw
