// model_hash: tells models apart, so that a table is not applied to a network that it was not made for.
#pragma once

#include <string>

#include "fw/status.h"
#include "model/net_def.h"

namespace fw {

/// 16 hexadecimal digits (64-bit FNV-1a) over
///  - the structure as param_text writes it, except the parameters of Input layers: input sizes and preprocessing may
///    change without the weights' ranges changing;
///  - of every weight blob, its number of elements and up to 1024 of them, evenly spaced and rounded to float16.
/// The same for text and binary forms, with defaults written out or left out, and for float32 and float16 storage of
/// the same weights. Training, folding or renaming gives another hash; a change of single weights may not: it is there
/// to catch mistakes, and must not cost a load more than a fraction of a millisecond. Fails where the structure has no
/// file form (param_text).
Result<std::string> model_hash(const NetDef& net);

}  // namespace fw
