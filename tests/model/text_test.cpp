// Numbers and tokens of text files.
#include "model/text.h"

#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "model_test_util.h"

namespace fw::test {

namespace {

TEST(Text, ParsesFloats) {
    const struct {
        const char* text;
        float value;
    } good[] = {{"0", 0},
                {"1", 1},
                {"+2.5", 2.5F},
                {"-.5", -0.5F},
                {"3.", 3},
                {"1e3", 1000},
                {"1E-3", 0.001F},
                {"6.0e+01", 60},
                {"1e-60", 0},
                {"-1e-400", 0},
                {"0e99999999", 0},
                {"1e-45", 1.4e-45F},
                {"3.4028235e38", 3.4028235e38F},
                {"0.1", 0.1F},
                {"16777217", 16777216}};
    for (const auto& c : good) {
        float value = 99;
        EXPECT_EQ(parse_float(c.text, &value), NumberError::kNone) << c.text;
        EXPECT_EQ(value, c.value) << c.text;
    }
    for (const char* text : {"", "+", "-", ".", "e5", "1e", "1e+", "inf", "nan", "-inf", "0x10", "1f", "1 ", " 1",
                             "1..2", "--1", "1,5", "+-1"}) {
        float value = 0;
        EXPECT_EQ(parse_float(text, &value), NumberError::kNotANumber) << text;
    }
    for (const char* text :
         {"1e39", "-3.5e38", "1e99999999999999999999", "340282350000000000000000000000000000001e1"}) {
        float value = 0;
        EXPECT_EQ(parse_float(text, &value), NumberError::kOutOfRange) << text;
    }
    float value = 0;
    EXPECT_EQ(parse_float(std::string(300, '1'), &value), NumberError::kNotANumber);
    EXPECT_EQ(parse_float("0." + std::string(200, '0') + "1e180", &value), NumberError::kNone);
    EXPECT_EQ(value, 1e-21F);
}

TEST(Text, ParsesInts) {
    int value = 0;
    EXPECT_TRUE(parse_int("2147483647", &value));
    EXPECT_EQ(value, 2147483647);
    EXPECT_TRUE(parse_int("-2147483648", &value));
    EXPECT_EQ(value, std::numeric_limits<int>::min());
    EXPECT_TRUE(parse_int("+7", &value));
    EXPECT_EQ(value, 7);
    for (const char* text : {"", "+", "-", "+-1", "2147483648", "1.0", "1e3", "0x1", "1 ", "a"}) {
        EXPECT_FALSE(parse_int(text, &value)) << text;
    }
}

TEST(Text, FloatsReadBackExactly) {
    uint32_t state = 12345;
    for (int i = 0; i < 200000; ++i) {
        state = state * 1664525U + 1013904223U;
        float value;
        std::memcpy(&value, &state, sizeof value);
        if (!std::isfinite(value)) {
            continue;
        }
        const std::string text = format_float(value);
        float again = 0;
        ASSERT_EQ(parse_float(text, &again), NumberError::kNone) << text;
        ASSERT_EQ(std::memcmp(&again, &value, sizeof value), 0) << text;
        ASSERT_EQ(std::strtof(text.c_str(), nullptr), value) << text;
        ASSERT_NE(text.find_first_of(".e"), std::string::npos) << text << " would read as an int";
        ASSERT_LE(text.size(), 15U) << text << " does not fit the buffers of other readers";
    }
    EXPECT_EQ(format_float(0), "0.0");
    EXPECT_EQ(format_float(-0.0F), "-0.0");
    EXPECT_EQ(format_float(1), "1.0");
    EXPECT_EQ(format_float(0.1F), "0.1");
    EXPECT_EQ(format_float(104), "104.0");
    EXPECT_EQ(format_float(4567654400.0F), "4.5676544e+09");
    // By whichever function digits are found, the form is the same: model hashes hang on it.
    EXPECT_EQ(format_float(0.0001F), "1e-04");
    EXPECT_EQ(format_float(0.00012F), "0.00012");
    EXPECT_EQ(format_float(100000), "1e+05");
    EXPECT_EQ(format_float(-123000), "-123000.0");
    EXPECT_EQ(format_float(123456792), "123456792.0");
    EXPECT_EQ(format_float(1.25e-8F), "1.25e-08");
    EXPECT_EQ(format_float(1234.5F), "1234.5");
}

#if defined(__cpp_lib_to_chars)
TEST(Text, FormIsThatOfToChars) {
    for (int i = -100000; i < 100000; ++i) {
        for (const float value : {static_cast<float>(i), static_cast<float>(i) * 1e-7F, static_cast<float>(i) * 1000}) {
            char buffer[64];
            const std::string want(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
            const std::string text = format_float(value);
            if (want.find('.') == std::string::npos && want.find('e') == std::string::npos) {
                ASSERT_EQ(text, want + ".0");
            } else if (want.size() - want.find('.') <= 10) {
                ASSERT_EQ(text, want);
            }
        }
    }
}
#endif

TEST(Text, LocaleHasNoSay) {
    const char* before = std::setlocale(LC_NUMERIC, nullptr);
    const std::string old = before != nullptr ? before : "C";
    bool set = false;
    for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"}) {
        set = set || std::setlocale(LC_NUMERIC, name) != nullptr;
    }
    if (!set) {
        GTEST_SKIP() << "no locale with a decimal comma is installed";
    }
    float value = 0;
    EXPECT_EQ(parse_float("1.5", &value), NumberError::kNone);
    EXPECT_EQ(value, 1.5F);
    EXPECT_EQ(format_float(1.5F), "1.5");
    std::setlocale(LC_NUMERIC, old.c_str());
}

TEST(Text, LinesAndTokens) {
    const std::string text = "one two\r\n\n  three\t four  \nlast";
    LineReader lines({text.data(), text.size()});
    std::string_view line;
    ASSERT_TRUE(lines.next(&line));
    EXPECT_EQ(next_token(&line), "one");
    EXPECT_EQ(next_token(&line), "two");
    EXPECT_EQ(next_token(&line), "");
    ASSERT_TRUE(lines.next(&line));
    EXPECT_EQ(next_token(&line), "");
    ASSERT_TRUE(lines.next(&line));
    EXPECT_EQ(next_token(&line), "three");
    EXPECT_EQ(next_token(&line), "four");
    ASSERT_TRUE(lines.next(&line));
    EXPECT_EQ(lines.number(), 4);
    EXPECT_EQ(line, "last");
    EXPECT_FALSE(lines.next(&line));
    EXPECT_EQ(shown(std::string("a\nb\x01")), "a?b?");
    EXPECT_EQ(shown(std::string(100, 'x')), std::string(48, 'x') + "...");
}

}  // namespace

}  // namespace fw::test
