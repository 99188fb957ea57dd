// PASCAL VOC's colours of classes.
#pragma once

#include <array>
#include <cstdint>

namespace fw::tools {

/// Red, green, blue of a class: the bits of its number dealt out to the channels, lowest bits first, each taking the
/// highest bit that is free (VOCcolormap of the development kit). 0 is black, 255 = (224, 224, 192).
std::array<uint8_t, 3> voc_color(int label);

/// The class with that colour, -1 where there is none.
int voc_label(uint8_t red, uint8_t green, uint8_t blue);

}  // namespace fw::tools
