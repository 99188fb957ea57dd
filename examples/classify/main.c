/* classify NET.param NET.bin PICTURE.ppm [NET.table]: the five likeliest classes, by number.
 * Plain C, and nothing but the library, so that it can be linked into one small static program (docs/arm-boards.md). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw/c_api.h"

/* A picture's bytes, and where the pixels are in them. */
typedef struct {
    char* bytes;
    const uint8_t* pixels;
    int width, height;
} picture;

/* The whole file and a terminating 0; NULL if it cannot be read. */
static char* read_file(const char* path, size_t* size) {
    FILE* file = fopen(path, "rb");
    char* bytes = NULL;
    long length;
    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0 &&
        (bytes = malloc((size_t)length + 1)) != NULL) {
        *size = fread(bytes, 1, (size_t)length, file);
        bytes[*size] = '\0';
    }
    fclose(file);
    return bytes;
}

/* A binary PPM: "P6", width, height and 255, then RGB. */
static int load_picture(const char* path, picture* to) {
    size_t size = 0;
    char* end;
    long width;
    long height;
    long most;
    to->bytes = read_file(path, &size);
    if (to->bytes == NULL || strncmp(to->bytes, "P6", 2) != 0) {
        return 0;
    }
    width = strtol(to->bytes + 2, &end, 10);
    height = strtol(end, &end, 10);
    most = strtol(end, &end, 10);
    if (most != 255 || width < 1 || height < 1 || width > 16384 || height > 16384 ||
        size < (size_t)(end + 1 - to->bytes) + (size_t)width * (size_t)height * 3) {
        return 0;
    }
    to->pixels = (const uint8_t*)end + 1;
    to->width = (int)width;
    to->height = (int)height;
    return 1;
}

static void print_best(const float* scores, size_t count) {
    size_t best[5];
    int found;
    int i;
    for (found = 0; found < 5 && (size_t)found < count; ++found) {
        size_t most = count;
        size_t c;
        for (c = 0; c < count; ++c) {
            int taken = 0;
            for (i = 0; i < found; ++i) {
                taken |= best[i] == c;
            }
            if (!taken && (most == count || scores[c] > scores[most])) {
                most = c;
            }
        }
        best[found] = most;
        printf("%6.2f %%  %d\n", 100.0 * (double)scores[most], (int)most);
    }
}

static int classify(fw_net* net, char** argv, const char* table, const picture* image) {
    const float* scores = NULL;
    fw_shape shape = {0, {0}};
    fw_extractor* extractor;
    size_t count = 1;
    int i;
    int ok;
    if ((table != NULL && fw_net_load_table(net, table) != FW_OK) ||
        fw_net_load_model(net, argv[1], argv[2]) != FW_OK) {
        return 0;
    }
    extractor = fw_extractor_create(net);
    ok = extractor != NULL &&
         fw_extractor_input_image(extractor, fw_net_input_name(net, 0), image->pixels, image->width, image->height,
                                  image->width * 3, 1) == FW_OK &&
         fw_extractor_extract(extractor, fw_net_output_name(net, 0), &scores, &shape) == FW_OK;
    if (ok) {
        for (i = 0; i < shape.rank; ++i) {
            count *= (size_t)shape.dims[i];
        }
        print_best(scores, count);
    }
    fw_extractor_destroy(extractor);
    return ok;
}

int main(int argc, char** argv) {
    picture image = {NULL, NULL, 0, 0};
    fw_net* net;
    int ok;
    if (argc < 4 || argc > 5) {
        fputs("usage: classify NET.param NET.bin PICTURE.ppm [NET.table]\n", stderr);
        return 2;
    }
    if (!load_picture(argv[3], &image)) {
        fprintf(stderr, "error: %s: not a binary PPM of 8 bits\n", argv[3]);
        free(image.bytes);
        return 1;
    }
    net = fw_net_create();
    ok = net != NULL && classify(net, argv, argc == 5 ? argv[4] : NULL, &image);
    if (!ok) {
        fprintf(stderr, "error: %s\n", fw_last_error());
    }
    fw_net_destroy(net);
    free(image.bytes);
    return ok ? 0 : 1;
}
