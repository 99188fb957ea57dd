// .npy files (NumPy format version 1.0 to 3.0): float32 and 8/32-bit integer arrays in C order.
#pragma once

#include <string>
#include <vector>

#include "fw/mat.h"

namespace fw::tools {

/// Reads an array of 1 to 5 dimensions as float32 ('<f4', '<f8', '|i1', '|u1', '<i4', '<i8' are converted). A leading
/// batch axis of 1 of a 4- or 5-dimensional array is dropped, so that NCHW files become [c x h x w]. Errors name the
/// file and what is wrong.
Result<Mat> read_npy(const std::string& path);

/// Writes a float32 or int8 Mat; `add_batch` puts a leading axis of 1 before it. Written beside and renamed.
Status write_npy(const std::string& path, const Mat& mat, bool add_batch = true);

}  // namespace fw::tools
