#include "common/jpeg.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>

// jpeglib.h wants <cstdio> before it.
#include <jerror.h>
#include <jpeglib.h>

namespace fw::tools {

namespace {

constexpr int kMaxScans = 500;  // a progressive file of a few hundred is odd; thousands are an attack on our time

// What libjpeg's callbacks reach through `common.client_data`. No member may need a destructor: errors arrive by
// longjmp.
struct Decoder {
    jpeg_decompress_struct info = {};
    jpeg_error_mgr errors = {};
    jpeg_progress_mgr progress = {};
    jmp_buf jump = {};
    char message[JMSG_LENGTH_MAX] = {};
    bool saw_end_of_file = false;
    bool lacked_data = false;
    uint8_t* pixels = nullptr;
    Span<const uint8_t> file;
};

Decoder* decoder_of(j_common_ptr common) {
    return static_cast<Decoder*>(common->client_data);
}

[[noreturn]] void on_error(j_common_ptr common) {
    Decoder* decoder = decoder_of(common);
    common->err->format_message(common, decoder->message);
    std::longjmp(decoder->jump, 1);  // NOLINT(cert-err52-cpp): the way out that libjpeg's manual gives
}

void on_message(j_common_ptr common, int level) {
    if (level < 0) {
        decoder_of(common)->saw_end_of_file |= common->err->msg_code == JWRN_JPEG_EOF;
        decoder_of(common)->lacked_data |= common->err->msg_code == JWRN_HIT_MARKER;
    }
}

void on_progress(j_common_ptr common) {
    Decoder* decoder = decoder_of(common);
    if (decoder->info.input_scan_number > kMaxScans) {
        std::snprintf(decoder->message, sizeof decoder->message, "more than %d scans", kMaxScans);
        std::longjmp(decoder->jump, 1);  // NOLINT(cert-err52-cpp)
    }
}

// Runs a step that has no objects with destructors; false = `message` says why it failed.
bool guarded(Decoder* decoder, void (*step)(Decoder*)) {
    if (setjmp(decoder->jump) != 0) {  // NOLINT(cert-err52-cpp)
        return false;
    }
    step(decoder);
    return true;
}

void read_header(Decoder* decoder) {
    jpeg_decompress_struct* info = &decoder->info;
    jpeg_create_decompress(info);
    info->client_data = decoder;
    info->progress = &decoder->progress;
    jpeg_mem_src(info, decoder->file.data(), static_cast<unsigned long>(decoder->file.size()));
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(info, TRUE);
    switch (info->jpeg_color_space) {
        case JCS_GRAYSCALE: info->out_color_space = JCS_GRAYSCALE; break;
        case JCS_CMYK:
        case JCS_YCCK: info->out_color_space = JCS_CMYK; break;
        default: info->out_color_space = JCS_RGB; break;
    }
    jpeg_calc_output_dimensions(info);
}

void read_pixels(Decoder* decoder) {
    jpeg_decompress_struct* info = &decoder->info;
    jpeg_start_decompress(info);
    const size_t row_bytes = size_t{info->output_width} * static_cast<size_t>(info->output_components);
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = decoder->pixels + info->output_scanline * row_bytes;
        jpeg_read_scanlines(info, &row, 1);
    }
}

unsigned number(const uint8_t* bytes, int count, bool little_endian) {
    unsigned value = 0;
    for (int i = 0; i < count; ++i) {
        value = value << 8 | bytes[little_endian ? count - 1 - i : i];
    }
    return value;
}

// Tag 0x0112 of the first directory of an Exif marker ("Exif\0\0", then a TIFF file); 1 where there is none.
int exif_orientation(const jpeg_marker_struct* marker) {
    for (; marker != nullptr; marker = marker->next) {
        if (marker->data_length < 6 + 8 || std::memcmp(marker->data, "Exif\0\0", 6) != 0) {
            continue;
        }
        const uint8_t* tiff = marker->data + 6;
        const size_t size = marker->data_length - 6;
        const bool little = tiff[0] == 'I';
        const size_t directory = number(tiff + 4, 4, little);
        if (number(tiff + 2, 2, little) != 42 || directory > size - 2) {
            return 1;
        }
        const size_t entries = number(tiff + directory, 2, little);
        for (size_t i = 0; i < entries && directory + 2 + (i + 1) * 12 <= size; ++i) {
            const uint8_t* entry = tiff + directory + 2 + i * 12;  // tag, type, count, value
            if (number(entry, 2, little) == 0x0112) {
                const unsigned value = number(entry + 8, 2, little);
                return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
            }
        }
        return 1;
    }
    return 1;
}

// As Adobe writes it, 255 = no ink.
void rgb_from_cmyk(std::vector<uint8_t>* bytes) {
    const size_t count = bytes->size() / 4;
    for (size_t i = 0; i < count; ++i) {
        const uint8_t* in = bytes->data() + i * 4;
        const int black = in[3];
        for (size_t c = 0; c < 3; ++c) {
            (*bytes)[i * 3 + c] = static_cast<uint8_t>((in[c] * black + 127) / 255);
        }
    }
    bytes->resize(count * 3);
}

Status describe(Decoder* decoder, Pixels* out) {
    const jpeg_decompress_struct& info = decoder->info;
    if (!guarded(decoder, read_header)) {
        return Status::error(Code::kParseError, "%s", decoder->message);
    }
    out->width = static_cast<int>(info.output_width);
    out->height = static_cast<int>(info.output_height);
    out->channels = info.out_color_space == JCS_GRAYSCALE ? 1 : 3;
    out->orientation = exif_orientation(info.marker_list);
    return {};
}

Status decode(Decoder* decoder, int64_t max_pixels, Pixels* out) {
    const jpeg_decompress_struct& info = decoder->info;
    FW_RETURN_IF_ERROR(describe(decoder, out));
    if (int64_t{info.output_width} * info.output_height > max_pixels) {
        return Status::error(Code::kUnsupported, "%ux%u pixels, at most %lld are read from a file of this size",
                             info.output_width, info.output_height, static_cast<long long>(max_pixels));
    }
    const size_t samples = info.out_color_space == JCS_CMYK ? 4 : static_cast<size_t>(out->channels);
    out->bytes.resize(size_t{info.output_width} * info.output_height * samples);
    decoder->pixels = out->bytes.data();
    if (!guarded(decoder, read_pixels)) {
        return Status::error(Code::kParseError, "%s", decoder->message);
    }
    if (decoder->saw_end_of_file && decoder->lacked_data) {
        return Status::error(Code::kParseError, "the file is cut off");
    }
    if (samples == 4) {
        rgb_from_cmyk(&out->bytes);
    }
    return {};
}

// `work(decoder, out)` with a decoder of `file`.
template <class Work>
Result<Pixels> with_decoder(Span<const uint8_t> file, const Work& work) {
    Decoder decoder;
    decoder.file = file;
    decoder.info.err = jpeg_std_error(&decoder.errors);
    decoder.info.client_data = &decoder;  // an error may come before jpeg_create_decompress is through
    decoder.errors.error_exit = on_error;
    decoder.errors.emit_message = on_message;
    decoder.progress.progress_monitor = on_progress;
    Pixels out;
    Status status = work(&decoder, &out);
    jpeg_destroy_decompress(&decoder.info);
    if (!status.ok()) {
        return status;
    }
    return out;
}

}  // namespace

bool looks_like_jpeg(Span<const uint8_t> file) {
    return file.size() > 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff;
}

Result<Pixels> read_jpeg_header(Span<const uint8_t> file) {
    return with_decoder(file, describe);
}

Result<Pixels> decode_jpeg(Span<const uint8_t> file, int64_t max_pixels) {
    return with_decoder(file, [max_pixels](Decoder* decoder, Pixels* out) { return decode(decoder, max_pixels, out); });
}

}  // namespace fw::tools
