#include "model/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// std::from_chars and to_chars are exact, fast and know no locale, but libc++ had none for floats for years (Android,
// iOS), and libstdc++'s take 146 KiB of a static program. There strtof and snprintf do the same work: exact too, with
// the locale's decimal point put in and taken out.
#if defined(__cpp_lib_to_chars) && !defined(FW_MINSIZE)
#define FW_CHARCONV_FLOATS 1
#else
#define FW_CHARCONV_FLOATS 0
#include <clocale>
#endif

namespace fw {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/// Scans sign, digits, point, exponent. `*magnitude` is the power of ten of the first digit that is not 0, saturated:
/// it tells overflow from underflow.
bool scan_float(std::string_view token, int* magnitude) {
    size_t i = 0;
    if (i < token.size() && (token[i] == '+' || token[i] == '-')) {
        ++i;
    }
    int whole = 0;  // digits before the point, from the first that is not 0
    int zeros = 0;  // zeros after the point before the first digit that is not 0
    bool any = false;
    bool significant = false;
    for (; i < token.size() && is_digit(token[i]); ++i) {
        any = true;
        significant = significant || token[i] != '0';
        whole += significant ? 1 : 0;
    }
    if (i < token.size() && token[i] == '.') {
        ++i;
        for (; i < token.size() && is_digit(token[i]); ++i) {
            any = true;
            significant = significant || token[i] != '0';
            zeros += significant ? 0 : 1;
        }
    }
    if (!any) {
        return false;
    }
    int exponent = 0;
    if (i < token.size() && (token[i] == 'e' || token[i] == 'E')) {
        ++i;
        const bool negative = i < token.size() && token[i] == '-';
        if (i < token.size() && (token[i] == '+' || token[i] == '-')) {
            ++i;
        }
        if (i == token.size()) {
            return false;
        }
        for (; i < token.size() && is_digit(token[i]); ++i) {
            exponent = exponent < 100000 ? exponent * 10 + (token[i] - '0') : exponent;
        }
        exponent = negative ? -exponent : exponent;
    }
    *magnitude = !significant ? -1 : (whole > 0 ? whole - 1 : -1 - zeros) + exponent;
    return i == token.size();
}

#if !FW_CHARCONV_FLOATS
const char* decimal_point() {
    const char* point = std::localeconv()->decimal_point;
    return point != nullptr && *point != '\0' ? point : ".";
}
#endif

/// The conversion proper of a token that scan_float accepted; false when the value is out of range.
bool convert_float(std::string_view token, float* out) {
#if FW_CHARCONV_FLOATS
    if (token[0] == '+') {
        token.remove_prefix(1);
    }
    return std::from_chars(token.data(), token.data() + token.size(), *out).ec == std::errc();
#else
    std::string text(token);
    const size_t point = text.find('.');
    if (point != std::string::npos) {
        text.replace(point, 1, decimal_point());
    }
    *out = std::strtof(text.c_str(), nullptr);
    return std::isfinite(*out);
#endif
}

/// Sign, a digit, a point and more digits if there are more, exponent: as few digits as read back.
std::string scientific(float value) {
    char buffer[64];
#if FW_CHARCONV_FLOATS
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr);
#else
    for (int digits = 0; digits < 9; ++digits) {
        std::snprintf(buffer, sizeof buffer, "%.*e", digits, static_cast<double>(value));
        if (std::strtof(buffer, nullptr) == value) {
            break;
        }
    }
    std::string text(buffer);
    const size_t point = text.find(decimal_point());
    if (point != std::string::npos) {
        text.replace(point, std::strlen(decimal_point()), ".");
    }
    return text;
#endif
}

}  // namespace

Status at_line(const Status& status, const char* source, int line) {
    return status.with_prefix("%s:%d", source, line);
}

std::string shown(std::string_view token) {
    constexpr size_t kLongest = 48;
    std::string out(token.substr(0, kLongest));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    if (token.size() > kLongest) {
        out += "...";
    }
    return out;
}

Status check_text(Span<const char> text, const char* source) {
    int line = 1;
    for (const char c : text) {
        if (c == '\n') {
            ++line;
        } else if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') {
            return Status::error(Code::kParseError, "%s:%d: not a text file (it has a byte 0x%02x)", source, line,
                                 static_cast<unsigned>(c));
        }
    }
    return {};
}

bool LineReader::next(std::string_view* line) {
    if (rest_.empty()) {
        return false;
    }
    const size_t end = rest_.find('\n');
    *line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    return true;
}

void skip_blanks(std::string_view* rest) {
    while (!rest->empty() && is_blank(rest->front())) {
        rest->remove_prefix(1);
    }
}

std::string_view next_token(std::string_view* rest) {
    skip_blanks(rest);
    size_t length = 0;
    while (length < rest->size() && !is_blank((*rest)[length])) {
        ++length;
    }
    const std::string_view token = rest->substr(0, length);
    rest->remove_prefix(length);
    return token;
}

bool parse_int(std::string_view token, int* out) {
    if (!token.empty() && token[0] == '+') {
        token.remove_prefix(1);
        if (token.empty() || !is_digit(token[0])) {
            return false;
        }
    }
    const auto result = std::from_chars(token.data(), token.data() + token.size(), *out);
    return result.ec == std::errc() && result.ptr == token.data() + token.size() && !token.empty();
}

NumberError parse_float(std::string_view token, float* out) {
    int magnitude = 0;
    if (token.size() > kMaxNumberLength || !scan_float(token, &magnitude)) {
        return NumberError::kNotANumber;
    }
    float value = 0;
    if (!convert_float(token, &value)) {
        if (magnitude >= 0) {
            return NumberError::kOutOfRange;
        }
        value = 0;
    }
    *out = value;
    return NumberError::kNone;
}

// Without an exponent where that is no longer and has at most nine digits on either side of the point. Texts are hashed
// (Net::model_hash), so that they are made by one rule, whoever finds the digits.
std::string format_float(float value) {
    std::string text = scientific(value);
    const size_t e = text.find('e');
    if (e == std::string::npos) {
        return text;  // inf, nan
    }
    const std::string sign = text[0] == '-' ? "-" : "";
    std::string digits = text.substr(sign.size(), e - sign.size());
    digits.erase(std::min<size_t>(1, digits.size() - 1), digits.size() > 1 ? 1 : 0);
    const int exponent = std::atoi(text.c_str() + e + 1);
    const auto count = static_cast<int>(digits.size());
    const int before = std::max(exponent, 0) + 1;
    const int after = std::max(count - 1 - exponent, 0);
    const int length = static_cast<int>(sign.size()) + before + (after > 0 ? 1 : 0) + after;
    if (before > 9 || after > 9 || length > static_cast<int>(text.size())) {
        return text;
    }
    if (after == 0) {
        return sign + std::to_string(static_cast<int64_t>(std::fabs(value))) + ".0";
    }
    if (exponent < 0) {
        digits.insert(0, static_cast<size_t>(-exponent), '0');
    }
    return sign + digits.insert(static_cast<size_t>(before), 1, '.');
}

}  // namespace fw
