// ssd IMAGE [MODEL_DIR] [--out boxes.png]: where are the things in the picture?
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/cli.h"
#include "support/canvas.h"
#include "support/example.h"

namespace {

struct Box {
    int label;
    float score;
    int left, top, right, bottom;  // pixels, inside the image
};

// Rows of [label, score, xmin, ymin, xmax, ymax] with coordinates as fractions of the image.
std::vector<Box> boxes_of(const fw::Mat& detections, int width, int height, float threshold) {
    std::vector<Box> boxes;
    const auto pixel = [](float fraction, int extent) {
        const float x = std::isfinite(fraction) ? fraction : 0.0F;
        return std::clamp(static_cast<int>(std::clamp(x, 0.0F, 1.0F) * static_cast<float>(extent)), 0, extent - 1);
    };
    for (int i = 0; i < detections.h(); ++i) {
        const float* row = detections.row(i);
        if (row[1] >= threshold) {
            boxes.push_back({static_cast<int>(row[0]), row[1], pixel(row[2], width), pixel(row[3], height),
                             pixel(row[4], width), pixel(row[5], height)});
        }
    }
    return boxes;
}

fw::Status detect(fw::tools::Tool* tool, const fw::examples::ExampleOptions& options, const std::string& out_path,
                  float threshold) {
    fw::examples::Model model;
    FW_RETURN_IF_ERROR(load_model_dir(options, &model));
    FW_RETURN_IF_ERROR(tool->usage_error(check_output(out_path, options, model)));
    FW_ASSIGN_OR_RETURN(const fw::tools::DecodedImage image, fw::tools::DecodedImage::load(options.image));

    fw::Mat detections;
    double milliseconds = 0;
    FW_RETURN_IF_ERROR(run_image(model, image.view(), "", &detections, &milliseconds));
    if (detections.count() > 0 && detections.w() != 6) {
        return fw::Status::error(fw::Code::kInvalidArgument,
                                 "the network's output is %s, expected rows of 6 as DetectionOutput writes them",
                                 detections.shape().str().c_str());
    }

    const fw::Image& view = image.view();
    const std::vector<Box> boxes = boxes_of(detections, view.width, view.height, threshold);
    std::printf("%s: %zu objects, %.2f ms\n", options.image.c_str(), boxes.size(), milliseconds);
    fw::examples::Canvas canvas(view);
    for (const Box& box : boxes) {
        std::printf("  %5.1f %%  (%d, %d) - (%d, %d)  %s\n", 100.0 * static_cast<double>(box.score), box.left, box.top,
                    box.right, box.bottom, model.label(box.label).c_str());
        canvas.draw_frame(box.left, box.top, box.right, box.bottom, box.label);
    }
    return out_path.empty() ? fw::Status() : canvas.save(out_path);
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool("ssd", "Detects objects with an SSD network and draws their boxes.",
                         "  ssd street.jpg models/ssd --out boxes.png\n"
                         "  ssd street.jpg models/ssd --table models/ssd/net.table --threshold 0.5");
    fw::examples::ExampleOptions options;
    std::string out_path;
    float threshold = 0.4F;
    options.add_to(&tool.app(), "build/quickstart/detector");
    tool.app().add_option("--out", out_path, "Write the picture with its boxes as PNG");
    tool.app()
        .add_option("--threshold", threshold, "Least score of a box that is shown")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    return tool.run(argc, argv, [&] { return detect(&tool, options, out_path, threshold); });
}
