// Words of .table files (docs/table-format.md) that reader and writer share.
#pragma once

#include <string_view>

namespace fw {

constexpr const char* kTableHeader = "fwtable";  ///< the first word of Featherweight's own form
constexpr int kTableVersion = 2;
constexpr std::string_view kTableWeightSuffix = "_param_0";                 ///< legacy: behind the layer's name
constexpr const char* kTablePixelNames[] = {"none", "RGB", "BGR", "GRAY"};  ///< by Pixel

}  // namespace fw
