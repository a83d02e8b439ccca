// plugin.h: a plugin as the dispatcher sees it, and what each call hands to it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "cni/cni_error.h"
#include "cni/environment.h"
#include "cni/result.h"
#include "cni/version.h"

namespace weft::cni {

struct Plugin;
/// The plugins of this program; a delegate that is one of them is called and not started.
using Plugins = std::span<const Plugin* const>;

/// One call of a plugin. Everything in it outlives the call.
struct Call {
  const Environment& environment;
  const Json& config;            ///< an object
  std::string_view config_text;  ///< the same as it was read; a delegate gets these bytes
  std::string network;           ///< "name"
  std::string version;           ///< "cniVersion", 0.1.0 when there is none
  Plugins siblings;
};

/// What a plugin is for: making an interface, giving addresses, or changing what others made.
enum class Kind { kMain, kIpam, kMeta };

struct Plugin {
  std::string_view name;
  CniResult<AddResult> (*add)(const Call&);
  CniStatus (*del)(const Call&);
  CniStatus (*check)(const Call&);
  /// These two may be nullptr: success without doing anything.
  CniStatus (*status)(const Call&);
  CniStatus (*gc)(const Call&);
  Versions versions = kAllVersions;
  Kind kind = Kind::kMain;
};

/// nullptr when there is none of that name.
const Plugin* find_plugin(Plugins plugins, std::string_view name);

}  // namespace weft::cni
