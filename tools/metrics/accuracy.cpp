#include "metrics/accuracy.h"

namespace fw::tools {

const char* headline_of(Task task) {
    switch (task) {
        case Task::kClassify: return "top-1 %";
        case Task::kDetect: return "mAP@0.5 %";
        case Task::kSegment: return "mIoU %";
    }
    return "";
}

Status Accuracy::add(const ImageTruth& truth, const Mat& output) {
    switch (task_) {
        case Task::kClassify:
            FW_RETURN_IF_ERROR(check_scores(output, truth.label));
            classify_.add(output, truth.label);
            break;
        case Task::kDetect: {
            FW_ASSIGN_OR_RETURN(std::vector<DetectedBox> boxes, boxes_from_output(output));
            if (truth.known) {
                detect_.add(std::move(boxes), truth.boxes, truth.width, truth.height);
            }
            break;
        }
        case Task::kSegment: {
            FW_ASSIGN_OR_RETURN(const LabelMap found, label_map_from_output(output));
            if (truth.known) {
                FW_ASSIGN_OR_RETURN(const LabelMap mask, read_mask(truth.mask));
                segment_.add(found, mask);
            }
            break;
        }
    }
    images_ += truth.known ? 1 : 0;
    return {};
}

double Accuracy::percent() const {
    switch (task_) {
        case Task::kClassify: return classify_.top1();
        case Task::kDetect: return detect_.map50();
        case Task::kSegment: return segment_.miou();
    }
    return 0.0;
}

}  // namespace fw::tools
