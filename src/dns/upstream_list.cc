#include "dns/upstream_list.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cluster/resolv_conf.h"

namespace weft::dns {
namespace {

constexpr const char* kResolvedFile = "/run/systemd/resolve/resolv.conf";
constexpr std::size_t kMostUpstreams = 15;

using Read = std::function<std::optional<std::string>(const std::string& path)>;

// Without the zone of a link-local address, which a socket cannot be told in this place.
std::optional<IpAddress> address_in(const std::string& server) {
  return IpAddress::parse(server);
}

class Reader {
 public:
  Reader(const std::vector<IpAddress>& own, const Read& read) : own_(own), read_(read) {}

  // True when a stub was passed over.
  bool take_file(const std::string& path, UpstreamList& list) {
    const auto text = read_(path);
    if (!text) {
      list.notes.push_back(path + " is not there: nobody can be asked for its sake");
      return false;
    }
    const auto file = parse_resolv_conf(*text);
    if (!file) {
      list.notes.push_back(path + ": " + file.error().text());
      return false;
    }
    bool has_stub = false;
    for (const std::string& server : file->servers) has_stub |= take_server(path, server, list);
    return has_stub;
  }

 private:
  bool take_server(const std::string& path, const std::string& server, UpstreamList& list) {
    const auto address = address_in(server);
    if (!address || address->is_unspecified()) {
      list.notes.push_back(path + ": nameserver " + shown(server) + " is passed over: no address");
      return false;
    }
    if (address->is_loopback()) {
      list.notes.push_back(path + ": nameserver " + server +
                           " is passed over: a stub on this machine, which may ask us in turn");
      return true;
    }
    if (std::find(own_.begin(), own_.end(), *address) != own_.end()) {
      list.notes.push_back(path + ": nameserver " + server +
                           " is passed over: it is this server itself");
      return false;
    }
    const Upstream upstream{.address = {.address = *address, .port = 53}};
    const auto& known = list.upstreams;
    if (std::find(known.begin(), known.end(), upstream) == known.end())
      list.upstreams.push_back(upstream);
    return false;
  }

  const std::vector<IpAddress>& own_;
  const Read& read_;
};

}  // namespace

UpstreamList list_upstreams(const ForwardOptions& options, const std::vector<IpAddress>& own,
                            const Read& read) {
  UpstreamList list{.upstreams = options.upstreams};
  for (Upstream& upstream : list.upstreams)
    if (upstream.tls_name.empty()) upstream.tls_name = options.tls_name;
  Reader reader(own, read);
  for (const std::string& path : options.resolv_files) {
    if (!reader.take_file(path, list) || path == kResolvedFile) continue;
    if (!read(kResolvedFile)) continue;
    list.notes.push_back(std::string(kResolvedFile) + " is read in its place");
    reader.take_file(kResolvedFile, list);
  }
  if (list.upstreams.size() > kMostUpstreams) list.upstreams.resize(kMostUpstreams);
  return list;
}

}  // namespace weft::dns
