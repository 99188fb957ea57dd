#include <fw/net.h>
#include <fw/version.h>

#include <cstdio>

#include "net.h"

int main() {
    fw::Net net;
    fw::Status status = net.load_model_memory({kNet, sizeof kNet - 1}, {});
    if (!status.ok()) {
        std::printf("%s\n", status.message());
        return 1;
    }
    float values[3] = {-1.0F, 0.5F, 2.0F};
    fw::Extractor extractor = net.create_extractor();
    fw::Mat out;
    status = extractor.input("in", fw::Mat::wrap(values, fw::Shape(3)));
    if (status.ok()) {
        status = extractor.extract("out", &out);
    }
    if (!status.ok() || out.data()[0] != 0.0F || out.data()[2] != 2.0F) {
        std::printf("wrong result %s\n", status.message());
        return 1;
    }
    std::printf("fw %s works\n", fw::version());
    return 0;
}
