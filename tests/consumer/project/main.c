#include <fw/c_api.h>
#include <stdio.h>

#include "net.h"

int main(void) {
    const float values[3] = {-1.0f, 0.5f, 2.0f};
    const fw_shape shape = {1, {3, 0, 0, 0}};
    const float* out = NULL;
    fw_shape out_shape;
    fw_step step = {0};
    fw_plan* plan;
    fw_extractor* extractor;
    fw_net* net = fw_net_create();
    int failed;
    if (net == NULL || fw_net_set_option(net, "import_inputs", "1") != FW_OK ||
        fw_net_load_model_memory(net, kNet, sizeof kNet - 1, NULL, 0) != 0) {
        printf("%s\n", fw_last_error());
        return 1;
    }
    extractor = fw_extractor_create(net);
    failed = extractor == NULL ||
             fw_extractor_input_buffer(extractor, "in", values, shape, NULL, 0) != 0 ||
             fw_extractor_extract(extractor, "out", &out, &out_shape) != 0 || out[0] != 0.0f || out[2] != 2.0f;
    plan = fw_plan_create(net); /* for the input's shape, which the model leaves open */
    failed = failed || plan == NULL || fw_plan_step(plan, 0, &step) != FW_OK;
    printf("fw %s on %s: %s\n", fw_version(), failed ? "" : step.device, failed ? fw_last_error() : "works");
    fw_plan_destroy(plan);
    fw_extractor_destroy(extractor);
    fw_net_destroy(net);
    return failed;
}
