// Symbol visibility and printf checking for the public headers.
#pragma once

#if defined(_WIN32)
#define FW_EXPORT
#else
#define FW_EXPORT [[gnu::visibility("default")]]
#endif

#if defined(__GNUC__)
#define FW_PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#else
#define FW_PRINTF(format_index, first_arg)
#endif
