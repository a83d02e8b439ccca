// A Node out of a file.
#include "cluster/node.h"
#include "cluster/node_address.h"
#include "cluster/object_meta.h"

namespace weft {
namespace {

Status read_spec(const Json& spec, Node& node) {
  std::string single;
  ObjectReader reader(spec, "Node: spec");
  reader.read("podCIDR", single);
  reader.read("podCIDRs", node.pod_cidrs);
  if (node.pod_cidrs.empty() && !single.empty()) node.pod_cidrs.push_back(single);
  if (const Json* taints = reader.array("taints"))
    for (const auto& taint : *taints) {
      std::string key;
      ObjectReader inner(taint, "Node: spec.taints");
      inner.read("key", key);
      RETURN_IF_ERROR(inner.finish());
      node.taints.push_back(std::move(key));
    }
  return reader.finish();
}

Status read_status(const Json& status, Node& node) {
  ObjectReader reader(status, "Node: status");
  if (const Json* addresses = reader.array("addresses"))
    for (const auto& entry : *addresses) {
      std::string type;
      std::string address;
      ObjectReader inner(entry, "Node: status.addresses");
      inner.read("type", type);
      inner.read("address", address);
      RETURN_IF_ERROR(inner.finish());
      note_node_address(type, address, node);
    }
  return reader.finish();
}

}  // namespace

Result<Node> Node::read(const Json& manifest) {
  Node node;
  const auto label = [&](std::string_view key, std::string_view value) {
    if (key == kZoneLabel) node.zone = value;
  };
  ASSIGN_OR_RETURN(ObjectMeta meta, read_manifest_meta(manifest, "a Node", {.label = label}));
  node.name = std::move(meta.name);
  node.uid = std::move(meta.uid);
  node.version = std::move(meta.version);
  node.created = meta.created;
  ObjectReader reader(manifest, "Node");
  if (const Json* spec = reader.object("spec")) RETURN_IF_ERROR(read_spec(*spec, node));
  if (const Json* status = reader.object("status")) RETURN_IF_ERROR(read_status(*status, node));
  RETURN_IF_ERROR(reader.finish());
  return node;
}

}  // namespace weft
