// segment IMAGE [MODEL_DIR] [--out mask.png]: which pixels belong to what?
#include <algorithm>
#include <array>
#include <cstdio>

#include "common/cli.h"
#include "metrics/segment.h"
#include "support/canvas.h"
#include "support/example.h"

namespace {

fw::Status segment(fw::tools::Tool* tool, const fw::examples::ExampleOptions& options, const std::string& out_path) {
    fw::examples::Model model;
    FW_RETURN_IF_ERROR(load_model_dir(options, &model));
    FW_RETURN_IF_ERROR(tool->usage_error(check_output(out_path, options, model)));
    FW_ASSIGN_OR_RETURN(const fw::tools::DecodedImage image, fw::tools::DecodedImage::load(options.image));

    fw::Mat output;
    double milliseconds = 0;
    FW_RETURN_IF_ERROR(run_image(model, image.view(), "", &output, &milliseconds));
    FW_ASSIGN_OR_RETURN(const fw::tools::LabelMap found, fw::tools::label_map_from_output(output));

    fw::examples::Canvas canvas(image.view());
    const fw::tools::LabelMap map = found.resized(canvas.width(), canvas.height());
    std::array<int, 256> pixels{};
    for (int y = 0; y < map.height; ++y) {
        for (int x = 0; x < map.width; ++x) {
            const uint8_t label = map.labels[static_cast<size_t>(y) * static_cast<size_t>(map.width) + x];
            ++pixels[label];
            if (label != 0) {
                canvas.tint(x, y, label - 1);  // 0 is the background
            }
        }
    }

    std::vector<int> labels;
    for (int label = 0; label < 256; ++label) {
        if (pixels[static_cast<size_t>(label)] > 0) {
            labels.push_back(label);
        }
    }
    const auto share = [&](int label) { return pixels[static_cast<size_t>(label)]; };
    std::stable_sort(labels.begin(), labels.end(), [&](int a, int b) { return share(a) > share(b); });
    std::printf("%s: %d x %d, %zu classes, %.2f ms\n", options.image.c_str(), found.width, found.height, labels.size(),
                milliseconds);
    for (const int label : labels) {
        std::printf("  %5.1f %%  %s\n", 100.0 * share(label) / static_cast<double>(map.labels.size()),
                    model.label(label).c_str());
    }
    return out_path.empty() ? fw::Status() : canvas.save(out_path);
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool("segment", "Finds the class of every pixel with a segmentation network and tints the picture.",
                         "  segment bird.png models/deeplab --out tinted.png\n"
                         "  segment me.jpg models/selfie --table models/selfie/net.table");
    fw::examples::ExampleOptions options;
    std::string out_path;
    options.add_to(&tool.app(), "models/segment");
    tool.app().add_option("--out", out_path, "Write the picture, tinted by class, as PNG");
    return tool.run(argc, argv, [&] { return segment(&tool, options, out_path); });
}
