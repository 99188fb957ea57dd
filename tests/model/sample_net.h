// A small network with every kind of parameter and blob, for tests that damage it.
#pragma once

namespace fw::test {

constexpr const char* kSampleParam =
    "7767517\n12 14\n"
    "Input data 0 1 data 0=8 1=8 2=3 24=1 -23325=3,1.0,2.0,3.0\n"
    "Convolution conv1 1 1 data c1 0=4 1=3 4=1 5=1 6=108 8=102 9=2 -23310=1,1.000000e-01 -23330=4,3,8,8,4\n"
    "Split s 1 3 c1 a b c\n"
    "ConvolutionDepthWise dw 1 1 a d 0=4 1=3 4=1 6=36 7=4 8=1\n"
    "BatchNorm bn 1 1 d e 0=4 1=1e-5\n"
    "Eltwise sum 2 1 e b f 0=1 1=1.0,-1.0\n"
    "MemoryData mem 0 1 m 0=8 1=8 2=4 21=0\n"
    "BinaryOp mul 2 1 f m g 0=2\n"
    "Crop crop 1 1 c h -23309=1,0 -23310=1,4 19=\"0w\"\n"
    "Flatten flat 1 1 g i\n"
    "InnerProduct fc 1 1 i j 0=5 1=1 2=1280\n"
    "Softmax prob 1 1 j prob 0=0 1=1\n";

}  // namespace fw::test
