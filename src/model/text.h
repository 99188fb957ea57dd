// What the readers and writers of text files share: lines, tokens and numbers, independent of the process's locale.
#pragma once

#include <string>
#include <string_view>

#include "fw/span.h"
#include "fw/status.h"

namespace fw {

/// Longest name (layer, blob, type) and longest number that files may hold.
constexpr size_t kMaxNameLength = 4096;
constexpr size_t kMaxNumberLength = 256;

/// "SOURCE:LINE: " before the message.
Status at_line(const Status& status, const char* source, int line);

/// A token as messages show it: unprintable bytes as '?', shortened to 48 characters.
std::string shown(std::string_view token);

/// Fails on the first byte that no text has (a control character), naming its line.
Status check_text(Span<const char> text, const char* source);

/// Hands out lines without their ends (LF or CR LF).
class LineReader {
public:
    explicit LineReader(Span<const char> text) : rest_(text.data(), text.size()) {}
    bool next(std::string_view* line);
    int number() const { return number_; }  ///< of the line handed out last, from 1

private:
    std::string_view rest_;
    int number_ = 0;
};

/// Takes the next token (up to a space, tab or CR) off the front of `*rest`; empty at the end.
std::string_view next_token(std::string_view* rest);
/// Takes leading blanks off.
void skip_blanks(std::string_view* rest);

/// Whole token as a decimal integer that fits int.
bool parse_int(std::string_view token, int* out);

enum class NumberError { kNone, kNotANumber, kOutOfRange };
/// Whole token as a decimal float: sign, digits, '.', exponent. Values too small become 0; "inf", "nan" and hexadecimal
/// are not numbers; a value beyond float's range is kOutOfRange.
NumberError parse_float(std::string_view token, float* out);

/// Shortest decimal form that reads back to the same float, always with a '.' or an exponent. `value` is finite. No
/// more than 9 digits follow or precede the point: older readers of the format add digits up in 32 bits.
std::string format_float(float value);

}  // namespace fw
