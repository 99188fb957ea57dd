// Names for headers: CLI11 takes ten seconds to compile, and is read only where options are added.
#pragma once

namespace CLI {
class App;
}

namespace fw::tools {
class Tool;  // common/cli.h
}
