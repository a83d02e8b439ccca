#include "cni/ipam_config.h"

namespace weft::cni {

std::string ipam_type(const Json& config) {
  std::string type;
  if (const Json* ipam = find_member(config, "ipam"); ipam != nullptr && ipam->is_object())
    ObjectReader(*ipam, "ipam").read("type", type);
  return type;
}

CniResult<const Json*> ipam_object(const Json& config) {
  ObjectReader top(config, "network config");
  const Json* ipam = top.object("ipam");
  RETURN_IF_ERROR(top.finish());
  if (ipam == nullptr) return refuse("IPAM config missing 'ipam' key");
  return ipam;
}

CniResult<std::vector<std::string>> read_requested_ips(const Json* holder) {
  std::vector<std::string> texts;
  if (holder == nullptr || holder->is_null()) return texts;
  ObjectReader reader(*holder, "requested addresses");
  reader.read("ips", texts);
  RETURN_IF_ERROR(reader.finish());
  return texts;
}

CniStatus check_addresses_per_family(std::size_t ipv4, std::size_t ipv6,
                                     const std::string& version) {
  if (ipv4 <= 1 && ipv6 <= 1) return {};
  const auto parsed = SpecVersion::parse(version);
  if (parsed && *parsed >= kFirstWithInterfaces) return {};
  return refuse("CNI version " + version + " does not support more than 1 address per family");
}

}  // namespace weft::cni
