// cni_wire.h: what the plugins before a chained one have made: a veth with addresses, and the
// result that tells of it.
#pragma once

#include <string>
#include <vector>

#include "support/cni_container.h"

namespace weft::test {

/// A device of a container and its host's end.
struct Wire {
  std::string ifname = "eth0";
  std::string host_name = "host0";
  std::vector<std::string> addresses = {"10.1.2.2/24"};
};

/// Makes a wire: both ends up, the addresses on the container's.
inline void lay(kernel::Rtnetlink& host, const Container& container, const Wire& wire) {
  must(host.create(
      {.name = wire.host_name,
       .kind = "veth",
       .up = true,
       .peer = kernel::VethPeer{.name = wire.ifname, .netns_fd = container.netns().fd()}}));
  container.inside([&](kernel::Rtnetlink& inside) {
    must(inside.change(must(inside.link("lo"))->index, {.up = true}));
    const LinkIndex link = must(inside.link(wire.ifname))->index;
    must(inside.change(link, {.up = true}));
    for (const auto& address : wire.addresses)
      must(
          inside.add({.key = {.link = link, .address = InterfaceAddress::parse(address).value()}}));
  });
}

/// The result of an ADD that has made the wire, for `prevResult`.
inline Json result_of(const Container& container, const Wire& wire) {
  Json result = {
      {"interfaces",
       {{{"name", wire.host_name}}, {{"name", wire.ifname}, {"sandbox", container.path()}}}},
      {"ips", Json::array()}};
  for (const auto& address : wire.addresses) {
    const auto parsed = InterfaceAddress::parse(address).value();
    result["ips"].push_back({{"version", parsed.address.is_v4() ? "4" : "6"},
                             {"address", address},
                             {"gateway", parsed.network().address().plus(1)->to_string()},
                             {"interface", 1}});
  }
  return result;
}

/// `config` with that result, of the configuration's version.
inline std::string chained(const std::string& config, const Json& result) {
  Json json = must(parse_json(config));
  json["prevResult"] = result;
  if (json.contains("cniVersion")) json["prevResult"]["cniVersion"] = json["cniVersion"];
  return to_text(json);
}

}  // namespace weft::test
