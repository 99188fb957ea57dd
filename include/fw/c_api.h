/* C interface of Featherweight: the same model as net.h with opaque handles. Plain C99, freestanding headers only.
 * Functions that can fail return an fw_status (0 = ok); fw_last_error() then holds the message of the calling thread.
 */
#ifndef FW_C_API_H
#define FW_C_API_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define FW_C_EXPORT
#else
#define FW_C_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fw_net fw_net;
typedef struct fw_extractor fw_extractor;

/* Values of fw::Code, in its order. */
typedef int fw_status;
/* NOLINTBEGIN(readability-identifier-naming): as C names its constants */
enum {
    FW_OK,
    FW_INVALID_ARGUMENT,
    FW_NOT_FOUND,
    FW_PARSE_ERROR,
    FW_UNSUPPORTED,
    FW_OUT_OF_MEMORY,
    FW_IO_ERROR,
    FW_FAILED_PRECONDITION,
    FW_INTERNAL,
    FW_DEVICE_LOST,
    FW_SHADER_REJECTED
};
/* NOLINTEND(readability-identifier-naming) */

typedef struct fw_shape {
    int rank;    /* 1..4 */
    int dims[4]; /* outermost first */
} fw_shape;

FW_C_EXPORT const char* fw_version(void);
FW_C_EXPORT const char* fw_last_error(void);

FW_C_EXPORT fw_net* fw_net_create(void);
FW_C_EXPORT void fw_net_destroy(fw_net* net);
FW_C_EXPORT fw_status fw_net_set_threads(fw_net* net, int threads);
/* 0 = auto, 1 = float, 2 = int8, 3 = float with float16 weights */
FW_C_EXPORT fw_status fw_net_set_precision(fw_net* net, int precision);
/* "cpu", "vulkan", "vulkan:N" or "auto"; fallback: not 0 = the CPU goes on where that device is missing or fails. */
FW_C_EXPORT fw_status fw_net_set_device(fw_net* net, const char* device, int fallback);
FW_C_EXPORT fw_status fw_net_load_table(fw_net* net, const char* path);
FW_C_EXPORT fw_status fw_net_load_model(fw_net* net, const char* param_path, const char* bin_path);
FW_C_EXPORT fw_status fw_net_load_model_memory(fw_net* net, const char* param, size_t param_size, const void* bin,
                                               size_t bin_size);
FW_C_EXPORT int fw_net_input_count(const fw_net* net);
FW_C_EXPORT const char* fw_net_input_name(const fw_net* net, int index);
FW_C_EXPORT int fw_net_output_count(const fw_net* net);
FW_C_EXPORT const char* fw_net_output_name(const fw_net* net, int index);

FW_C_EXPORT fw_extractor* fw_extractor_create(const fw_net* net);
FW_C_EXPORT void fw_extractor_destroy(fw_extractor* extractor);
/* Float32 data in plain row-major order; read when fw_extractor_extract runs, so it must live until then. */
FW_C_EXPORT fw_status fw_extractor_input(fw_extractor* extractor, const char* blob, const float* data, fw_shape shape);
/* Interleaved 8-bit pixels through the preprocessing stored in the model. pixel: 1 = RGB, 2 = BGR, 3 = gray. */
FW_C_EXPORT fw_status fw_extractor_input_image(fw_extractor* extractor, const char* blob, const uint8_t* pixels,
                                               int width, int height, int stride, int pixel);
/* *data stays valid until the extractor extracts again or is destroyed. */
FW_C_EXPORT fw_status fw_extractor_extract(fw_extractor* extractor, const char* blob, const float** data,
                                           fw_shape* shape);

#ifdef __cplusplus
}
#endif

#endif /* FW_C_API_H */
