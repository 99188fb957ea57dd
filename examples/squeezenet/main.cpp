// squeezenet IMAGE [MODEL_DIR]: what is in the picture?
#include <cstdio>

#include "common/cli.h"
#include "common/net_options.h"
#include "support/example.h"

namespace {

fw::Status classify(const fw::examples::ExampleOptions& options) {
    fw::examples::Model model;
    FW_RETURN_IF_ERROR(load_model_dir(options, &model));
    FW_ASSIGN_OR_RETURN(const fw::tools::DecodedImage image, fw::tools::DecodedImage::load(options.image));

    fw::Mat probabilities;
    double milliseconds = 0;
    FW_RETURN_IF_ERROR(run_image(model, image.view(), "", &probabilities, &milliseconds));

    std::printf("%s: %.2f ms\n", options.image.c_str(), milliseconds);
    for (const int i : fw::tools::top_k(probabilities.data(), probabilities.count(), 5)) {
        std::printf("  %5.1f %%  %s\n", 100.0 * static_cast<double>(probabilities.data()[i]), model.label(i).c_str());
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool("squeezenet", "Classifies a picture with a SqueezeNet-style network.",
                         "  squeezenet photo.jpg models/squeezenet\n"
                         "  squeezenet photo.jpg models/squeezenet --table models/squeezenet/net.table");
    fw::examples::ExampleOptions options;
    options.add_to(&tool.app(), "build/quickstart/classifier");
    return tool.run(argc, argv, [&] { return classify(options); });
}
