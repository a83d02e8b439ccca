#include "lab/lab_json.h"

namespace weft::lab {
namespace {

Json node_to_json(const Node& node) {
  Json json = {{"name", node.name},
               {"addresses", texts(node.addresses)},
               {"gateways", texts(node.gateways)}};
  if (node.subnet) json["subnet"] = node.subnet->to_string();
  return json;
}

Json pod_dns_to_json(const PodDns& dns) {
  Json options = Json::array();
  for (const auto& option : dns.options)
    options.push_back(
        {{"name", option.name}, {"value", option.value ? Json(*option.value) : nullptr}});
  return {{"policy", to_string(dns.policy)},
          {"servers", dns.servers},
          {"searches", dns.searches},
          {"options", options}};
}

Json pod_to_json(const Pod& pod) {
  Json environment = Json::array();
  for (const auto& [name, value] : pod.environment)
    environment.push_back(Json::array({name, value}));
  Json ports = Json::array();
  for (const auto& port : pod.ports)
    ports.push_back(
        {{"name", port.name}, {"protocol", to_string(port.protocol)}, {"port", port.port}});
  Json json = {{"name", pod.name},       {"namespace", pod.space},
               {"node", pod.node},       {"labels", pod.labels},
               {"command", pod.command}, {"environment", environment},
               {"ports", ports},         {"dns", pod_dns_to_json(pod.dns)}};
  if (pod.address) json["address"] = pod.address->to_string();
  return json;
}

Json cluster_dns_to_json(const ClusterDns& dns) {
  Json names = Json::object();
  for (const auto& [name, address] : dns.names) names[name] = address.to_string();
  return {{"domain", dns.domain},
          {"address", dns.address.to_string()},
          {"names", names},
          {"nodeFile", dns.node_file}};
}

template <class Value>
Status parse_texts(const std::vector<std::string>& words, std::vector<Value>& target) {
  for (const auto& word : words) {
    const auto value = Value::parse(word);
    if (!value) return fail("\"" + word + "\" is no address");
    target.push_back(*value);
  }
  return {};
}

template <class Value>
Status read_texts(ObjectReader& reader, const char* key, std::vector<Value>& target) {
  std::vector<std::string> words;
  reader.read(key, words);
  return parse_texts(words, target);
}

Status read_segments(const Json* array, std::vector<Segment>& segments) {
  if (array == nullptr) return {};
  for (const auto& gateways : *array) {
    std::vector<std::string> words;
    for (const auto& word : gateways)
      if (word.is_string()) words.push_back(word.get<std::string>());
    RETURN_IF_ERROR(parse_texts(words, segments.emplace_back().gateways));
  }
  return {};
}

Result<Node> parse_node_json(const Json& json) {
  Node node;
  ObjectReader reader(json, "node");
  reader.read("name", node.name);
  RETURN_IF_ERROR(read_texts(reader, "addresses", node.addresses));
  RETURN_IF_ERROR(read_texts(reader, "gateways", node.gateways));
  std::string subnet;
  reader.read("subnet", subnet);
  if (!subnet.empty()) node.subnet = Prefix::parse(subnet);
  RETURN_IF_ERROR(reader.finish());
  return node;
}

Status read_pairs(const Json* array, std::vector<std::pair<std::string, std::string>>& pairs) {
  if (array == nullptr) return {};
  for (const auto& pair : *array) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      return fail("environment: an entry is no pair of texts");
    pairs.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  return {};
}

Status read_map(const Json* object, std::map<std::string, std::string>& map) {
  if (object == nullptr) return {};
  for (const auto& [key, value] : object->items()) {
    if (!value.is_string()) return fail(key + ": must be a text");
    map[key] = value.get<std::string>();
  }
  return {};
}

Status read_ports(const Json* array, std::vector<ContainerPort>& ports) {
  if (array == nullptr) return {};
  for (const auto& element : *array) {
    ObjectReader reader(element, "port");
    ContainerPort port;
    std::string protocol;
    std::uint32_t number = 0;
    reader.read("name", port.name);
    reader.read("protocol", protocol);
    reader.read("port", number);
    RETURN_IF_ERROR(reader.finish());
    port.protocol = parse_service_protocol(protocol).value_or(ServiceProtocol::kTcp);
    port.port = static_cast<std::uint16_t>(number);
    ports.push_back(std::move(port));
  }
  return {};
}

Status read_pod_dns(const Json* object, PodDns& dns) {
  if (object == nullptr) return {};
  std::string policy;
  ObjectReader reader(*object, "dns");
  reader.read("policy", policy);
  dns.policy = parse_dns_policy(policy).value_or(dns.policy);
  reader.read("servers", dns.servers);
  reader.read("searches", dns.searches);
  if (const Json* options = reader.array("options"))
    for (const auto& element : *options) {
      ObjectReader option(element, "option");
      option.read("name", dns.options.emplace_back().name);
      option.read("value", dns.options.back().value);
      RETURN_IF_ERROR(option.finish());
    }
  return reader.finish();
}

Result<Pod> parse_pod_json(const Json& json) {
  Pod pod;
  ObjectReader reader(json, "pod");
  reader.read("name", pod.name);
  reader.read("namespace", pod.space);
  reader.read("node", pod.node);
  reader.read("command", pod.command);
  RETURN_IF_ERROR(read_pairs(reader.array("environment"), pod.environment));
  RETURN_IF_ERROR(read_map(reader.object("labels"), pod.labels));
  RETURN_IF_ERROR(read_ports(reader.array("ports"), pod.ports));
  RETURN_IF_ERROR(read_pod_dns(reader.object("dns"), pod.dns));
  std::string address;
  reader.read("address", address);
  pod.address = IpAddress::parse(address);
  RETURN_IF_ERROR(reader.finish());
  return pod;
}

Status read_cluster_dns(const Json* object, std::optional<ClusterDns>& dns) {
  if (object == nullptr) return {};
  ObjectReader reader(*object, "dns");
  ClusterDns read;
  std::string address;
  std::map<std::string, std::string> names;
  reader.read("domain", read.domain);
  reader.read("address", address);
  reader.read("nodeFile", read.node_file);
  RETURN_IF_ERROR(read_map(reader.object("names"), names));
  RETURN_IF_ERROR(reader.finish());
  read.address = IpAddress::parse(address).value_or(IpAddress());
  for (const auto& [name, text] : names)
    if (const auto known = IpAddress::parse(text)) read.names[name] = *known;
  dns = std::move(read);
  return {};
}

Status read_services(const Json* object, Services& services) {
  if (object == nullptr) return {};
  ObjectReader reader(*object, "services");
  RETURN_IF_ERROR(read_texts(reader, "subnets", services.subnets));
  reader.read("mode", services.proxy_mode);
  if (const Json* manifests = reader.array("manifests"))
    services.manifests.assign(manifests->begin(), manifests->end());
  return reader.finish();
}

}  // namespace

std::string to_json(const Lab& lab) {
  Json segments = Json::array();
  for (const auto& segment : lab.segments) segments.push_back(texts(segment.gateways));
  Json nodes = Json::array();
  for (const auto& node : lab.nodes) nodes.push_back(node_to_json(node));
  Json pods = Json::array();
  for (const auto& pod : lab.pods) pods.push_back(pod_to_json(pod));
  Json json = {{"name", lab.name},
               {"overlay", lab.overlay},
               {"store", lab.store == StoreKind::kEtcd ? "etcd" : "directory"},
               {"ipMasq", lab.ip_masq},
               {"mtu", lab.mtu},
               {"outside", texts(lab.outside)},
               {"sysctls", lab.node_sysctls},
               {"bridge", lab.bridge},
               {"iptables", lab.iptables},
               {"podsPerNode", lab.pods_per_node},
               {"segments", segments},
               {"nodes", nodes},
               {"pods", pods},
               {"services",
                {{"subnets", texts(lab.services.subnets)},
                 {"mode", lab.services.proxy_mode},
                 {"manifests", lab.services.manifests}}}};
  if (lab.dns) json["dns"] = cluster_dns_to_json(*lab.dns);
  return json.dump(2) + "\n";
}

Result<Lab> parse_lab(std::string_view text) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text));
  if (!json.is_object()) return fail("the lab's state is no JSON object");
  Lab lab;
  std::string store;
  std::uint32_t pods_per_node = 0;
  ObjectReader reader(json, "lab");
  reader.read("name", lab.name);
  reader.read("overlay", lab.overlay);
  reader.read("store", store);
  reader.read("ipMasq", lab.ip_masq);
  reader.read("mtu", lab.mtu);
  reader.read("podsPerNode", pods_per_node);
  reader.read("bridge", lab.bridge);
  reader.read("iptables", lab.iptables);
  RETURN_IF_ERROR(read_texts(reader, "outside", lab.outside));
  RETURN_IF_ERROR(read_map(reader.object("sysctls"), lab.node_sysctls));
  RETURN_IF_ERROR(read_segments(reader.array("segments"), lab.segments));
  lab.store = store == "etcd" ? StoreKind::kEtcd : StoreKind::kDirectory;
  lab.pods_per_node = pods_per_node;
  RETURN_IF_ERROR(read_services(reader.object("services"), lab.services));
  RETURN_IF_ERROR(read_cluster_dns(reader.object("dns"), lab.dns));
  if (const Json* nodes = reader.array("nodes"))
    for (const auto& element : *nodes) {
      ASSIGN_OR_RETURN(Node node, parse_node_json(element));
      lab.nodes.push_back(std::move(node));
    }
  if (const Json* pods = reader.array("pods"))
    for (const auto& element : *pods) {
      ASSIGN_OR_RETURN(Pod pod, parse_pod_json(element));
      lab.pods.push_back(std::move(pod));
    }
  RETURN_IF_ERROR(reader.finish());
  return lab;
}

}  // namespace weft::lab
