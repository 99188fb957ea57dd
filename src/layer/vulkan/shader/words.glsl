// What a convolution's matrix product is made of: words of four int8 channels, or one float. After epilogue.glsl.
#ifdef INT8
#define WORD uint
const int CHANNELS = 4;
WORD weight(int at) { return constants[at]; }
WORD padding() { return p.pad; }
WORD load_word(int at, int channels) {
    if (ALIGNED_IN) {
        return a32[at >> 2];
    }
    uint word = 0u;
    for (int i = 0; i < min(channels, 4); ++i) {
        word |= (uint(int(a8[at + i])) & 255u) << (8 * i);
    }
    return word;
}
#else
#define WORD TERM
const int CHANNELS = 1;
WORD weight(int at) { return WORD(weight_f(at)); }
WORD padding() { return WORD(uintBitsToFloat(p.pad)); }
WORD load_word(int at, int channels) { return WORD(load_a(at)); }
#endif
