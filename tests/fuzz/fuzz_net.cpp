// A network with one of its files replaced by any bytes, from loading to results. The first byte says which network,
// which file and which precision. `fuzz_net --seeds=FOLDER` writes the good files in this form and ends.
#include <cstdio>
#include <cstdlib>

#include "support/sample_models.h"

namespace {

constexpr std::string fw::test::SampleModel::*kFiles[] = {&fw::test::SampleModel::param, &fw::test::SampleModel::bin,
                                                          &fw::test::SampleModel::table};
constexpr fw::Precision kPrecisions[] = {fw::Precision::kInt8, fw::Precision::kFloat, fw::Precision::kFp16};

const std::vector<fw::test::SampleModel>& models() {
    static const std::vector<fw::test::SampleModel> kModels = fw::test::sample_models();
    return kModels;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    const std::string option = "--seeds=";
    for (int i = 1; i < *argc; ++i) {
        const std::string argument = (*argv)[i];
        if (argument.compare(0, option.size(), option) != 0) {
            continue;
        }
        for (size_t choice = 0; choice < models().size() * 3 * 3; ++choice) {
            const std::string path = argument.substr(option.size()) + "/" + std::to_string(choice);
            const std::string& bytes = models()[choice / 9].*kFiles[choice / 3 % 3];
            std::FILE* file = std::fopen(path.c_str(), "wb");
            if (file == nullptr) {
                std::abort();
            }
            std::fputc(static_cast<int>(choice), file);
            std::fwrite(bytes.data(), 1, bytes.size(), file);
            std::fclose(file);
        }
        std::exit(0);
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const size_t choice = data[0] % (models().size() * 9);
    fw::test::SampleModel files = models()[choice / 9];
    files.*kFiles[choice / 3 % 3] = std::string(reinterpret_cast<const char*>(data) + 1, size - 1);
    fw::Status status;
    fw::test::load_and_run(files, kPrecisions[choice % 3], &status);
    return 0;
}
