// zoo_golden DIR [--tables]: writes DIR/golden.json, with --tables the tables too (needed when a network of the zoo
// changes). Runs at the scalar level with one thread: the reference that all others have to equal.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "zoo/golden.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace {

fw::Status write_all(const std::string& dir, bool tables) {
    nlohmann::ordered_json json;
    for (const std::string& name : fw::zoo::golden_networks()) {
        const fw::zoo::Network* network = fw::zoo::find(name);
        if (network == nullptr) {
            std::printf("%-20s is not in the zoo\n", name.c_str());
            continue;
        }
        FW_ASSIGN_OR_RETURN(const fw::NetDef def, fw::zoo::build(*network, fw::zoo::kGoldenSeed));
        const std::string path = dir + "/" + name + ".table";
        if (tables) {
            FW_ASSIGN_OR_RETURN(const fw::ScaleTable made, fw::zoo::made_table(def, fw::zoo::kGoldenSeed, 2));
            std::ofstream(path) << made.to_text();
        }
        FW_ASSIGN_OR_RETURN(const fw::ScaleTable table, fw::ScaleTable::load(path.c_str()));
        const fw::ScopedIsa scalar(fw::Isa::kScalar);
        FW_ASSIGN_OR_RETURN(const fw::zoo::Golden golden, fw::zoo::run_golden(def, table, fw::Option()));
        std::printf("%-20s %d conversions\n", name.c_str(), golden.conversions);
        json[name] = {{"conversions", golden.conversions}, {"blobs", golden.blobs}};
    }
    std::ofstream(dir + "/golden.json") << json.dump(1) << "\n";
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    const bool tables = argc == 3 && std::strcmp(argv[2], "--tables") == 0;
    if (argc < 2 || (argc > 2 && !tables)) {
        std::fprintf(stderr, "usage: zoo_golden DIR [--tables]\n");
        return 2;
    }
    const fw::Status status = write_all(argv[1], tables);
    if (!status.ok()) {
        std::fprintf(stderr, "error: %s\n", status.message());
        return 1;
    }
    return 0;
}
