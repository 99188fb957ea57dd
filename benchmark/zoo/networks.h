// The descriptions, one function a network; zoo.cpp lists them with their publications.
#pragma once

#include "zoo/blocks.h"

namespace fw::zoo {

void mobilenet_v1(Blocks* net);
void mobilenet_v2(Blocks* net);
void mobilenet_v3_large(Blocks* net);
void mobilenet_v3_small(Blocks* net);
void resnet18(Blocks* net);
void squeezenet_v1_1(Blocks* net);

}  // namespace fw::zoo
