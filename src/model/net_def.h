// NetDef: a network as its files say it, before any graph pass. Importers build it, readers and writers carry it.
#pragma once

#include <string>
#include <vector>

#include "fw/image.h"
#include "fw/param_dict.h"
#include "model/weight.h"

namespace fw {

/// One line of a .param file with its weights.
struct LayerDef {
    std::string type;
    std::string name;
    std::vector<std::string> bottoms;
    std::vector<std::string> tops;  ///< every blob of a network has one producer: no two layers share a top
    ParamDict params;
    std::vector<Weight> weights;  ///< in the order of the schema's blobs, absent optional blobs left out
    int line = 0;                 ///< in the .param file; 0 = made in memory
};

struct NetDef {
    std::vector<LayerDef> layers;  ///< in an order in which every bottom is produced before it is used
    std::string source;            ///< file name for messages

    /// Preprocessing lives as keys on the Input layer (docs/param-format.md); these read and write them.
    Preprocess preprocess() const;
    void set_preprocess(const Preprocess& preprocess);
};

}  // namespace fw
