// What fweval says: JSON, and lines for the terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "fweval/evaluation.h"

namespace fw::tools {

/// {images, float: {...}, int8: {...}, agreement, sqnr_db, differences, worst}. A side holds, as far as the task and
/// the labels allow, top1, top5; map50, map_voc07, map, map50_coco, map75, map_small, map_medium, map_large, recall;
/// miou, pixel_accuracy, void_percent; per_class; labelled, ms (median). Percentages are 0 to 100.
nlohmann::ordered_json figures(const Evaluation& evaluation);

/// Images from the worst on, at most `most`: by the last side's quality, or without labels by agreement.
std::vector<ImageResult> worst_images(const Evaluation& evaluation, size_t most);

/// The table on the terminal. `brief` leaves out the images that differ.
void print_figures(const nlohmann::ordered_json& figures, bool brief);

}  // namespace fw::tools
