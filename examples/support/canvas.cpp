#include "support/canvas.h"

#include <algorithm>
#include <iterator>

#include "common/image_file.h"

namespace fw::examples {

namespace {

// Labels have a colour of their own, as far as there are enough.
const uint8_t* color_of(int label) {
    static constexpr uint8_t kColors[][3] = {{255, 64, 64}, {64, 255, 64}, {80, 120, 255},
                                             {255, 220, 0}, {255, 0, 255}, {0, 255, 255}};
    return kColors[static_cast<size_t>(std::max(label, 0)) % std::size(kColors)];
}

}  // namespace

Canvas::Canvas(const Image& image) : width_(image.width), height_(image.height) {
    const int channels = image.pixel == Pixel::kGray ? 1 : 3;
    pixels_.resize(static_cast<size_t>(width_) * static_cast<size_t>(height_) * 3);
    for (int i = 0; i < width_ * height_; ++i) {
        for (int c = 0; c < 3; ++c) {
            pixels_[static_cast<size_t>(i) * 3 + static_cast<size_t>(c)] = image.data[i * channels + c % channels];
        }
    }
}

uint8_t* Canvas::pixel(int x, int y) {
    return &pixels_[(static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)) * 3];
}

void Canvas::set(int x, int y, const uint8_t* color) {
    if (x >= 0 && x < width_ && y >= 0 && y < height_) {
        std::copy_n(color, 3, pixel(x, y));
    }
}

void Canvas::draw_frame(int left, int top, int right, int bottom, int label) {
    const uint8_t* color = color_of(label);
    for (int inset = 0; inset < 2; ++inset) {
        for (int x = left; x <= right; ++x) {
            set(x, top + inset, color);
            set(x, bottom - inset, color);
        }
        for (int y = top; y <= bottom; ++y) {
            set(left + inset, y, color);
            set(right - inset, y, color);
        }
    }
}

void Canvas::draw_dot(int x, int y, int label) {
    for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) {
            set(x + dx, y + dy, color_of(label));
        }
    }
}

void Canvas::tint(int x, int y, int label) {
    const uint8_t* color = color_of(label);
    uint8_t* at = pixel(x, y);
    for (int c = 0; c < 3; ++c) {
        at[c] = static_cast<uint8_t>((at[c] + color[c] + 1) / 2);
    }
}

Status Canvas::save(const std::string& path) const {
    return tools::write_png(path, pixels_.data(), width_, height_);
}

}  // namespace fw::examples
