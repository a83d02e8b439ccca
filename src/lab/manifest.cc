#include "lab/manifest.h"

#include "base/strict_object.h"
#include "base/yaml.h"
#include "lab/names.h"
#include "lab/services.h"

namespace weft::lab {
namespace {

const Json& member_or_empty(const Json& object, const char* key) {
  static const Json empty = Json::object();
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? empty : *found;
}

Status read_labels(const Json& metadata, Pod& pod, const std::string& where) {
  const Json& labels = member_or_empty(metadata, "labels");
  if (!labels.is_object()) return fail(where + ": \"labels\" must be a map");
  for (const auto& [key, value] : labels.items()) {
    if (!value.is_string()) return fail(where + ": the label \"" + key + "\" must be a text");
    pod.labels[key] = value.get<std::string>();
  }
  return {};
}

Status read_environment(const Json& container, Pod& pod, const std::string& where) {
  const Json& environment = member_or_empty(container, "env");
  for (const auto& entry : environment) {
    if (!entry.is_object()) return fail(where + ": \"env\" must be a list of names and values");
    ASSIGN_OR_RETURN(const auto name, text_member(entry, "name", where));
    ASSIGN_OR_RETURN(const auto value, text_member(entry, "value", where));
    if (!name) return fail(where + ": an entry of \"env\" has no name");
    if (entry.contains("valueFrom"))
      return fail(where + ": \"valueFrom\" of " + *name + " is not known to a lab",
                  "give a \"value\"");
    pod.environment.emplace_back(*name, value.value_or(""));
  }
  return {};
}

Status read_ports(const Json& container, Pod& pod, const std::string& where) {
  for (const auto& entry : member_or_empty(container, "ports")) {
    if (!entry.is_object()) return fail(where + ": \"ports\" must be a list of ports");
    ASSIGN_OR_RETURN(const auto number, number_member(entry, "containerPort", 1, 65535, where));
    ASSIGN_OR_RETURN(const auto name, text_member(entry, "name", where));
    ASSIGN_OR_RETURN(const auto word, text_member(entry, "protocol", where));
    if (!number) return fail(where + ": an entry of \"ports\" has no containerPort");
    const auto protocol = parse_service_protocol(word.value_or(""));
    if (!protocol || *protocol == ServiceProtocol::kSctp)
      return fail(where + ": a lab's pod does not speak " + *word, "take TCP or UDP");
    pod.ports.push_back({.name = name.value_or(""),
                         .protocol = *protocol,
                         .port = static_cast<std::uint16_t>(*number)});
  }
  return {};
}

Status read_container(const Json& spec, Pod& pod, const std::string& where) {
  const Json& containers = member_or_empty(spec, "containers");
  if (!containers.is_array()) return {};
  if (containers.size() > 1)
    return fail(
        where + ": " + std::to_string(containers.size()) + " containers, and a lab's pod runs one",
        "make them pods of their own");
  for (const auto& container : containers) {
    if (!container.is_object()) return fail(where + ": a container must be a map");
    ASSIGN_OR_RETURN(pod.command, texts_member(container, "command", where));
    ASSIGN_OR_RETURN(const auto arguments, texts_member(container, "args", where));
    // args alone belong to the image's entry point; a lab has no images.
    if (!pod.command.empty())
      pod.command.insert(pod.command.end(), arguments.begin(), arguments.end());
    RETURN_IF_ERROR(read_environment(container, pod, where));
    RETURN_IF_ERROR(read_ports(container, pod, where));
  }
  return {};
}

Status read_dns(const Json& spec, Pod& pod, const std::string& where) {
  ASSIGN_OR_RETURN(const auto policy, text_member(spec, "dnsPolicy", where));
  if (policy) {
    const auto known = parse_dns_policy(*policy);
    if (!known) return fail(where + ": there is no dnsPolicy " + *policy);
    pod.dns.policy = *known;
  }
  const Json& config = member_or_empty(spec, "dnsConfig");
  RETURN_IF_ERROR(
      check_keys(config, {"nameservers", "searches", "options"}, where + ": dnsConfig"));
  ASSIGN_OR_RETURN(pod.dns.servers, texts_member(config, "nameservers", where));
  ASSIGN_OR_RETURN(pod.dns.searches, texts_member(config, "searches", where));
  for (const auto& option : member_or_empty(config, "options")) {
    if (!option.is_object()) return fail(where + ": an option of dnsConfig must be a map");
    ASSIGN_OR_RETURN(const auto name, text_member(option, "name", where));
    ASSIGN_OR_RETURN(const auto value, text_member(option, "value", where));
    if (!name) return fail(where + ": an option of dnsConfig has no name");
    pod.dns.options.push_back({.name = *name, .value = value});
  }
  return {};
}

// "v1 Pod"
Result<std::string> kind_of(const Json& document, const std::string& where) {
  if (!document.is_object()) return fail(where + ": a document is no Kubernetes object");
  ASSIGN_OR_RETURN(const auto kind, text_member(document, "kind", where));
  ASSIGN_OR_RETURN(const auto version, text_member(document, "apiVersion", where));
  if (!kind || !version) return fail(where + ": an object has no \"apiVersion\" and \"kind\"");
  return *version + " " + *kind;
}

Result<Pod> read_pod(const Json& document, const std::string& file) {
  const Json& metadata = member_or_empty(document, "metadata");
  const Json& spec = member_or_empty(document, "spec");
  if (!metadata.is_object() || !spec.is_object())
    return fail(file + ": \"metadata\" and \"spec\" must be maps");
  ASSIGN_OR_RETURN(const auto name, text_member(metadata, "name", file));
  if (!name) return fail(file + ": a Pod has no metadata.name");
  const std::string where = file + ": Pod " + *name;
  if (const Status status = check_pod_name(*name); !status) return because(file, status.error());
  Pod pod{.name = *name};
  ASSIGN_OR_RETURN(const auto space, text_member(metadata, "namespace", where));
  pod.space = space.value_or("default");
  ASSIGN_OR_RETURN(const auto node, text_member(spec, "nodeName", where));
  pod.node = node.value_or("");
  RETURN_IF_ERROR(read_labels(metadata, pod, where));
  RETURN_IF_ERROR(read_container(spec, pod, where));
  RETURN_IF_ERROR(read_dns(spec, pod, where));
  ASSIGN_OR_RETURN(const auto address,
                   text_member(member_or_empty(document, "status"), "podIP", where));
  if (address) pod.address = IpAddress::parse(*address);
  if (address && !pod.address)
    return fail(where + ": status.podIP: \"" + *address + "\" is no address");
  return pod;
}

}  // namespace

void Manifests::append(const Manifests& other) {
  pods.insert(pods.end(), other.pods.begin(), other.pods.end());
  services.insert(services.end(), other.services.begin(), other.services.end());
}

Result<Manifests> parse_manifests(std::string_view yaml, const std::string& where) {
  auto documents = parse_yaml(yaml);
  if (!documents) return because(where, documents.error());
  Manifests manifests;
  for (const auto& document : *documents) {
    ASSIGN_OR_RETURN(const std::string kind, kind_of(document, where));
    if (kind == "v1 Pod") {
      ASSIGN_OR_RETURN(Pod pod, read_pod(document, where));
      manifests.pods.push_back(std::move(pod));
    } else if (kind == "v1 Service") {
      ASSIGN_OR_RETURN(Json service, parse_service(document, where));
      manifests.services.push_back(std::move(service));
    } else {
      return fail(where + ": a lab cannot run " + kind, "give v1 Pod and v1 Service objects");
    }
  }
  return manifests;
}

}  // namespace weft::lab
