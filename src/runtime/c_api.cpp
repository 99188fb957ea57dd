#include "fw/c_api.h"

#include <cstring>
#include <new>

#include "fw/version.h"
#include "runtime/c_handles.h"

using fw::c::bad_argument;
using fw::c::report;

namespace {

static_assert(FW_INTERNAL == static_cast<int>(fw::Code::kInternal) &&
              FW_SHADER_REJECTED == static_cast<int>(fw::Code::kShaderRejected));

thread_local fw::Status t_last;

fw_status loaded(fw_net* net, const fw::Status& status) {
    if (status.ok()) {
        net->inputs = net->net.input_names();
        net->outputs = net->net.output_names();
    }
    return report(status);
}

fw_shape to_c(const fw::Shape& shape) {
    return {shape.rank, {shape.dims[0], shape.dims[1], shape.dims[2], shape.dims[3]}};
}

const char* name_at(const std::vector<std::string>& names, int index) {
    return index >= 0 && static_cast<size_t>(index) < names.size() ? names[static_cast<size_t>(index)].c_str()
                                                                   : nullptr;
}

fw_status set_input(fw_extractor* extractor, const char* blob, const float* data, const fw_shape& shape,
                    const fw::ExternalBuffer& buffer) {
    if (extractor == nullptr || blob == nullptr || data == nullptr) {
        return bad_argument("extractor, blob or data is null");
    }
    fw::Shape extents;
    extents.rank = shape.rank >= 1 && shape.rank <= fw::Shape::kMaxRank ? shape.rank : 0;
    for (int axis = 0; axis < extents.rank; ++axis) {
        extents[axis] = shape.dims[axis];
    }
    if (!extents.valid()) {
        return report(
            fw::Status::error(fw::Code::kInvalidArgument, "input '%s': bad shape of rank %d", blob, shape.rank));
    }
    // The runtime does not write to inputs; Mat has no read-only form.
    return report(extractor->extractor.input(blob, fw::Mat::wrap(const_cast<float*>(data), extents), buffer));
}

}  // namespace

namespace fw::c {

fw_status report(fw::Status status) {
    t_last = std::move(status);
    return static_cast<fw_status>(t_last.code());
}

fw_status bad_argument(const char* what) {
    return report(fw::Status::error(fw::Code::kInvalidArgument, "%s", what));
}

}  // namespace fw::c

const char* fw_version(void) {
    return fw::version();
}

const char* fw_last_error(void) {
    return t_last.message();
}

fw_net* fw_net_create(void) {
    return new (std::nothrow) fw_net;
}

void fw_net_destroy(fw_net* net) {
    delete net;
}

fw_status fw_net_load_table(fw_net* net, const char* path) {
    if (net == nullptr || path == nullptr) {
        return bad_argument("net or path is null");
    }
    return report(net->net.load_table(path));
}

fw_status fw_net_load_model(fw_net* net, const char* param_path, const char* bin_path) {
    if (net == nullptr) {
        return bad_argument("net is null");
    }
    return loaded(net, net->net.load_model(param_path, bin_path));
}

fw_status fw_net_load_model_memory(fw_net* net, const char* param, size_t param_size, const void* bin,
                                   size_t bin_size) {
    if (net == nullptr || (param == nullptr && param_size > 0) || (bin == nullptr && bin_size > 0)) {
        return bad_argument("net, param or bin is null");
    }
    const fw::Span<const uint8_t> bytes(static_cast<const uint8_t*>(bin), bin_size);
    return loaded(net, net->net.load_model_memory(fw::Span<const char>(param, param_size), bytes));
}

int fw_net_input_count(const fw_net* net) {
    return net == nullptr ? 0 : static_cast<int>(net->inputs.size());
}

const char* fw_net_input_name(const fw_net* net, int index) {
    return net == nullptr ? nullptr : name_at(net->inputs, index);
}

fw_status fw_net_input_shape(const fw_net* net, int index, fw_shape* shape) {
    const char* blob = fw_net_input_name(net, index);
    if (blob == nullptr || shape == nullptr) {
        return bad_argument("net or shape is null, or the net has no such input");
    }
    *shape = to_c(net->net.input_shape(blob));
    return report({});
}

