#include "base/log.h"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace fw {

namespace {

struct Sink {
    LogSink function = nullptr;
    void* user_data = nullptr;
    LogLevel least = LogLevel::kInfo;
};

std::mutex g_mutex;
Sink g_sink;
std::atomic<bool> g_has_sink{false};

}  // namespace

void set_log_sink(LogSink sink, void* user_data, LogLevel least) {
    const std::lock_guard<std::mutex> lock(g_mutex);
    g_sink = Sink{sink, user_data, least};
    g_has_sink = sink != nullptr;
}

void log(LogLevel level, const char* format, ...) {
    if (!g_has_sink) {
        return;
    }
    Sink sink;
    {
        const std::lock_guard<std::mutex> lock(g_mutex);
        sink = g_sink;
    }
    if (sink.function == nullptr || level < sink.least) {
        return;
    }
    char text[1024];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sink.function(level, text, sink.user_data);
}

}  // namespace fw
