// Printed by benchmark/net/fit_costs: one thread, the fastest of nine runs of every layer of the zoo's networks below
// 1 GMAC, all layers of a kind added up. Measured on an EPYC 9004 with its levels forced one by one; the ratios within
// a row decide, so another clock changes nothing.
#include "runtime/cost_model.h"

namespace fw {

const CostTable* cost_table(Isa isa) {
    // layer, {nothing, gemm, depthwise, weights, window, element} in float, the same in int8, conversion, float16
    // weights
    static constexpr CostTable kScalar = {
        220000, {0, 63.2, 188, 232, 132, 515}, {0, 292, 857, 728, 105, 300}, 463, 1000, 1000};
    // The scalar level's, with the ratios of int8 products to float ones that MobileNet v2 has here.
    static constexpr CostTable kSse41 = {220000, {0, 63.2, 188, 232, 132, 515}, {0, 30.3, 107, 53, 105, 300}, 463, 1000,
                                         1000};
    static constexpr CostTable kAvx2 = {160000, {0, 20.5, 52.3, 160, 77.2, 512}, {0, 14, 40.2, 42.5, 47, 255}, 132, 200,
                                        100};
    static constexpr CostTable kAvx512 = {160000, {0, 19.6, 43, 177, 78.7, 515}, {0, 14, 40.3, 46, 47.3, 256}, 135, 200,
                                          100};
    static constexpr CostTable kAvx512Vnni = {
        140000, {0, 19.5, 41.5, 181, 76.2, 512}, {0, 5.98, 23.7, 48.3, 46.4, 255}, 127, 200, 100};
    switch (isa) {
        case Isa::kScalar: return &kScalar;
        case Isa::kSse41: return &kSse41;
        case Isa::kAvx2:
        case Isa::kAvxVnni: return &kAvx2;  // no processor with the second was at hand
        case Isa::kAvx512: return &kAvx512;
        case Isa::kAvx512Vnni:
        case Isa::kAvx512Vbmi:
        case Isa::kAvx512Bf16: return &kAvx512Vnni;
        default: return nullptr;
    }
}

}  // namespace fw
