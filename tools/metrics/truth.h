// What the images really show, from label files (docs/fweval.md describes their formats).
#pragma once

#include <string>
#include <vector>

#include "common/image_file.h"
#include "metrics/box.h"
#include "metrics/task.h"

namespace fw::tools {

/// Of one image; which fields count depends on the task.
struct ImageTruth {
    bool known = false;          ///< the labels name this image
    int label = -1;              ///< its class
    std::vector<TrueBox> boxes;  ///< what is to be found in it
    int width = 0, height = 0;   ///< in pixels, with boxes
    std::string mask;            ///< path of its mask
};

/// The truth about `images`, in their order. `path` is, by task: a list `FILE LABEL` a line, a folder with one folder
/// for each class, or "" for the labels that the images have of their own list; COCO annotations or a list `FILE LABEL
/// XMIN YMIN XMAX YMAX` a line; a folder of masks or a list `FILE MASK` a line. Images are found by their path, else by
/// their name without folders (masks in a folder: without extension). Detection labels have to name every image, the
/// others at least one. Errors name file and line.
Result<std::vector<ImageTruth>> read_truth(Task task, const std::string& path, const std::vector<ListedImage>& images);

/// Gives every image the label that the list `path` has for it, or that the folder says in which it lies: the number
/// that a folder's name is, where the names of all in `path` are numbers, else its place among the sorted names.
/// Errors: a line without label, a folder without folders, no image found there.
Status read_label_file(const std::string& path, std::vector<ListedImage>* images);

}  // namespace fw::tools
