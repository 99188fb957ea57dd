#include "fwopt/c_array.h"

#include <cstdio>

#include "common/file.h"

namespace fw::opt {

namespace {

// 20 numbers a line.
void append(Span<const uint8_t> bytes, std::string* out) {
    for (size_t i = 0; i < bytes.size(); ++i) {
        *out += i % 20 == 0 ? "\n    " : "";
        *out += std::to_string(bytes[i]);
        *out += ',';
    }
    *out += bytes.empty() ? "0 /* no weights */" : "";
}

// One line of source a line of text; what C could take for something else is written as octal digits.
std::string literal(const std::string& text) {
    std::string out = "\n    \"";
    for (size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '\n') {
            out += i + 1 < text.size() ? "\\n\"\n    \"" : "\\n";
        } else if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '?') {
            char octal[8];
            std::snprintf(octal, sizeof octal, "\\%03o", c);
            out += octal;
        } else {
            out += text[i];
        }
    }
    return out + '"';
}

}  // namespace

std::string c_identifier(const std::string& path) {
    std::string name = tools::base_name(path);
    name = name.substr(0, name.find('.'));
    for (char& c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        c = letter ? c : '_';
    }
    return name.empty() || (name[0] >= '0' && name[0] <= '9') ? "net_" + name : name;
}

std::string c_array(const std::string& name, const std::string& param, Span<const uint8_t> bin) {
    std::string out = "/* Written by fwopt. Include it in one source file. */\n#include <stddef.h>\n\n";
    out +=
        "#if defined(__cplusplus) && __cplusplus >= 201103L\n#define FW_MODEL_ALIGNED alignas(64)\n"
        "#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L\n#define FW_MODEL_ALIGNED _Alignas(64)\n"
        "#else\n#define FW_MODEL_ALIGNED\n#endif\n\n";
    out += "static const char " + name + "_param[] =" + literal(param);
    out += ";\nstatic const size_t " + name + "_param_size = " + std::to_string(param.size()) + ";\n\n";
    out += "FW_MODEL_ALIGNED static const unsigned char " + name + "_bin[] = {";
    out.reserve(out.size() + 4 * bin.size());
    append(bin, &out);
    out += "\n};\nstatic const size_t " + name + "_bin_size = " + std::to_string(bin.size()) + ";\n\n";
    return out + "#undef FW_MODEL_ALIGNED\n";
}

}  // namespace fw::opt
