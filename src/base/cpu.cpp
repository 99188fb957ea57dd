#include "base/cpu.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif (defined(__aarch64__) || defined(__arm__)) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace fw {

namespace {

// Feature bits. Those of x86 and ARM never meet, so they share one word.
constexpr uint32_t kBitSse41 = 1U << 0;
constexpr uint32_t kBitAvx2 = 1U << 1;  // with FMA and F16C
constexpr uint32_t kBitAvxVnni = 1U << 2;
constexpr uint32_t kBitAvx512 = 1U << 3;  // F, BW, DQ, VL
constexpr uint32_t kBitAvx512Vnni = 1U << 4;
constexpr uint32_t kBitAvx512Vbmi = 1U << 5;
constexpr uint32_t kBitAvx512Bf16 = 1U << 6;
constexpr uint32_t kBitNeon = 1U << 8;
constexpr uint32_t kBitFp16 = 1U << 9;  // arithmetic on half floats
constexpr uint32_t kBitDotprod = 1U << 10;
constexpr uint32_t kBitI8mm = 1U << 11;

struct Level {
    const char* name;
    uint32_t features;
};

constexpr Level kLevels[kIsaCount] = {
    {"scalar", 0},
    {"sse41", kBitSse41},
    {"avx2", kBitSse41 | kBitAvx2},
    {"avxvnni", kBitSse41 | kBitAvx2 | kBitAvxVnni},
    {"avx512", kBitSse41 | kBitAvx2 | kBitAvx512},
    {"avx512vnni", kBitSse41 | kBitAvx2 | kBitAvx512 | kBitAvx512Vnni},
    {"avx512vbmi", kBitSse41 | kBitAvx2 | kBitAvx512 | kBitAvx512Vnni | kBitAvx512Vbmi},
    {"avx512bf16", kBitSse41 | kBitAvx2 | kBitAvx512 | kBitAvx512Vnni | kBitAvx512Vbmi | kBitAvx512Bf16},
    {"neon", kBitNeon},
    {"fp16", kBitNeon | kBitFp16},
    {"dotprod", kBitNeon | kBitFp16 | kBitDotprod},
    {"i8mm", kBitNeon | kBitFp16 | kBitDotprod | kBitI8mm},
};

#if defined(__x86_64__) || defined(__i386__)

#if defined(FW_EMULATES_AVX512)  // tests/emulation
constexpr uint32_t kEmulated = kBitAvxVnni | kBitAvx512 | kBitAvx512Vnni | kBitAvx512Vbmi | kBitAvx512Bf16;
#else
constexpr uint32_t kEmulated = 0;
#endif

struct Registers {
    unsigned a = 0, b = 0, c = 0, d = 0;
};

// Zeros for a leaf beyond the last one. Each takes microseconds in a virtual machine.
Registers cpuid(unsigned last, unsigned leaf, unsigned subleaf) {
    Registers r;
    if (leaf <= last) {
        __cpuid_count(leaf, subleaf, r.a, r.b, r.c, r.d);
    }
    return r;
}

bool bit(unsigned word, int index) {
    return (word >> index & 1U) != 0;
}

// XCR0: which register files the operating system saves. Only to be read when CPUID reports OSXSAVE.
uint64_t xgetbv() {
    uint32_t lo = 0;
    uint32_t hi = 0;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return uint64_t{hi} << 32 | lo;
}

uint32_t detect() {
    uint32_t features = 0;
    const unsigned last = __get_cpuid_max(0, nullptr);
    const Registers one = cpuid(last, 1, 0);
    if (bit(one.c, 19)) {
        features |= kBitSse41;
    }
    const uint64_t saved = bit(one.c, 27) ? xgetbv() : 0;
    constexpr uint64_t kYmm = 0x6;   // SSE and AVX state
    constexpr uint64_t kZmm = 0xE6;  // and opmask, upper halves, the upper sixteen registers
    const Registers seven = cpuid(last, 7, 0);
    const Registers seven_one = seven.a >= 1 ? cpuid(last, 7, 1) : Registers();
    const bool avx = (saved & kYmm) == kYmm && bit(one.c, 28);
    if (!avx || !bit(seven.b, 5) || !bit(one.c, 12) || !bit(one.c, 29)) {
        return features;
    }
    features |= kBitAvx2 | kEmulated;
    if (bit(seven_one.a, 4)) {
        features |= kBitAvxVnni;
    }
    // AVX512 F, DQ, BW, VL.
    if ((saved & kZmm) == kZmm && bit(seven.b, 16) && bit(seven.b, 17) && bit(seven.b, 30) && bit(seven.b, 31)) {
        features |= kBitAvx512;
        if (bit(seven.c, 11)) {
            features |= kBitAvx512Vnni;
            if (bit(seven.c, 1)) {
                features |= kBitAvx512Vbmi;
            }
            if (bit(seven_one.a, 5)) {
                features |= kBitAvx512Bf16;
            }
        }
    }
    return features;
}

#elif defined(__aarch64__) && defined(__linux__)

// Every processor with the dot product has arithmetic on half floats too.
uint32_t detect() {
    // Bits of the kernel's interface (asm/hwcap.h); old C libraries lack names for the later ones.
    uint32_t features = kBitNeon;
    const unsigned long capabilities = getauxval(AT_HWCAP);
    if ((capabilities >> 10 & 1U) != 0) {  // ASIMDHP
        features |= kBitFp16;
    }
    if ((capabilities >> 20 & 1U) != 0) {  // ASIMDDP
        features |= kBitDotprod;
        if ((getauxval(AT_HWCAP2) >> 13 & 1U) != 0) {  // I8MM
            features |= kBitI8mm;
        }
    }
    return features;
}

#elif defined(__arm__) && defined(__linux__)

uint32_t detect() {
    return (getauxval(AT_HWCAP) >> 12 & 1U) != 0 ? kBitNeon : 0;
}

#elif defined(__aarch64__) && defined(__APPLE__)

bool has_feature(const char* name) {
    int32_t value = 0;
    size_t size = sizeof(value);
    return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

// iOS 15 and macOS 12 name the features as the architecture does, older systems only the first two.
uint32_t detect() {
    uint32_t features = kBitNeon;
    if (has_feature("hw.optional.arm.FEAT_FP16") || has_feature("hw.optional.neon_fp16")) {
        features |= kBitFp16;
    }
    if (has_feature("hw.optional.arm.FEAT_DotProd")) {
        features |= kBitDotprod;
    }
    if (has_feature("hw.optional.arm.FEAT_I8MM")) {
        features |= kBitI8mm;
    }
    return features;
}

#elif defined(__aarch64__)

// Systems that cannot be asked: what the compiler was told the target has.
uint32_t detect() {
    uint32_t features = kBitNeon;
#if defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
    features |= kBitFp16;
#endif
#if defined(__ARM_FEATURE_DOTPROD)
    features |= kBitDotprod;
#endif
#if defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_MATMUL_INT8)
    features |= kBitI8mm;
#endif
    return features;
}

#else

uint32_t detect() {
    return 0;
}

#endif

// The smallest build has no scalar kernels where all of it is compiled for NEON anyway.
#if defined(FW_MINSIZE) && defined(__ARM_NEON)
constexpr Isa kLeast = Isa::kNeon;
#else
constexpr Isa kLeast = Isa::kScalar;
#endif

bool is_available(Isa isa) {
    static const uint32_t kFeatures = detect();
    return isa >= kLeast && (isa_features(isa) & ~kFeatures) == 0;
}

// What the environment asks for; the value is taken once, so that a program sees one level throughout.
Result<Isa> isa_from_environment() {
    const char* text = std::getenv("FW_ISA");
    if (!is_available(kLeast)) {
        return Status::error(Code::kUnsupported, "this build needs a processor with %s", name(kLeast));
    }
    if (text == nullptr || text[0] == '\0') {
        return available_isas().back();
    }
    Isa isa = Isa::kScalar;
    if (!parse_isa(text, &isa) || !is_available(isa)) {
        return Status::error(Code::kInvalidArgument, "FW_ISA=%.40s: expected one of %s", text,
                             available_isa_names().c_str());
    }
    return isa;
}

constexpr int kNotForced = -1;
std::atomic<int> forced{kNotForced};

}  // namespace

const char* name(Isa isa) {
    return kLevels[static_cast<int>(isa)].name;
}

bool parse_isa(const char* text, Isa* isa) {
    for (int i = 0; i < kIsaCount; ++i) {
        if (std::strcmp(text, kLevels[i].name) == 0) {
            *isa = static_cast<Isa>(i);
            return true;
        }
    }
    return false;
}

uint32_t isa_features(Isa level) {
    return kLevels[static_cast<int>(level)].features;
}

std::vector<Isa> available_isas() {
    std::vector<Isa> levels;
    for (int i = 0; i < kIsaCount; ++i) {
        if (is_available(static_cast<Isa>(i))) {
            levels.push_back(static_cast<Isa>(i));
        }
    }
    return levels;
}

std::string available_isa_names() {
    std::string names;
    for (const Isa isa : available_isas()) {
        names += names.empty() ? "" : ", ";
        names += name(isa);
    }
    return names;
}

Result<Isa> current_isa() {
    const int isa = forced.load(std::memory_order_relaxed);
    if (isa != kNotForced) {
        return static_cast<Isa>(isa);
    }
    static const Result<Isa> kChosen = isa_from_environment();
    return kChosen;
}

ScopedIsa::ScopedIsa(Isa isa) : previous_(forced.exchange(static_cast<int>(isa))) {}
ScopedIsa::~ScopedIsa() {
    forced.store(previous_);
}

}  // namespace fw
