// What the commands of the converters do alike: their options, and how problems and results are shown.
#pragma once

#include "common/cli.h"
#include "import/finish.h"
#include "import/report.h"
#include "model/model_io.h"

namespace fw::import {

/// --mean --norm --size --pixel --fp16 --no-optimize.
struct CommandOptions {
    ConvertOptions convert;
    bool fp16 = false;

    void add_to(CLI::App* app);
    /// An error of usage where a preprocessing option cannot be read.
    Status check() const;
};

/// Prints warnings and notes unless --quiet. After a failure (`status`) prints every problem but the last and returns
/// that one, which ends the program.
Status show_report(const tools::Tool& tool, const Report& report, const Status& status);

/// Writes both files, and `beside` with them, all or none; says what was written.
Status save_converted(const tools::Tool& tool, const NetDef& net, const std::string& param, const std::string& bin,
                      bool fp16, Span<const OutputFile> beside = {});

}  // namespace fw::import
