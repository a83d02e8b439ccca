#include "lab/lab_file.h"

#include <algorithm>

#include "base/strict_object.h"
#include "base/text.h"
#include "base/yaml.h"
#include "lab/names.h"

namespace weft::lab {
namespace {

// 1280 is the least that IPv6 wants (RFC 8200), 65535 the most that a veth takes.
constexpr std::int64_t kLeastMtu = 1280;
constexpr std::int64_t kMostMtu = 65535;

Status read_nodes(const Json& file, LabFile& lab, const std::string& where) {
  const auto nodes = file.find("nodes");
  if (nodes == file.end() || nodes->is_null()) return {};
  if (!nodes->is_array()) {
    ASSIGN_OR_RETURN(const auto count, number_member(file, "nodes", 1, kMostNodes, where));
    lab.node_count = static_cast<unsigned>(*count);
    return {};
  }
  if (nodes->empty()) return fail(where + ": \"nodes\" is empty", "give at least one node");
  for (std::size_t i = 0; i < nodes->size(); ++i) {
    const Json& entry = (*nodes)[i];
    std::string place = where + ": node " + std::to_string(i + 1);
    RETURN_IF_ERROR(check_keys(entry, {"name", "address", "gateway", "subnet"}, place));
    ASSIGN_OR_RETURN(const auto name, text_member(entry, "name", place));
    ASSIGN_OR_RETURN(const auto addresses, texts_member(entry, "address", place));
    ASSIGN_OR_RETURN(const auto gateways, texts_member(entry, "gateway", place));
    ASSIGN_OR_RETURN(const auto subnet, text_member(entry, "subnet", place));
    auto node =
        parse_node(name.value_or("node" + std::to_string(i + 1)), addresses, gateways, subnet);
    if (!node) return because(place, node.error());
    lab.nodes.push_back(*std::move(node));
  }
  return {};
}

Status read_overlay(const Json& file, LabFile& lab, const std::string& where) {
  const auto overlay = file.find("overlay");
  if (overlay == file.end() || overlay->is_null()) return {};
  // What is in it is the agent's to judge: the lab hands it on as it is.
  if (!overlay->is_object())
    return fail(where + ": \"overlay\" must be a net-conf.json object",
                "for instance {Network: 10.244.0.0/16, Backend: {Type: vxlan}}");
  lab.overlay = to_text(*overlay);
  return {};
}

Status read_store(const Json& file, LabFile& lab, const std::string& where) {
  ASSIGN_OR_RETURN(const std::vector<std::string> words, texts_member(file, "store", where));
  const std::string store = words.empty() ? "directory" : words.front();
  if (words.size() > 1 || (store != "directory" && store != "etcd"))
    return fail(
        where + ": unknown store \"" + store + "\"" + did_you_mean(store, {"directory", "etcd"}),
        "take directory or etcd");
  lab.store = store == "etcd" ? StoreKind::kEtcd : StoreKind::kDirectory;
  return {};
}

Status read_underlay(const Json& file, LabFile& lab, const std::string& where) {
  const auto underlay = file.find("underlay");
  if (underlay == file.end() || underlay->is_null()) return {};
  const std::string place = where + ": underlay";
  RETURN_IF_ERROR(check_keys(*underlay, {"mtu"}, place));
  ASSIGN_OR_RETURN(const auto mtu, number_member(*underlay, "mtu", kLeastMtu, kMostMtu, place));
  lab.mtu = static_cast<std::uint32_t>(mtu.value_or(lab.mtu));
  return {};
}

Status read_outside(const Json& file, LabFile& lab, const std::string& where) {
  ASSIGN_OR_RETURN(const auto texts, texts_member(file, "outside", where));
  for (const auto& text : texts) {
    const auto address = IpAddress::parse(text);
    if (!address) return fail(where + ": outside: \"" + text + "\" is no IP address");
    lab.outside.push_back(*address);
  }
  return {};
}

Status read_sysctls(const Json& file, LabFile& lab, const std::string& where) {
  const auto sysctls = file.find("sysctls");
  if (sysctls == file.end() || sysctls->is_null()) return {};
  if (!sysctls->is_object()) return fail(where + ": \"sysctls\" must be a map");
  for (const auto& [name, value] : sysctls->items()) {
    // Other settings are the whole machine's, and a lab changes nothing there.
    if (name.compare(0, 4, "net/") != 0 || name.find("..") != std::string::npos)
      return fail(where + ": sysctls: \"" + name + "\" is no setting of a network namespace",
                  "write it with slashes: net/ipv4/conf/all/rp_filter");
    lab.sysctls[name] = value.is_string() ? value.get<std::string>() : to_text(value);
  }
  return {};
}

Status read_services(const Json& file, LabFile& lab, const std::string& where) {
  const auto services = file.find("services");
  if (services == file.end() || services->is_null()) return {};
  const std::string place = where + ": services";
  RETURN_IF_ERROR(check_keys(*services, {"subnet", "mode"}, place));
  ASSIGN_OR_RETURN(const auto subnets, texts_member(*services, "subnet", place));
  for (const auto& text : subnets) {
    const auto subnet = Prefix::parse(text);
    if (!subnet) return fail(place + ": \"" + text + "\" is no network", "write 10.96.0.0/12");
    for (const auto& other : lab.service_subnets)
      if (other.family() == subnet->family())
        return fail(place + ": " + other.to_string() + " and " + text + " are of one family",
                    "give one network a family");
    lab.service_subnets.push_back(*subnet);
  }
  ASSIGN_OR_RETURN(const auto mode, text_member(*services, "mode", place));
  lab.proxy_mode = mode.value_or(lab.proxy_mode);
  const std::vector<std::string> modes = {"nftables", "iptables", "userspace"};
  if (std::find(modes.begin(), modes.end(), lab.proxy_mode) == modes.end())
    return fail(
        place + ": unknown mode \"" + lab.proxy_mode + "\"" + did_you_mean(lab.proxy_mode, modes),
        "take nftables, iptables or userspace");
  return {};
}

Status read_dns(const Json& file, LabFile& lab, const std::string& where) {
  const auto dns = file.find("dns");
  if (dns == file.end() || dns->is_null()) return {};
  const std::string place = where + ": dns";
  RETURN_IF_ERROR(check_keys(*dns, {"nodes", "domain", "names", "resolvConf"}, place));
  DnsFile& wanted = lab.dns.emplace();
  ASSIGN_OR_RETURN(wanted.nodes, texts_member(*dns, "nodes", place));
  ASSIGN_OR_RETURN(const auto domain, text_member(*dns, "domain", place));
  wanted.domain = domain.value_or(wanted.domain);
  ASSIGN_OR_RETURN(wanted.node_file, text_member(*dns, "resolvConf", place));
  if (wanted.node_file)
    if (const auto read = parse_resolv_conf(*wanted.node_file); !read)
      return because(place + ": resolvConf", read.error());
  const auto names = dns->find("names");
  if (names == dns->end() || names->is_null()) return {};
  if (!names->is_object()) return fail(place + ": \"names\" must be a map");
  for (const auto& [name, value] : names->items()) {
    const auto address =
        value.is_string() ? IpAddress::parse(value.get<std::string>()) : std::nullopt;
    if (!address) return fail(place + ": " + name + ": " + to_text(value) + " is no IP address");
    wanted.names[name] = *address;
  }
  return {};
}

}  // namespace

Result<Node> parse_node(const std::string& name, const std::vector<std::string>& addresses,
                        const std::vector<std::string>& gateways,
                        const std::optional<std::string>& subnet) {
  RETURN_IF_ERROR(check_node_name(name));
  Node node{.name = name};
  for (const auto& text : addresses) {
    const auto address = InterfaceAddress::parse(text);
    if (!address)
      return fail("\"" + text + "\" is no address with prefix length", "write 10.0.0.1/24");
    node.addresses.push_back(*address);
  }
  for (const auto& text : gateways) {
    const auto gateway = IpAddress::parse(text);
    if (!gateway) return fail("the gateway \"" + text + "\" is no IP address");
    node.gateways.push_back(*gateway);
  }
  if (subnet) {
    node.subnet = Prefix::parse(*subnet);
    if (!node.subnet) return fail("the subnet \"" + *subnet + "\" is no network");
  }
  return node;
}

Result<LabFile> parse_lab_file(std::string_view yaml, const std::string& where) {
  auto documents = parse_yaml(yaml);
  if (!documents) return because(where, documents.error());
  if (documents->size() > 1) return fail(where + ": more than one document");
  LabFile lab;
  if (documents->empty()) return lab;
  const Json& file = documents->front();
  RETURN_IF_ERROR(check_keys(file,
                             {"nodes", "pods", "overlay", "store", "ipMasq", "underlay", "outside",
                              "sysctls", "bridge", "iptables", "services", "dns", "manifests"},
                             where));
  RETURN_IF_ERROR(read_nodes(file, lab, where));
  RETURN_IF_ERROR(read_overlay(file, lab, where));
  RETURN_IF_ERROR(read_store(file, lab, where));
  RETURN_IF_ERROR(read_underlay(file, lab, where));
  RETURN_IF_ERROR(read_outside(file, lab, where));
  RETURN_IF_ERROR(read_sysctls(file, lab, where));
  RETURN_IF_ERROR(read_services(file, lab, where));
  RETURN_IF_ERROR(read_dns(file, lab, where));
  ASSIGN_OR_RETURN(const auto bridge, text_member(file, "bridge", where));
  lab.bridge = bridge.value_or(lab.bridge);
  ASSIGN_OR_RETURN(const auto iptables, text_member(file, "iptables", where));
  lab.iptables = iptables.value_or("");
  ASSIGN_OR_RETURN(const auto masquerade, bool_member(file, "ipMasq", where));
  lab.ip_masq = masquerade.value_or(true);
  ASSIGN_OR_RETURN(const auto pods, number_member(file, "pods", 0, kMostPods, where));
  if (pods) lab.pods = static_cast<unsigned>(*pods);
  ASSIGN_OR_RETURN(lab.manifests, texts_member(file, "manifests", where));
  return lab;
}

}  // namespace weft::lab
