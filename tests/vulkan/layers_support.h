// Small networks on the GPU against the CPU: in int8 the same bytes, in float nearly the same values, in float16 those
// of float32 within the bound of docs/vulkan.md, on a device with memory of its own too.
#pragma once

#include <string>
#include <vector>

#include "device_support.h"
#include "fw/net.h"
#include "model/model_io.h"

namespace fw {

std::string input(int c, int h, int w);
/// A convolution of a blob with `c` channels: what a layer of no weights is int8 for.
std::string reader(const std::string& blob, int c);

/// Outputs and plan of a run.
struct Results {
    std::vector<Mat> outputs;
    std::vector<QuantParams> quants;
    std::vector<LayerPlan> plan;
};

/// What VulkanLayers compare, and how.
struct Check {
    bool floats = true;    ///< float and float16
    bool in_int8 = false;  ///< the layer must be int8 in the int8 run
    float bound = 1e-3F;   ///< of floats: of the largest value of an output
    /// The shaders that the layer must run in, in int8 and in float16, where not null.
    const char* int8_kernel = nullptr;
    const char* half_kernel = nullptr;
};

class VulkanLayers : public VulkanTest {
protected:
    static void run(const NetDef& def, const ScaleTable* table, const Option& option, Results* out);
    /// In int8, float and float16; every step of this type has to run on the device, and there has to be one.
    static void expect_same(const std::string& layers, int count, int blobs, const std::string& on_device,
                            const Check& check = {});
    /// In float and float16; the last layer has to run on the device.
    static void expect_same_floats(const std::string& layers, int count = 2, float bound = Check().bound);
    static void compare(const Results& want, const Results& got, float bound);
};

}  // namespace fw
