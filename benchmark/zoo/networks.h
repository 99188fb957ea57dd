// The descriptions, one function a network; zoo.cpp lists them with their publications.
#pragma once

#include "zoo/blocks.h"

namespace fw::zoo {

void alexnet(Blocks* net);
void blazeface(Blocks* net);
void deeplabv3_mobilenetv2(Blocks* net);
void efficientnet_b0(Blocks* net);
void facemesh(Blocks* net);
void googlenet(Blocks* net);
void mnasnet(Blocks* net);
void mobilenet_ssd(Blocks* net);
void mobilenet_v1(Blocks* net);
void mobilenet_v2(Blocks* net);
void mobilenet_v3_large(Blocks* net);
void mobilenet_v3_small(Blocks* net);
void mobilenetv3_ssdlite(Blocks* net);
void nanodet_m(Blocks* net);
void resnet18(Blocks* net);
void resnet50(Blocks* net);
void shufflenet_v2(Blocks* net);
void squeezenet_ssd(Blocks* net);
void squeezenet_v1_1(Blocks* net);
void vgg16(Blocks* net);
void vision_transformer_tiny(Blocks* net);
void yolo_fastest(Blocks* net);
void yolov4_tiny(Blocks* net);

}  // namespace fw::zoo
