// Names of CLI11 for headers: the library itself takes ten seconds to compile, and is read only where options are added.
#pragma once

namespace CLI {
class App;
}
