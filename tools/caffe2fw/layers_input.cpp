// Where data comes in, and layers that leave nothing behind.
#include <utility>

#include "caffe2fw/layers.h"

namespace fw::caffe {

namespace {

// `dims` of top `name` with a batch of 1: one sample at a time.
void set_batch(const Conversion& c, const std::string& name, Dims* dims) {
    const bool sequence = c.sequence_blobs.count(name) != 0;
    if (dims->size() >= 2 && c.region_blobs.count(name) == 0) {
        (*dims)[sequence ? 1 : 0] = 1;
    }
}

// One Input layer for top `i`. Empty `dims` = not known from the file.
void input(LayerContext* ctx, int i, Dims dims) {
    Conversion& c = ctx->conversion();
    const std::string& name = ctx->param().top(i);
    const bool rows = c.region_blobs.count(name) != 0 || c.sequence_blobs.count(name) != 0;
    set_batch(c, name, &dims);
    const bool image = (dims.size() == 4 && !rows) || dims.empty();
    const bool first_image = image && c.image_input.channels == 0;
    Preprocess size;
    if (first_image && !c.options.preprocess.size.empty() &&
        tools::parse_size("--size", c.options.preprocess.size, &size.width, &size.height).ok()) {
        if (dims.empty()) {
            dims = {1, c.options.preprocess.pixel == "GRAY" ? 1 : 3, 0, 0};
        }
        dims[2] = size.height;
        dims[3] = size.width;
    }
    if (dims.empty()) {
        ctx->error("top '%s' has no shape, expected one in the file or --size WIDTHxHEIGHT",
                   ctx->param().top(i).c_str());
    }
    for (const int64_t d : dims) {
        if (d < 1 || d > kMaxParam) {
            ctx->error("top '%s' has shape %s, expected extents of 1 to %lld%s", ctx->param().top(i).c_str(),
                       dims_text(dims).c_str(), static_cast<long long>(kMaxParam),
                       first_image ? " (--size WIDTHxHEIGHT sets height and width)" : "");
            break;
        }
    }
    LayerBuilder& layer = i == 0 ? ctx->add("Input", {}) : ctx->add_inner("Input", std::to_string(i), {});
    if (natural_shape(dims).size() <= 4) {
        set_extents(&layer, natural_shape(dims));
    }
    if (first_image && !ctx->failed()) {
        c.image_input = {static_cast<int>(dims[1]), static_cast<int>(dims[2]), static_cast<int>(dims[3])};
    }
    c.has_input = true;
    ctx->top(&layer, i, dims);
}

// The tops after the first are labels; they vanish with the losses that read them.
void labels(LayerContext* ctx) {
    for (int i = 1; i < ctx->tops(); ++i) {
        ctx->conversion().label_blobs.insert(ctx->param().top(i));
    }
}

Dims shape_dims(const BlobShape& shape) {
    return {shape.dim().begin(), shape.dim().end()};
}

}  // namespace

void convert_input(LayerContext* ctx) {
    const InputParameter& param = ctx->param().input_param();
    if (param.shape_size() > 1 && param.shape_size() != ctx->tops()) {
        ctx->error("has %d shapes, expected 1 or %d (one a top)", param.shape_size(), ctx->tops());
        return ctx->give_up();
    }
    for (int i = 0; i < ctx->tops(); ++i) {
        Dims dims;
        if (param.shape_size() > 0) {
            dims = shape_dims(param.shape(param.shape_size() == 1 ? 0 : i));
        }
        input(ctx, i, std::move(dims));
    }
}

void convert_dummy_data(LayerContext* ctx) {
    const DummyDataParameter& dummy = ctx->param().dummy_data_param();
    for (int i = 0; i < ctx->tops(); ++i) {
        Dims dims;
        if (dummy.shape_size() > 0) {
            dims = shape_dims(dummy.shape(i < dummy.shape_size() ? i : 0));
        } else {
            for (const auto* field : {&dummy.num(), &dummy.channels(), &dummy.height(), &dummy.width()}) {
                if (field->size() > 0) {
                    dims.push_back(field->Get(i < field->size() ? i : 0));
                }
            }
            if (dims.size() != 4) {
                dims.clear();
            }
        }
        if (!ctx->conversion().has_input) {
            input(ctx, i, std::move(dims));
            continue;
        }
        // Beside a real input it is a constant.
        const bool filled = dummy.data_filler_size() > 0;
        const FillerParameter& filler =
            filled ? dummy.data_filler(i < dummy.data_filler_size() ? i : 0) : FillerParameter::default_instance();
        set_batch(ctx->conversion(), ctx->param().top(i), &dims);
        const int64_t count = dims_count(dims);
        if (filler.type() != "constant" || dims.empty() || count < 1 || count > kMaxConstant ||
            natural_shape(dims).size() > 4) {
            ctx->error(
                "top '%s' has shape %s and filler '%s', expected a constant of at most %lld elements beside other "
                "inputs",
                ctx->param().top(i).c_str(), dims_text(dims).c_str(), filler.type().c_str(),
                static_cast<long long>(kMaxConstant));
            return ctx->give_up();
        }
        if (!ctx->take_budget(count)) {
            return ctx->give_up();
        }
        LayerBuilder& layer = i == 0 ? ctx->add("MemoryData", {}) : ctx->add_inner("MemoryData", std::to_string(i), {});
        set_extents(&layer, natural_shape(dims));
        layer.weight(std::vector<float>(static_cast<size_t>(count), filler.value()));
        ctx->top(&layer, i, dims);
    }
}

void convert_memory_data(LayerContext* ctx) {
    const MemoryDataParameter& data = ctx->param().memory_data_param();
    input(ctx, 0, {1, data.channels(), data.height(), data.width()});
    labels(ctx);
}

// Data, ImageData and their like: the file says at most the size of the crop.
void convert_image_data(LayerContext* ctx) {
    const LayerParameter& p = ctx->param();
    const TransformationParameter& transform = p.transform_param();
    const ImageDataParameter& images = p.image_data_param();
    const bool gray = transform.force_gray() || (p.has_image_data_param() && !images.is_color());
    const int64_t channels = gray ? 1 : 3;
    Dims dims;
    if (transform.crop_size() > 0) {
        dims = {1, channels, transform.crop_size(), transform.crop_size()};
    } else if (images.new_height() > 0 && images.new_width() > 0) {
        dims = {1, channels, images.new_height(), images.new_width()};
    }
    input(ctx, 0, dims);
    labels(ctx);
    if (transform.has_mean_file()) {
        ctx->warn("mean_file '%s' is not read: give --mean", transform.mean_file().c_str());
    }
    if ((transform.mean_value_size() > 0 || transform.has_scale()) && transform.mean_value_size() <= 4) {
        Preprocess& pre = ctx->conversion().data_preprocess;
        pre.pixel = gray ? Pixel::kGray : Pixel::kBgr;
        pre.mean.assign(transform.mean_value().begin(), transform.mean_value().end());
        if (transform.scale() != 1.0F) {
            pre.norm = {transform.scale()};
        }
        ctx->note("its mean and scale are stored as the model's preprocessing");
    }
}

void convert_silence(LayerContext* ctx) {
    for (const BlobId id : ctx->all_in()) {
        ctx->conversion().silenced.insert(id);
    }
}

void convert_nothing(LayerContext* /*ctx*/) {}

}  // namespace fw::caffe
