// Canvas: a copy of a picture that results are drawn into.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fw/image.h"
#include "fw/status.h"

namespace fw::examples {

class Canvas {
public:
    explicit Canvas(const Image& image);

    int width() const { return width_; }
    int height() const { return height_; }
    /// A frame two pixels wide; `label` chooses its colour.
    void draw_frame(int left, int top, int right, int bottom, int label);
    /// A square of 3 x 3 pixels around (x, y); what lies outside of the picture is not drawn.
    void draw_dot(int x, int y, int label);
    /// Half of the pixel's own colour, half of the label's.
    void tint(int x, int y, int label);
    /// Writes a PNG.
    Status save(const std::string& path) const;

private:
    uint8_t* pixel(int x, int y);
    void set(int x, int y, const uint8_t* color);

    int width_;
    int height_;
    std::vector<uint8_t> pixels_;  // RGB
};

}  // namespace fw::examples
