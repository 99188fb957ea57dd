// Printed by benchmark/net/fit_costs: one thread, the fastest of nine runs of every layer of the zoo's networks below
// 1 GMAC, all layers of a kind added up. Measured on an EPYC 9004 with its levels forced one by one; the ratios within
// a row decide, so another clock changes nothing.
#include "runtime/cost_model.h"

namespace fw {

const CostTable* cost_table(Isa isa) {
    // layer, {nothing, gemm, depthwise, weights, window, element} in float, the same in int8, conversion
    static constexpr CostTable kScalar = {320000, {0, 60.9, 194, 182, 111, 98.6}, {0, 303, 837, 563, 71.7, 302}, 292};
    static constexpr CostTable kAvx2 = {
        191000, {0, 20.2, 99.1, 148, 98.9, 96.4}, {0, 17.8, 68.7, 36.3, 58.5, 276}, 259};
    static constexpr CostTable kAvx512 = {
        230000, {0, 19.7, 75.4, 186, 126, 97.3}, {0, 19.1, 78.9, 39.4, 60.7, 282}, 284};
    static constexpr CostTable kAvx512Vnni = {
        240000, {0, 19.1, 74.8, 159, 99.7, 95.3}, {0, 5.71, 46.1, 35.7, 58.3, 276}, 258};
    switch (isa) {
        case Isa::kScalar:
        case Isa::kSse41: return &kScalar;
        case Isa::kAvx2:
        case Isa::kAvxVnni: return &kAvx2;  // no processor with the second was at hand
        case Isa::kAvx512: return &kAvx512;
        case Isa::kAvx512Vnni:
        case Isa::kAvx512Vbmi: return &kAvx512Vnni;
        default: return nullptr;
    }
}

}  // namespace fw
