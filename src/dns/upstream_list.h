// upstream_list.h: whom a `forward` asks, where a resolv.conf says so. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dns/plugin_options.h"

namespace weft::dns {

struct UpstreamList {
  std::vector<Upstream> upstreams = {};
  std::vector<std::string> notes = {};  ///< what was passed over, each as a sentence for the log
};

/// Those of the options, in order, and the nameservers of the files that they name. A loopback
/// address of a file is a stub resolver's, which asks us in turn where it was told to, and one of
/// `own` is ourselves: both are passed over. In place of systemd-resolved's stub its own list is
/// read (/run/systemd/resolve/resolv.conf). `read` gives a file's text; nothing: it is not there.
UpstreamList list_upstreams(
    const ForwardOptions& options, const std::vector<IpAddress>& own,
    const std::function<std::optional<std::string>(const std::string& path)>& read);

}  // namespace weft::dns
