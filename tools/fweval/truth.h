// What the images really show: labels of a list, boxes of a COCO file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/image_file.h"
#include "fweval/metrics.h"

namespace fw::tools {

/// Gives every image the label that `path` (`FILE LABEL` a line) has for a file of the same path, else of the same
/// name. Errors: a line without label, no image found in the list.
Status read_label_file(const std::string& path, std::vector<ListedImage>* images);

/// Boxes by file name from a COCO annotation file (`images`, `annotations` with bbox [x, y, width, height] in pixels
/// and category_id).
Result<std::map<std::string, std::vector<TrueBox>>> read_coco(const std::string& path);

}  // namespace fw::tools
