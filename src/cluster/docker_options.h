// docker_options.h: the options of a Docker daemon whose containers live in this node's subnet.
//
// What flannel's mk-docker-opts.sh writes, letter by letter: a file that a systemd unit reads with
// EnvironmentFile=. Where the script would run whatever subnet.env holds, this takes values only
// for what they must be. IPv4 only, as the script.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace weft {

struct DockerOptionsFlags {
  bool individual = false;  ///< -i; with neither of the two, both are written
  bool combined = false;    ///< -c
  std::string key = "DOCKER_OPTS";
  bool masquerade = true;  ///< false with -m: nothing about --ip-masq
};

struct DockerOptions {
  std::string text;              ///< the file
  std::optional<Prefix> subnet;  ///< the containers'
};

/// `subnet_env` is the text of subnet.env, or empty. `environment` holds the DOCKER_OPT_* variables
/// and the one that the key names: they are passed on, and what was not known gets no option.
Result<DockerOptions> docker_options(std::string_view subnet_env, const DockerOptionsFlags& flags,
                                     const std::map<std::string, std::string>& environment);

}  // namespace weft
