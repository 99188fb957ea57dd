// Label files with boxes. Parts of truth.h.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "metrics/box.h"

namespace fw::tools {

/// Boxes of one image. Those of a list are in pixels, since a list does not say how large its images are; `width` and
/// `height` are 0 then.
struct ImageBoxes {
    std::string file;  ///< as the labels name it
    std::vector<TrueBox> boxes;
    double width = 0, height = 0;  ///< in pixels
};

/// By file name without folders. COCO annotations: `images` (id, file_name, width, height), `annotations` (image_id,
/// category_id, bbox [x, y, width, height] in pixels; area, iscrowd, ignore if they are there).
Result<std::map<std::string, ImageBoxes>> read_coco(const std::string& path);

/// A line for each box: `FILE LABEL XMIN YMIN XMAX YMAX [difficult|crowd]`, corners in pixels from the image's upper
/// left corner; `FILE` alone: an image without boxes. '#' begins a comment.
Result<std::map<std::string, ImageBoxes>> read_box_list(const std::string& path);

}  // namespace fw::tools
