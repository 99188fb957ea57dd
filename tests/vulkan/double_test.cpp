// Double precision by whole numbers (double.glsl) against the CPU's: the same bits.
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "device_support.h"
#include "shaders_of_vulkan/shader_code.h"
#include "vulkan/commands.h"

namespace fw::vulkan {
namespace {

constexpr size_t kResults = 8;
const char* const kNames[kResults] = {"sum",  "difference", "product",   "quotient",
                                      "root", "of 64 bits", "of an int", "multiplier"};

uint64_t bits_of(double x) {
    uint64_t bits = 0;
    std::memcpy(&bits, &x, sizeof(bits));
    return bits;
}

// As double.glsl has it: no sign of zero, nothing below the normal numbers.
uint64_t wanted(double x) {
    return std::fabs(x) < DBL_MIN ? 0 : bits_of(x);
}

uint64_t multiplier(double x) {
    const double size = std::fabs(x);
    const float value = size < static_cast<double>(FLT_MIN) ? 0.0F
                        : size > static_cast<double>(FLT_MAX)
                            ? std::copysign(FLT_MAX, static_cast<float>(x > 0 ? 1 : -1))
                            : static_cast<float>(x);
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits;
}

// Random bits, few bits and runs of ones; exponents far apart, near each other, and the same.
class Numbers {
public:
    double next() {
        const int e = std::uniform_int_distribution<int>(-300, 300)(random_);
        return made(e);
    }
    double near(double x) {
        const int distance = std::uniform_int_distribution<int>(-66, 66)(random_);
        switch (random_() % 4) {
            case 0: return std::nextafter(x, (random_() & 1U) != 0 ? 1e308 : -1e308);
            case 1: return -x;
            default: return made(std::ilogb(x) + distance);
        }
    }

private:
    double made(int e) {
        uint64_t fraction = random_() & ((uint64_t{1} << 52U) - 1);
        switch (random_() % 4) {
            case 0: fraction = uint64_t{1} << (random_() % 52); break;
            case 1: fraction = ((uint64_t{1} << 52U) - 1) & ~((uint64_t{1} << (random_() % 52)) - 1); break;
            case 2: fraction &= ~((uint64_t{1} << 20U) - 1); break;
            default: break;
        }
        const double size = std::ldexp(static_cast<double>((uint64_t{1} << 52U) | fraction), e - 52);
        return (random_() & 1U) != 0 ? -size : size;
    }
    std::mt19937_64 random_{11};
};

using VulkanDouble = VulkanTest;

TEST_F(VulkanDouble, HasTheBitsOfTheCpu) {
    std::vector<double> pairs = {0.0,
                                 0.0,
                                 1.0,
                                 0.0,
                                 0.0,
                                 -1.0,
                                 3.0,
                                 1.0,
                                 1.0,
                                 3.0,
                                 1e-200,
                                 1e-200,
                                 2.0,
                                 2.0,
                                 65025.0,
                                 7.0,
                                 0.5,
                                 -0.5,
                                 1e38,
                                 1e-38,
                                 std::ldexp(1.0, 53),
                                 1.0,
                                 std::ldexp(1.0, 53),
                                 3.0,
                                 std::ldexp(1.0, 53) - 1.0,
                                 0.5,
                                 static_cast<double>(FLT_MAX),
                                 static_cast<double>(FLT_MIN),
                                 3.5e38,
                                 -1.1e-38};
    Numbers numbers;
    for (int i = 0; i < 100000; ++i) {
        pairs.push_back(numbers.next());
        pairs.push_back(i % 2 == 0 ? numbers.next() : numbers.near(pairs.back()));
    }
    const size_t count = pairs.size() / 2;

    Result<std::shared_ptr<Device>> opened = Device::open(Device::kAny);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    const std::shared_ptr<Device> device = *opened;
    Result<Buffer> in = device->create_buffer(pairs.size() * sizeof(double), Device::Place::kHost);
    Result<Buffer> out = device->create_buffer(count * kResults * sizeof(uint64_t), Device::Place::kHost);
    ASSERT_TRUE(in.ok() && out.ok());
    std::memcpy(in->host(), pairs.data(), pairs.size() * sizeof(double));
    const Shader shader = {"test_double", kCode_test_double, sizeof(kCode_test_double)};
    const Result<VkPipeline> pipeline = device->pipeline(shader, {});
    ASSERT_TRUE(pipeline.ok()) << pipeline.status().message();
    Result<Commands> commands = Commands::create(device, 1, 0);
    ASSERT_TRUE(commands.ok());
    const BufferRange from = {in->handle(), 0, in->bytes()};
    const BufferRange to = {out->handle(), 0, out->bytes()};
    const BufferRange bindings[] = {from, from, to, from};
    const uint32_t push[] = {static_cast<uint32_t>(count)};
    const uint32_t groups[3] = {static_cast<uint32_t>((count + 63) / 64), 1, 1};
    commands->barrier();
    ASSERT_TRUE(commands->dispatch(*pipeline, bindings, push, groups).ok());
    ASSERT_TRUE(commands->finish().ok());
    ASSERT_TRUE(commands->run().ok());

    const auto* got = static_cast<const uint64_t*>(out->host());
    for (size_t i = 0; i < count; ++i) {
        const double a = pairs[2 * i];
        const double b = pairs[2 * i + 1];
        const uint64_t want[kResults] = {wanted(a + b),
                                         wanted(a - b),
                                         wanted(a * b),
                                         b == 0.0 ? 0 : wanted(a / b),
                                         std::signbit(a) ? 0 : wanted(std::sqrt(a)),
                                         wanted(static_cast<double>(bits_of(a))),
                                         wanted(static_cast<double>(static_cast<int32_t>(bits_of(a) >> 32U))),
                                         multiplier(a)};
        for (size_t k = 0; k < kResults; ++k) {
            const uint64_t found = got[kResults * i + k];
            const uint64_t kept = (found << 1U) == 0 ? 0 : found;
            ASSERT_EQ(kept, want[k]) << kNames[k] << " of " << a << " and " << b;
        }
    }
}

}  // namespace
}  // namespace fw::vulkan
