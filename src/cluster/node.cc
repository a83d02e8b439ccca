#include "cluster/node.h"

#include <algorithm>

#include "base/json.h"
#include "base/protobuf.h"
#include "base/text.h"
#include "cluster/kube_fields.h"
#include "cluster/node_address.h"
#include "cluster/object_meta.h"

namespace weft {
namespace {

// The API server keeps 256 KB of annotations a Node, and 5,000 Nodes may be hostile together. A
// WireGuard key or a MAC takes 80 bytes.
constexpr std::size_t kLongestData = 4096;
constexpr std::size_t kMostTaints = 64;

struct FamilySuffixes {
  Family family;
  const char* data;
  const char* address;
  const char* overwrite;
  const char* node_address;
};

constexpr FamilySuffixes kSuffixes[] = {
    {Family::kIpv4, "backend-data", "public-ip", "public-ip-overwrite", "node-public-ip"},
    {Family::kIpv6, "backend-v6-data", "public-ipv6", "public-ipv6-overwrite", "node-public-ipv6"}};

Status read_metadata(std::string_view message, const AnnotationPrefix& prefix, Node& node) {
  const auto keep = [&](std::string_view key, std::string_view value) {
    if (key.starts_with(prefix.text()))
      node.annotations[std::string(key.substr(prefix.text().size()))] = value;
  };
  const auto label = [&](std::string_view key, std::string_view value) {
    if (key == kZoneLabel) node.zone = value;
  };
  ASSIGN_OR_RETURN(ObjectMeta meta,
                   read_object_meta(message, {.label = label, .annotation = keep}));
  node.name = std::move(meta.name);
  node.uid = std::move(meta.uid);
  node.version = std::move(meta.version);
  node.created = meta.created;
  node.deleting = meta.deleting;
  return {};
}

Status read_spec(std::string_view message, Node& node) {
  std::string single;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::node_spec::kPodCidr) single = field.text();
    if (field.number == kube::node_spec::kPodCidrs && !field.bytes.empty() &&
        node.pod_cidrs.size() < kMostAddresses)
      node.pod_cidrs.push_back(field.text());
    if (field.number != kube::node_spec::kTaints || node.taints.size() >= kMostTaints) return {};
    ASSIGN_OR_RETURN(const KubePair pair, read_kube_pair(field.bytes));
    node.taints.emplace_back(is_utf8(pair.first) ? pair.first : std::string_view());
    return {};
  }));
  if (node.pod_cidrs.empty() && !single.empty()) node.pod_cidrs.push_back(std::move(single));
  return {};
}

Status read_status(std::string_view message, Node& node) {
  return read_protobuf(message, [&](const ProtobufField& field) -> Status {
    const bool condition = field.number == kube::node_status::kConditions;
    if (!condition && field.number != kube::node_status::kAddresses) return {};
    ASSIGN_OR_RETURN(const KubePair pair, read_kube_pair(field.bytes));
    if (condition && pair.first == "NetworkUnavailable") node.network_unavailable = pair.second;
    if (!condition) note_node_address(pair.first, pair.second, node);
    return {};
  });
}

Result<std::optional<IpAddress>> read_address(const Node& node, const char* suffix, Family family) {
  const auto text = node.annotation(suffix);
  if (!text) return std::nullopt;
  const auto address = IpAddress::parse(*text);
  if (!address || address->family() != family)
    return fail("its annotation " + std::string(suffix) + " " + shown(*text) + " is no " +
                std::string(to_string(family)) + " address");
  // flannel without IPv4 publishes 0.0.0.0.
  if (address->is_unspecified()) return std::nullopt;
  if (address->is_loopback() || address->is_multicast())
    return fail("its annotation " + std::string(suffix) + " " + shown(*text) +
                " is no address of a node");
  return address;
}

Result<std::string> read_data(const Node& node, const char* suffix) {
  const auto text = node.annotation(suffix);
  if (!text) return std::string();
  if (text->size() > kLongestData)
    return fail("its annotation " + std::string(suffix) + " has more than " +
                std::to_string(kLongestData) + " bytes");
  const auto value = trim(*text);
  return value == "null" ? std::string() : std::string(value);
}

// One family's part of what a node publishes: texts as they stand in the annotations.
struct FamilyTexts {
  std::string data;
  std::string address;
};

FamilyTexts desired_texts(const Node& node, const LeaseAttributes& own,
                          const FamilySuffixes& suffixes) {
  const bool v4 = suffixes.family == Family::kIpv4;
  const auto& address = v4 ? own.public_ipv4 : own.public_ipv6;
  const auto& data = v4 ? own.backend_data : own.backend_v6_data;
  // Backends without data publish JSON's null.
  FamilyTexts texts{.data = data.empty() ? "null" : data,
                    .address = address ? address->to_string() : ""};
  for (const char* instead : {suffixes.node_address, suffixes.overwrite}) {
    const auto text = node.annotation(instead);
    const auto overwrite = text ? IpAddress::parse(*text) : std::nullopt;
    // A word that is no address would only make the node unreachable.
    if (overwrite && overwrite->family() == suffixes.family) texts.address = *text;
  }
  return texts;
}

}  // namespace

