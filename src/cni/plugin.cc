#include "cni/plugin.h"

#include <algorithm>

namespace weft::cni {

const Plugin* find_plugin(Plugins plugins, std::string_view name) {
  const auto found = std::find_if(plugins.begin(), plugins.end(),
                                  [&](const Plugin* plugin) { return plugin->name == name; });
  return found == plugins.end() ? nullptr : *found;
}

}  // namespace weft::cni
