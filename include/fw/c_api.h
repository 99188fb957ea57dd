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
enum { FW_MODEL_HASH_SIZE = 32 };
/* NOLINTEND(readability-identifier-naming) */

typedef struct fw_shape {
    int rank;    /* 1..4; 0 = not known */
    int dims[4]; /* outermost first */
} fw_shape;

/* One step of what runs, in the order of execution. The names live as long as the plan. */
typedef struct fw_step {
    const char* name;       /* layer name of the model file; conversions are named after the blob they convert */
    const char* type;       /* layer type, "Quantize", "Dequantize", ... */
    const char* output;     /* first output blob */
    const char* kernel;     /* kernel or shader that runs it, "" = the reference implementation */
    const char* reason;     /* why this precision */
    const char* device;     /* "cpu", or the one that fw_net_device gives */
    const char* cpu_reason; /* where a device was wanted: why this step runs on the CPU all the same */
    int64_t crossing_bytes; /* of blobs that go between CPU and device for this step */
    const char* input_type; /* of the first input: "float32", "float16", "int8" */
    const char* output_type;
    int64_t macs;  /* multiply-accumulates of layers with weights and matrix products; 0 elsewhere */
    int64_t bytes; /* of inputs, outputs and prepared weights: the least that the step moves */
} fw_step;

/* Sizes in bytes that a loaded network costs. */
typedef struct fw_memory_use {
    size_t weights;           /* prepared weights, shared by all extractors */
    size_t activations;       /* of one extractor, for the input shapes last planned */
    size_t least_activations; /* the largest set of blobs that must exist at one time */
    size_t device_weights;    /* on the device; 0 on the CPU */
} fw_memory_use;

/* level: 0 = debug, 1 = info, 2 = warning, 3 = error. Called from any thread that runs the library. */
typedef void (*fw_log_sink)(int level, const char* message, void* user_data);

FW_C_EXPORT const char* fw_version(void);
FW_C_EXPORT const char* fw_last_error(void);
/* Messages of this level and above go to the sink; NULL (the start) discards them. A call of the old sink may still be
 * under way on another thread when this returns. */
FW_C_EXPORT void fw_set_log_sink(fw_log_sink sink, void* user_data, int least_level);

/* The devices that fw_net_set_device can name besides "cpu"; 0 where there are none, and fw_last_error() says why. The
 * strings live until the calling thread counts anew; NULL for an index that is not below the count. */
FW_C_EXPORT int fw_device_count(void);
FW_C_EXPORT const char* fw_device_name(int index);
FW_C_EXPORT const char* fw_device_description(int index);

FW_C_EXPORT fw_net* fw_net_create(void);
FW_C_EXPORT void fw_net_destroy(fw_net* net);
FW_C_EXPORT fw_status fw_net_set_threads(fw_net* net, int threads);
/* 0 = auto, 1 = float, 2 = int8, 3 = float with float16 weights */
FW_C_EXPORT fw_status fw_net_set_precision(fw_net* net, int precision);
/* "cpu", "vulkan", "vulkan:N", "auto" or "auto:FILE"; fallback: not 0 = the CPU goes on where that device is missing or
 * fails. */
FW_C_EXPORT fw_status fw_net_set_device(fw_net* net, const char* device, int fallback);
/* A member of fw::Option (option.h) by its name. Switches take "0" and "1": fp16, fp16_arithmetic, bf16_arithmetic,
 * winograd, optimize, split_attention, ignore_table_model, device_fallback, import_inputs, staged_device_memory.
 * Others: threads and max_activation_bytes (numbers), device and pipeline_cache (text), cores ("all", "big" or
 * "little"). */
FW_C_EXPORT fw_status fw_net_set_option(fw_net* net, const char* name, const char* value);
FW_C_EXPORT fw_status fw_net_load_table(fw_net* net, const char* path);
FW_C_EXPORT fw_status fw_net_load_model(fw_net* net, const char* param_path, const char* bin_path);
FW_C_EXPORT fw_status fw_net_load_model_memory(fw_net* net, const char* param, size_t param_size, const void* bin,
                                               size_t bin_size);
FW_C_EXPORT int fw_net_input_count(const fw_net* net);
FW_C_EXPORT const char* fw_net_input_name(const fw_net* net, int index);
/* The declared shape; of rank 0 where the model leaves it open. */
FW_C_EXPORT fw_status fw_net_input_shape(const fw_net* net, int index, fw_shape* shape);
FW_C_EXPORT int fw_net_output_count(const fw_net* net);
FW_C_EXPORT const char* fw_net_output_name(const fw_net* net, int index);
/* Where a loaded net runs: what was set, and for "auto" the choice; "" where the net is NULL. */
FW_C_EXPORT const char* fw_net_device(const fw_net* net);
/* What a table made for this model has in its `model` line, with a zero behind it: at most FW_MODEL_HASH_SIZE bytes. */
FW_C_EXPORT fw_status fw_net_model_hash(const fw_net* net, char* hash, size_t size);
/* Zeros before a model is loaded. */
FW_C_EXPORT fw_status fw_net_memory_use(const fw_net* net, fw_memory_use* use);

/* The steps for the declared input shapes, or for those of the last run; NULL after an error. */
typedef struct fw_plan fw_plan;
FW_C_EXPORT fw_plan* fw_plan_create(const fw_net* net);
FW_C_EXPORT void fw_plan_destroy(fw_plan* plan);
FW_C_EXPORT int fw_plan_count(const fw_plan* plan);
FW_C_EXPORT fw_status fw_plan_step(const fw_plan* plan, int index, fw_step* step);

FW_C_EXPORT fw_extractor* fw_extractor_create(const fw_net* net);
FW_C_EXPORT void fw_extractor_destroy(fw_extractor* extractor);
/* Float32 data in plain row-major order; read when fw_extractor_extract runs, so it must live until then. With the
 * option import_inputs: until the extractor is destroyed or has run with other memory. */
FW_C_EXPORT fw_status fw_extractor_input(fw_extractor* extractor, const char* blob, const float* data, fw_shape shape);
/* The same, with a buffer in the data's place for a device that imports inputs (option import_inputs) and can import
 * it: an AHardwareBuffer of Android's (format BLOB, usage GPU_DATA_BUFFER), whose byte `offset` is data[0]. `data` is
 * what the CPU sees of it. The buffer must live as long as the data. NULL = no buffer. */
FW_C_EXPORT fw_status fw_extractor_input_buffer(fw_extractor* extractor, const char* blob, const float* data,
                                                fw_shape shape, void* hardware_buffer, size_t offset);
/* Interleaved 8-bit pixels through the preprocessing stored in the model. pixel: 1 = RGB, 2 = BGR, 3 = gray. */
FW_C_EXPORT fw_status fw_extractor_input_image(fw_extractor* extractor, const char* blob, const uint8_t* pixels,
                                               int width, int height, int stride, int pixel);
/* *data stays valid until the extractor extracts again or is destroyed. */
FW_C_EXPORT fw_status fw_extractor_extract(fw_extractor* extractor, const char* blob, const float** data,
                                           fw_shape* shape);
/* Milliseconds of each step of the last run, parallel to fw_plan_step, then of each extract's copy; none unless enabled
 * before it. They stay valid until the extractor is used again. */
FW_C_EXPORT fw_status fw_extractor_enable_profile(fw_extractor* extractor, int enable);
FW_C_EXPORT const double* fw_extractor_profile(const fw_extractor* extractor, int* count);

#ifdef __cplusplus
}
#endif

#endif /* FW_C_API_H */
