// facemesh IMAGE [MODEL_DIR] [--face X,Y,W,H] [--out mesh.png]: the points of a face.
#include <cmath>
#include <cstdio>
#include <vector>

#include "common/cli.h"
#include "support/canvas.h"
#include "support/example.h"

namespace {

// The network gives x, y, z of every point in pixels of its input, and the logit of "this is a face" (Y. Kartynnik et
// al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019).
struct Outputs {
    std::string points;
    std::string score;  // empty where the network has none
};

// The outputs by their sizes: one number is the score, a multiple of three the points.
fw::Status find_outputs(const fw::examples::Model& model, const fw::Image& image, Outputs* outputs) {
    std::string shapes;
    for (const std::string& name : model.net.output_names()) {
        fw::Mat blob;
        double milliseconds = 0;
        FW_RETURN_IF_ERROR(run_image(model, image, name, &blob, &milliseconds));
        if (blob.count() == 1) {
            outputs->score = name;
        } else if (blob.count() % 3 == 0) {
            outputs->points = name;
        }
        shapes += " " + blob.shape().str();
    }
    if (outputs->points.empty()) {
        return fw::Status::error(fw::Code::kInvalidArgument, "the network's outputs are%s, expected x, y, z of points",
                                 shapes.c_str());
    }
    return {};
}

// The part of the picture with the face; all of it where `box` is empty.
fw::Status crop(const std::vector<int>& box, fw::Image* image) {
    if (box.empty()) {
        return {};
    }
    const bool inside = box[0] >= 0 && box[1] >= 0 && box[2] >= 1 && box[3] >= 1 && box[2] <= image->width - box[0] &&
                        box[3] <= image->height - box[1];
    if (!inside) {
        return fw::Status::error(fw::Code::kInvalidArgument, "--face is %d,%d,%d,%d, not inside of the %d x %d picture",
                                 box[0], box[1], box[2], box[3], image->width, image->height);
    }
    const int channels = image->pixel == fw::Pixel::kGray ? 1 : 3;
    image->data += static_cast<ptrdiff_t>(box[1]) * image->stride + static_cast<ptrdiff_t>(box[0]) * channels;
    image->width = box[2];
    image->height = box[3];
    return {};
}

fw::Status find_points(fw::tools::Tool* tool, const fw::examples::ExampleOptions& options, const std::vector<int>& box,
                       const std::string& out_path) {
    fw::examples::Model model;
    FW_RETURN_IF_ERROR(load_model_dir(options, &model));
    FW_RETURN_IF_ERROR(tool->usage_error(check_output(out_path, options, model)));
    FW_ASSIGN_OR_RETURN(const fw::tools::DecodedImage image, fw::tools::DecodedImage::load(options.image));
    fw::Image face = image.view();
    FW_RETURN_IF_ERROR(tool->usage_error(crop(box, &face)));

    Outputs outputs;
    FW_RETURN_IF_ERROR(find_outputs(model, face, &outputs));
    fw::Mat points;
    double milliseconds = 0;
    FW_RETURN_IF_ERROR(run_image(model, face, outputs.points, &points, &milliseconds));
    std::printf("%s: %lld points, %.2f ms\n", options.image.c_str(), static_cast<long long>(points.count() / 3),
                milliseconds);
    if (!outputs.score.empty()) {
        fw::Mat score;
        FW_RETURN_IF_ERROR(run_image(model, face, outputs.score, &score, &milliseconds));
        std::printf("  %5.1f %%  face\n", 100.0 / (1.0 + std::exp(-static_cast<double>(score.data()[0]))));
    }

    fw::examples::Canvas canvas(image.view());
    const int left = box.empty() ? 0 : box[0];
    const int top = box.empty() ? 0 : box[1];
    const auto pixel = [](float value, int picture, int input) {  // -1: outside; input 0: the picture's own size
        const float at = input > 0 ? value * static_cast<float>(picture) / static_cast<float>(input) : value;
        return at >= 0.0F && at < static_cast<float>(picture) ? static_cast<int>(at) : -1;
    };
    for (int64_t i = 0; i < points.count(); i += 3) {
        const int x = pixel(points.data()[i], face.width, model.preprocess.width);
        const int y = pixel(points.data()[i + 1], face.height, model.preprocess.height);
        if (x >= 0 && y >= 0) {
            canvas.draw_dot(left + x, top + y, 1);
        }
    }
    return out_path.empty() ? fw::Status() : canvas.save(out_path);
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool("facemesh", "Finds the points of a face with a FaceMesh-style network and draws them.",
                         "  facemesh portrait.jpg models/face_landmark --out mesh.png\n"
                         "  facemesh group.jpg models/face_landmark --face 240,20,140,150 --out mesh.png");
    fw::examples::ExampleOptions options;
    std::string out_path;
    options.add_to(&tool.app(), "models/facemesh");
    std::vector<int> box;
    tool.app()
        .add_option("--face", box,
                    "X,Y,W,H: where the face is, with a quarter of its size around it; else all of the picture")
        ->delimiter(',')
        ->expected(4);
    tool.app().add_option("--out", out_path, "Write the picture with the points as PNG");
    return tool.run(argc, argv, [&] { return find_points(&tool, options, box, out_path); });
}
