// Does a scale table belong to a network?
#pragma once

#include "fw/status.h"
#include "fw/table.h"
#include "model/net_def.h"

namespace fw {

/// Fails where no name of the table is in the network (the table of another model) and where the number of weight
/// scales does not fit the layer's channels, and for numbers that no table file may hold. Names that the network lacks
/// are logged as warnings.
Status check_table(const NetDef& net, const ScaleTable& table);

/// Fails where the table states another model_hash than that of the network; a table that states none passes.
Status check_table_model(const NetDef& net, const ScaleTable& table);

}  // namespace fw