int fw_net_output_count(const fw_net* net) {
    return net == nullptr ? 0 : static_cast<int>(net->outputs.size());
}

const char* fw_net_output_name(const fw_net* net, int index) {
    return net == nullptr ? nullptr : name_at(net->outputs, index);
}

fw_status fw_net_model_hash(const fw_net* net, char* hash, size_t size) {
    if (net == nullptr || hash == nullptr) {
        return bad_argument("net or hash is null");
    }
    const fw::Result<std::string> made = net->net.model_hash();
    if (!made.ok()) {
        return report(made.status());
    }
    if (made->size() >= size) {
        return report(fw::Status::error(fw::Code::kInvalidArgument, "the hash takes %zu bytes, given are %zu",
                                        made->size() + 1, size));
    }
    std::memcpy(hash, made->c_str(), made->size() + 1);
    return report({});
}

fw_status fw_net_memory_use(const fw_net* net, fw_memory_use* use) {
    if (net == nullptr || use == nullptr) {
        return bad_argument("net or use is null");
    }
    const fw::MemoryUse sizes = net->net.memory_use();
    *use = fw_memory_use{sizes.weights, sizes.activations, sizes.least_activations, sizes.device_weights};
    return report({});
}

fw_extractor* fw_extractor_create(const fw_net* net) {
    if (net == nullptr) {
        bad_argument("net is null");
        return nullptr;
    }
    auto* made = new (std::nothrow) fw_extractor{net->net.create_extractor(), net->net.preprocess(), {}};
    report(made != nullptr ? fw::Status() : fw::Status::error(fw::Code::kOutOfMemory, "no memory for an extractor"));
    return made;
}

void fw_extractor_destroy(fw_extractor* extractor) {
    delete extractor;
}

fw_status fw_extractor_input(fw_extractor* extractor, const char* blob, const float* data, fw_shape shape) {
    return set_input(extractor, blob, data, shape, {});
}

fw_status fw_extractor_input_buffer(fw_extractor* extractor, const char* blob, const float* data, fw_shape shape,
                                    void* hardware_buffer, size_t offset) {
    return set_input(extractor, blob, data, shape, {hardware_buffer, offset});
}

fw_status fw_extractor_input_image(fw_extractor* extractor, const char* blob, const uint8_t* pixels, int width,
                                   int height, int stride, int pixel) {
    if (extractor == nullptr || blob == nullptr || pixel < 1 || pixel > 3) {
        return bad_argument("extractor or blob is null, or pixel is not 1 (RGB), 2 (BGR) or 3 (gray)");
    }
    if (!extractor->preprocess.known()) {
        return report(fw::Status::error(fw::Code::kFailedPrecondition, "the model stores no preprocessing"));
    }
    const fw::Image image{pixels, width, height, stride, static_cast<fw::Pixel>(pixel)};
    const fw::Result<fw::Mat> mat = fw::mat_from_image(image, extractor->preprocess);
    return report(mat.ok() ? extractor->extractor.input(blob, *mat) : mat.status());
}

fw_status fw_extractor_extract(fw_extractor* extractor, const char* blob, const float** data, fw_shape* shape) {
    if (extractor == nullptr || blob == nullptr || data == nullptr) {
        return bad_argument("extractor, blob or data is null");
    }
    const fw::Status status = extractor->extractor.extract(blob, &extractor->result);
    if (!status.ok()) {
        return report(status);
    }
    *data = extractor->result.data();
    if (shape != nullptr) {
        *shape = to_c(extractor->result.shape());
    }
    return report({});
}

fw_status fw_extractor_enable_profile(fw_extractor* extractor, int enable) {
    if (extractor == nullptr) {
        return bad_argument("extractor is null");
    }
    extractor->extractor.enable_profile(enable != 0);
    return report({});
}

const double* fw_extractor_profile(const fw_extractor* extractor, int* count) {
    if (extractor == nullptr || count == nullptr) {
        bad_argument("extractor or count is null");
        return nullptr;
    }
    const std::vector<double>& times = extractor->extractor.profile();
    *count = static_cast<int>(times.size());
    return times.data();
}
