#include "caffe2fw/upgrade.h"

#include <cstring>
#include <map>

#include "caffe2fw/read.h"

namespace fw::caffe {

namespace {

struct V0Type {
    const char* name;
    V1LayerParameter::LayerType type;
};

constexpr V0Type kV0Types[] = {
    {"accuracy", V1LayerParameter::ACCURACY},
    {"bnll", V1LayerParameter::BNLL},
    {"concat", V1LayerParameter::CONCAT},
    {"conv", V1LayerParameter::CONVOLUTION},
    {"data", V1LayerParameter::DATA},
    {"dropout", V1LayerParameter::DROPOUT},
    {"euclidean_loss", V1LayerParameter::EUCLIDEAN_LOSS},
    {"flatten", V1LayerParameter::FLATTEN},
    {"hdf5_data", V1LayerParameter::HDF5_DATA},
    {"hdf5_output", V1LayerParameter::HDF5_OUTPUT},
    {"im2col", V1LayerParameter::IM2COL},
    {"images", V1LayerParameter::IMAGE_DATA},
    {"infogain_loss", V1LayerParameter::INFOGAIN_LOSS},
    {"innerproduct", V1LayerParameter::INNER_PRODUCT},
    {"lrn", V1LayerParameter::LRN},
    {"multinomial_logistic_loss", V1LayerParameter::MULTINOMIAL_LOGISTIC_LOSS},
    {"pool", V1LayerParameter::POOLING},
    {"relu", V1LayerParameter::RELU},
    {"sigmoid", V1LayerParameter::SIGMOID},
    {"softmax", V1LayerParameter::SOFTMAX},
    {"softmax_loss", V1LayerParameter::SOFTMAX_LOSS},
    {"split", V1LayerParameter::SPLIT},
    {"tanh", V1LayerParameter::TANH},
    {"window_data", V1LayerParameter::WINDOW_DATA},
};

struct V1Type {
    V1LayerParameter::LayerType type;
    const char* name;
};

constexpr V1Type kV1Types[] = {
    {V1LayerParameter::ABSVAL, "AbsVal"},
    {V1LayerParameter::ACCURACY, "Accuracy"},
    {V1LayerParameter::ARGMAX, "ArgMax"},
    {V1LayerParameter::BNLL, "BNLL"},
    {V1LayerParameter::CONCAT, "Concat"},
    {V1LayerParameter::CONTRASTIVE_LOSS, "ContrastiveLoss"},
    {V1LayerParameter::CONVOLUTION, "Convolution"},
    {V1LayerParameter::DATA, "Data"},
    {V1LayerParameter::DECONVOLUTION, "Deconvolution"},
    {V1LayerParameter::DROPOUT, "Dropout"},
    {V1LayerParameter::DUMMY_DATA, "DummyData"},
    {V1LayerParameter::ELTWISE, "Eltwise"},
    {V1LayerParameter::EUCLIDEAN_LOSS, "EuclideanLoss"},
    {V1LayerParameter::EXP, "Exp"},
    {V1LayerParameter::FLATTEN, "Flatten"},
    {V1LayerParameter::HDF5_DATA, "HDF5Data"},
    {V1LayerParameter::HDF5_OUTPUT, "HDF5Output"},
    {V1LayerParameter::HINGE_LOSS, "HingeLoss"},
    {V1LayerParameter::IM2COL, "Im2col"},
    {V1LayerParameter::IMAGE_DATA, "ImageData"},
    {V1LayerParameter::INFOGAIN_LOSS, "InfogainLoss"},
    {V1LayerParameter::INNER_PRODUCT, "InnerProduct"},
    {V1LayerParameter::LRN, "LRN"},
    {V1LayerParameter::MEMORY_DATA, "MemoryData"},
    {V1LayerParameter::MULTINOMIAL_LOGISTIC_LOSS, "MultinomialLogisticLoss"},
    {V1LayerParameter::MVN, "MVN"},
    {V1LayerParameter::POOLING, "Pooling"},
    {V1LayerParameter::POWER, "Power"},
    {V1LayerParameter::RELU, "ReLU"},
    {V1LayerParameter::SIGMOID, "Sigmoid"},
    {V1LayerParameter::SIGMOID_CROSS_ENTROPY_LOSS, "SigmoidCrossEntropyLoss"},
    {V1LayerParameter::SILENCE, "Silence"},
    {V1LayerParameter::SLICE, "Slice"},
    {V1LayerParameter::SOFTMAX, "Softmax"},
    {V1LayerParameter::SOFTMAX_LOSS, "SoftmaxWithLoss"},
    {V1LayerParameter::SPLIT, "Split"},
    {V1LayerParameter::TANH, "TanH"},
    {V1LayerParameter::THRESHOLD, "Threshold"},
    {V1LayerParameter::WINDOW_DATA, "WindowData"},
};

// The fields of a V0 layer, into the V1 layer of the same name that holds them.
void upgrade_v0_fields(const V0LayerParameter& from, V1LayerParameter* to) {
    const auto type = to->type();
    to->set_name(from.name());
    to->mutable_blobs()->CopyFrom(from.blobs());
    if (type == V1LayerParameter::CONVOLUTION) {
        ConvolutionParameter* conv = to->mutable_convolution_param();
        conv->set_num_output(from.num_output());
        conv->set_bias_term(from.biasterm());
        conv->add_pad(from.pad());
        if (from.has_kernelsize()) {
            conv->add_kernel_size(from.kernelsize());
        }
        conv->set_group(from.group());
        conv->add_stride(from.stride());
    } else if (type == V1LayerParameter::INNER_PRODUCT) {
        to->mutable_inner_product_param()->set_num_output(from.num_output());
        to->mutable_inner_product_param()->set_bias_term(from.biasterm());
    } else if (type == V1LayerParameter::POOLING) {
        PoolingParameter* pool = to->mutable_pooling_param();
        pool->set_pool(static_cast<PoolingParameter::PoolMethod>(from.pool()));
        pool->set_pad(from.pad());
        if (from.has_kernelsize()) {
            pool->set_kernel_size(from.kernelsize());
        }
        pool->set_stride(from.stride());
    } else if (type == V1LayerParameter::DROPOUT) {
        to->mutable_dropout_param()->set_dropout_ratio(from.dropout_ratio());
    } else if (type == V1LayerParameter::LRN) {
        LRNParameter* lrn = to->mutable_lrn_param();
        lrn->set_local_size(from.local_size());
        lrn->set_alpha(from.alpha());
        lrn->set_beta(from.beta());
        lrn->set_k(from.k());
    } else if (type == V1LayerParameter::CONCAT) {
        to->mutable_concat_param()->set_concat_dim(from.concat_dim());
    } else if (type == V1LayerParameter::DATA || type == V1LayerParameter::IMAGE_DATA ||
               type == V1LayerParameter::WINDOW_DATA) {
        TransformationParameter* transform = to->mutable_transform_param();
        transform->set_scale(from.scale());
        transform->set_crop_size(from.cropsize());
        if (from.has_meanfile()) {
            transform->set_mean_file(from.meanfile());
        }
        if (type == V1LayerParameter::IMAGE_DATA) {
            to->mutable_image_data_param()->set_new_height(static_cast<uint32_t>(std::max(0, from.new_height())));
            to->mutable_image_data_param()->set_new_width(static_cast<uint32_t>(std::max(0, from.new_width())));
        }
    }
}

// V0's padding layers: PAD -> conv becomes conv with pad. Maps the padding's top to what it reads and by how much.
struct Padding {
    std::string bottom;
    uint32_t pad;
};

void upgrade_v0(const std::string& file, import::Report* report, NetParameter* net) {
    std::map<std::string, Padding> paddings;
    google::protobuf::RepeatedPtrField<V1LayerParameter> out;
    for (V1LayerParameter& layer : *net->mutable_layers()) {
        if (!layer.has_layer()) {
            *out.Add() = layer;
            continue;
        }
        V0LayerParameter v0;
        v0.Swap(layer.mutable_layer());
        layer.clear_layer();
        const int line = layer.line();
        if (v0.type() == "padding") {
            if (layer.bottom_size() != 1 || layer.top_size() != 1) {
                report->layer_error(place(file, line), v0.name(), "padding",
                                    "has %d bottoms and %d tops, expected 1 and 1", layer.bottom_size(),
                                    layer.top_size());
                continue;
            }
            paddings[layer.top(0)] = {layer.bottom(0), v0.pad()};
            continue;
        }
        const V0Type* type = nullptr;
        for (const V0Type& t : kV0Types) {
            type = v0.type() == t.name ? &t : type;
        }
        if (type == nullptr) {
            report->layer_error(place(file, line), v0.name(), v0.type(), "layer type is not known (V0 layer)");
            continue;
        }
        V1LayerParameter* v1 = out.Add();
        v1->Swap(&layer);
        v1->set_type(type->type);
        for (std::string& bottom : *v1->mutable_bottom()) {
            const auto it = paddings.find(bottom);
            if (it == paddings.end()) {
                continue;
            }
            if (type->type != V1LayerParameter::CONVOLUTION && type->type != V1LayerParameter::POOLING) {
                report->layer_error(place(file, line), v0.name(), v0.type(),
                                    "reads a padding layer's top '%s': expected a conv or pool layer", bottom.c_str());
                continue;
            }
            v0.set_pad(it->second.pad);
            bottom = it->second.bottom;
        }
        for (const std::string& top : v1->top()) {
            paddings.erase(top);  // a later layer may reuse the blob's name
        }
        upgrade_v0_fields(v0, v1);
    }
    net->mutable_layers()->Swap(&out);
}

template <class From, class To>
void move_param(bool has, From* from, To* to) {
    if (has) {
        to->Swap(from);
    }
}

void upgrade_v1_layer(V1LayerParameter* from, LayerParameter* to) {
    for (const V1Type& t : kV1Types) {
        if (t.type == from->type()) {
            to->set_type(t.name);
        }
    }
    to->set_name(from->name());
    to->set_line(from->line());
    to->mutable_bottom()->Swap(from->mutable_bottom());
    to->mutable_top()->Swap(from->mutable_top());
    to->mutable_include()->Swap(from->mutable_include());
    to->mutable_exclude()->Swap(from->mutable_exclude());
    to->mutable_blobs()->Swap(from->mutable_blobs());
    for (const std::string& name : from->param()) {
        to->add_param()->set_name(name);
    }
#define FW_MOVE(field) move_param(from->has_##field(), from->mutable_##field(), to->mutable_##field())
    FW_MOVE(accuracy_param);
    FW_MOVE(argmax_param);
    FW_MOVE(concat_param);
    FW_MOVE(contrastive_loss_param);
    FW_MOVE(convolution_param);
    FW_MOVE(data_param);
    FW_MOVE(dropout_param);
    FW_MOVE(dummy_data_param);
    FW_MOVE(eltwise_param);
    FW_MOVE(exp_param);
    FW_MOVE(hdf5_data_param);
    FW_MOVE(hdf5_output_param);
    FW_MOVE(hinge_loss_param);
    FW_MOVE(image_data_param);
    FW_MOVE(infogain_loss_param);
    FW_MOVE(inner_product_param);
    FW_MOVE(lrn_param);
    FW_MOVE(memory_data_param);
    FW_MOVE(mvn_param);
    FW_MOVE(pooling_param);
    FW_MOVE(power_param);
    FW_MOVE(relu_param);
    FW_MOVE(sigmoid_param);
    FW_MOVE(softmax_param);
    FW_MOVE(slice_param);
    FW_MOVE(tanh_param);
    FW_MOVE(threshold_param);
    FW_MOVE(window_data_param);
    FW_MOVE(transform_param);
    FW_MOVE(loss_param);
#undef FW_MOVE
}

// Fields that data layers had before transform_param existed.
template <class Param>
void move_transform(const Param& from, TransformationParameter* to) {
    if (from.has_scale()) {
        to->set_scale(from.scale());
    }
    if (from.has_mean_file()) {
        to->set_mean_file(from.mean_file());
    }
    if (from.has_crop_size()) {
        to->set_crop_size(from.crop_size());
    }
}

void upgrade_inputs(const std::string& file, import::Report* report, NetParameter* net) {
    if (net->input_size() == 0) {
        return;
    }
    google::protobuf::RepeatedPtrField<LayerParameter> layers;
    const bool has_shapes = net->input_shape_size() > 0;
    const bool has_dims = net->input_dim_size() > 0;
    if ((has_shapes && net->input_shape_size() != net->input_size()) ||
        (!has_shapes && has_dims && net->input_dim_size() != 4 * net->input_size())) {
        report->error(
            file,
            "has %d inputs but %d input_shape and %d input_dim: expected one input_shape or four input_dim an input",
            net->input_size(), net->input_shape_size(), net->input_dim_size());
    }
    for (int i = 0; i < net->input_size(); ++i) {
        LayerParameter* layer = layers.Add();
        layer->set_name(net->input(i));
        layer->set_type("Input");
        layer->add_top(net->input(i));
        if (i < net->input_shape_size()) {
            *layer->mutable_input_param()->add_shape() = net->input_shape(i);
        } else if (4 * i + 3 < net->input_dim_size()) {
            BlobShape* shape = layer->mutable_input_param()->add_shape();
            for (int k = 0; k < 4; ++k) {
                shape->add_dim(net->input_dim(4 * i + k));
            }
        }
    }
    for (LayerParameter& layer : *net->mutable_layer()) {
        layers.Add()->Swap(&layer);
    }
    net->mutable_layer()->Swap(&layers);
    net->clear_input();
    net->clear_input_shape();
    net->clear_input_dim();
}

bool rule_met(const NetStateRule& rule, const NetState& state) {
    if (rule.has_phase() && rule.phase() != TEST) {
        return false;
    }
    if ((rule.has_min_level() && state.level() < rule.min_level()) ||
        (rule.has_max_level() && state.level() > rule.max_level())) {
        return false;
    }
    const auto in_state = [&](const std::string& stage) {
        for (const std::string& s : state.stage()) {
            if (s == stage) {
                return true;
            }
        }
        return false;
    };
    for (const std::string& stage : rule.stage()) {
        if (!in_state(stage)) {
            return false;
        }
    }
    for (const std::string& stage : rule.not_stage()) {
        if (in_state(stage)) {
            return false;
        }
    }
    return true;
}

}  // namespace

void upgrade(const std::string& file, import::Report* report, NetParameter* net) {
    if (net->layers_size() > 0 && net->layer_size() > 0) {
        report->error(file, "mixes `layer` and `layers`: expected one generation of layers");
        return;
    }
    upgrade_v0(file, report, net);
    for (V1LayerParameter& v1 : *net->mutable_layers()) {
        upgrade_v1_layer(&v1, net->add_layer());
    }
    net->clear_layers();
    for (LayerParameter& layer : *net->mutable_layer()) {
        if (layer.has_data_param()) {
            move_transform(layer.data_param(), layer.mutable_transform_param());
        }
        if (layer.has_image_data_param()) {
            move_transform(layer.image_data_param(), layer.mutable_transform_param());
        }
        if (layer.has_window_data_param()) {
            move_transform(layer.window_data_param(), layer.mutable_transform_param());
        }
    }
    upgrade_inputs(file, report, net);
}

void keep_test_phase(NetParameter* net) {
    google::protobuf::RepeatedPtrField<LayerParameter> kept;
    for (LayerParameter& layer : *net->mutable_layer()) {
        bool include = layer.include_size() == 0;
        for (const NetStateRule& rule : layer.include()) {
            include = include || rule_met(rule, net->state());
        }
        for (const NetStateRule& rule : layer.exclude()) {
            include = include && !rule_met(rule, net->state());
        }
        if (include) {
            kept.Add()->Swap(&layer);
        }
    }
    net->mutable_layer()->Swap(&kept);
}

}  // namespace fw::caffe