// flannel's rules (newAnnotations), anchored at the front too.
Result<AnnotationPrefix> AnnotationPrefix::parse(std::string_view text) {
  const auto refuse = [&](const char* why) {
    return fail("the annotation prefix \"" + std::string(text.substr(0, 60)) + "\" " + why,
                "write it like flannel.alpha.coreos.com or example.com/blue");
  };
  std::string prefix(text);
  const auto slashes = std::count(prefix.begin(), prefix.end(), '/');
  if (slashes > 1) return refuse("has more than one slash");
  if (slashes == 0) prefix += '/';
  if (!prefix.ends_with('/') && !prefix.ends_with('-')) prefix += '-';
  const auto slash = prefix.find('/');
  const auto labels = split(std::string_view(prefix).substr(0, slash), '.');
  const auto is_word = [](std::string_view word) {
    return !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") ==
                                std::string_view::npos;
  };
  if (labels.size() < 2) return refuse("is no domain name of two labels at least");
  for (const auto& label : labels)
    if (!is_word(label)) return refuse("has other characters than a-z, 0-9, '_' and '-'");
  const auto word = std::string_view(prefix).substr(slash + 1);
  if (!word.empty() && !is_word(word))
    return refuse("has other characters than a-z, 0-9, '_' and '-'");
  AnnotationPrefix result;
  result.text_ = std::move(prefix);
  return result;
}

Result<Node> Node::parse(std::string_view message, const AnnotationPrefix& prefix) {
  Node node;
  Status read = read_protobuf(message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case kube::object::kMetadata:
        return read_metadata(field.bytes, prefix, node);
      case kube::node::kSpec:
        return read_spec(field.bytes, node);
      case kube::node::kStatus:
        return read_status(field.bytes, node);
    }
    return {};
  });
  if (!read) return because("a Node that cannot be read", std::move(read).error());
  if (node.name.empty()) return fail("a Node without a name");
  return node;
}

std::optional<std::string> Node::annotation(std::string_view suffix) const {
  const auto found = annotations.find(suffix);
  if (found == annotations.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::vector<IpAddress> Node::host_ips() const {
  std::vector<IpAddress> first;
  for (const auto* addresses : {&internal_ips, &external_ips})
    for (const auto& address : *addresses)
      if (first.empty() || (first.size() == 1 && first[0].family() != address.family()))
        first.push_back(address);
  return first;
}

Result<LeaseKey> subnet_of_node(const Node& node, Whose whose) {
  if (node.pod_cidrs.empty()) return fail("it has no podCIDR");
  if (node.pod_cidrs.size() > 2)
    return fail("it has " + std::to_string(node.pod_cidrs.size()) + " podCIDRs");
  LeaseKey key;
  for (const auto& text : node.pod_cidrs) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return fail("its podCIDR " + shown(text) + " is no network");
    auto& half = key.subnet(prefix->family());
    if (!half || whose == Whose::kOwn) half = *prefix;
  }
  return key;
}

Result<LeaseAttributes> published_by_node(const Node& node) {
  LeaseAttributes attributes;
  ASSIGN_OR_RETURN(attributes.public_ipv4, read_address(node, "public-ip", Family::kIpv4));
  ASSIGN_OR_RETURN(attributes.public_ipv6, read_address(node, "public-ipv6", Family::kIpv6));
  ASSIGN_OR_RETURN(attributes.backend_data, read_data(node, "backend-data"));
  ASSIGN_OR_RETURN(attributes.backend_v6_data, read_data(node, "backend-v6-data"));
  attributes.backend_type = node.annotation("backend-type").value_or("");
  if (attributes.backend_type.size() > 60)
    return fail("its annotation backend-type is " + shown(attributes.backend_type));
  return attributes;
}

Result<std::optional<Lease>> lease_of_node(const Node& node) {
  if (node.annotation("kube-subnet-manager") != "true") return std::nullopt;
  Lease lease{.node = node.name, .since = node.created};
  ASSIGN_OR_RETURN(lease.key, subnet_of_node(node, Whose::kPeer));
  ASSIGN_OR_RETURN(lease.attributes, published_by_node(node));
  if (!lease.attributes.public_ipv4 && !lease.attributes.public_ipv6)
    return fail("it has neither the annotation public-ip nor public-ipv6");
  return lease;
}

Annotations annotation_edits(const Node& node, const LeaseAttributes& own, bool respell) {
  Annotations wanted;
  std::vector<const char*> unchanged;  // the data of families that stay
  bool changed = respell || node.annotation("backend-type").value_or("") != own.backend_type;
  for (const auto& suffixes : kSuffixes) {
    const FamilyTexts texts = desired_texts(node, own, suffixes);
    if (texts.address.empty()) continue;
    const auto data = node.annotation(suffixes.data).value_or("");
    if (trim(data) == texts.data && node.annotation(suffixes.address) == texts.address) {
      unchanged.push_back(suffixes.data);
      wanted[suffixes.data] = data;
    } else {
      changed = true;
      wanted[suffixes.data] = texts.data;
    }
    wanted[suffixes.address] = texts.address;
  }
  if (changed)
    for (const char* suffix : unchanged) {
      std::string& data = wanted[suffix];
      if (data.ends_with(' '))
        data = trim(data);
      else
        data += ' ';
    }
  wanted["backend-type"] = own.backend_type;
  wanted["kube-subnet-manager"] = "true";
  Annotations edits;
  for (const auto& [suffix, text] : wanted) {
    const auto present = node.annotations.find(suffix);
    if (present == node.annotations.end() || present->second != text) edits[suffix] = text;
  }
  return edits;
}

}  // namespace weft
