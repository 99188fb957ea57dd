#include "base/system_file.h"

#include <cstdio>
#include <cstdlib>

namespace fw {

long read_number(const std::string& path, char* unit) {
    std::FILE* file = std::fopen(path.c_str(), "r");
    if (file == nullptr) {
        return 0;
    }
    char text[32] = {};
    const size_t length = std::fread(text, 1, sizeof(text) - 1, file);
    std::fclose(file);
    char* end = text;
    const long number = length == 0 ? 0 : std::strtol(text, &end, 10);
    if (unit != nullptr) {
        *unit = *end;
    }
    return number;
}

}  // namespace fw
