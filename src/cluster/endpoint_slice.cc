#include "cluster/endpoint_slice.h"

#include <utility>

#include "base/protobuf.h"
#include "cluster/kube_fields.h"
#include "cluster/object_meta.h"
#include "cluster/object_texts.h"

namespace weft {
namespace {

// In the words of the API, before they are checked: the message and the manifest are read into
// these, and one set of rules makes a slice of them.
struct PortText {
  std::string name = {};
  std::string protocol = {};
  std::int64_t port = 0;
};
struct EndpointText {
  std::vector<std::string> addresses = {};
  Endpoint endpoint = {};  // all but the addresses
};
struct SliceText {
  ObjectMeta meta = {};
  std::string address_type = {};
  std::vector<PortText> ports = {};
  std::vector<EndpointText> endpoints = {};
  EndpointSlice slice = {};  // what is taken as it is
};

constexpr std::string_view kTriggerTime = "endpoints.kubernetes.io/last-change-trigger-time";

MetaPairs pairs_of(EndpointSlice& slice) {
  return {.label =
              [&slice](std::string_view key, std::string_view value) {
                if (key == kServiceNameLabel) slice.service = value;
                if (key == kProxyNameLabel) slice.other_proxy = true;
                if (key == kHeadlessLabel) slice.headless_label = true;
              },
          .annotation =
              [&slice](std::string_view key, std::string_view value) {
                if (key == kTriggerTime) slice.trigger_time = value;
              }};
}

void take_port(const PortText& text, EndpointSlice& slice, Faults& faults) {
  const auto protocol = parse_service_protocol(text.protocol);
  const auto number = to_port(text.port);
  if (!protocol)
    faults.add("ports", "the protocol " + shown(text.protocol) + " is unknown");
  else if (!number && text.port != 0)
    faults.add("ports", std::to_string(text.port) + " is no port");
  else
    slice.ports.push_back({.name = text.name, .protocol = *protocol, .port = number.value_or(0)});
}

void take_endpoint(EndpointText text, EndpointSlice& slice, Faults& faults) {
  for (const auto& address : usable_addresses(text.addresses, "endpoints", faults))
    if (address.family() == slice.family)
      text.endpoint.addresses.push_back(address);
    else
      faults.add("endpoints", address.to_string() + " is of the other family");
  if (!text.endpoint.addresses.empty()) slice.endpoints.push_back(std::move(text.endpoint));
}

EndpointSlice make_slice(SliceText text) {
  EndpointSlice slice = std::move(text.slice);
  slice.ns = std::move(text.meta.ns);
  slice.name = std::move(text.meta.name);
  slice.version = std::move(text.meta.version);
  Faults faults(slice.faults);
  if (text.address_type == "IPv4")
    slice.family = Family::kIpv4;
  else if (text.address_type == "IPv6")
    slice.family = Family::kIpv6;
  else if (text.address_type != "FQDN")
    faults.add("addressType", shown(text.address_type) + " is unknown");
  for (const auto& port : text.ports) take_port(port, slice, faults);
  if (!slice.family) return slice;
  slice.endpoints.reserve(text.endpoints.size());
  for (auto& endpoint : text.endpoints) take_endpoint(std::move(endpoint), slice, faults);
  return slice;
}

// Of protobuf.

Status read_conditions(std::string_view message, Endpoint& endpoint) {
  return read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::endpoint_conditions::kReady) endpoint.ready = field.integer != 0;
    if (field.number == kube::endpoint_conditions::kServing) endpoint.serving = field.integer != 0;
    if (field.number == kube::endpoint_conditions::kTerminating)
      endpoint.terminating = field.integer != 0;
    return {};
  });
}

Status read_hint(std::string_view message, std::vector<std::string>& names) {
  return read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::only::kField) names.push_back(field.text());
    return {};
  });
}

Status read_hints(std::string_view message, Endpoint& endpoint) {
  return read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::endpoint_hints::kForZones)
      return read_hint(field.bytes, endpoint.for_zones);
    if (field.number == kube::endpoint_hints::kForNodes)
      return read_hint(field.bytes, endpoint.for_nodes);
    return {};
  });
}

Status read_target(std::string_view message, Endpoint& endpoint) {
  std::string kind;
  std::string name;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::object_reference::kKind) kind = field.text();
    if (field.number == kube::object_reference::kName) name = field.text();
    return {};
  }));
  if (kind == "Pod") endpoint.pod = std::move(name);
  return {};
}

Result<EndpointText> read_endpoint(std::string_view message) {
  EndpointText text;
  Endpoint& endpoint = text.endpoint;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case kube::endpoint::kAddresses:
        text.addresses.push_back(field.text());
        break;
      case kube::endpoint::kConditions:
        return read_conditions(field.bytes, endpoint);
      case kube::endpoint::kHostname:
        endpoint.hostname = field.text();
        break;
      case kube::endpoint::kTargetRef:
        return read_target(field.bytes, endpoint);
      case kube::endpoint::kNodeName:
        endpoint.node = field.text();
        break;
      case kube::endpoint::kZone:
        endpoint.zone = field.text();
        break;
      case kube::endpoint::kHints:
        return read_hints(field.bytes, endpoint);
    }
    return {};
  }));
  return text;
}

Result<PortText> read_port(std::string_view message) {
  PortText port;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::endpoint_port::kName) port.name = field.text();
    if (field.number == kube::endpoint_port::kProtocol) port.protocol = field.text();
    if (field.number == kube::endpoint_port::kPort) port.port = field.integer;
    return {};
  }));
  return port;
}

// Of a manifest.

Status read_hint(const Json* entries, const std::string& where, std::vector<std::string>& names) {
  if (entries == nullptr) return {};
  for (const auto& entry : *entries) {
    ObjectReader reader(entry, where + ".hints");
    reader.read("name", names.emplace_back());
    RETURN_IF_ERROR(reader.finish());
  }
  return {};
}

Status read_parts(ObjectReader& reader, const std::string& where, Endpoint& endpoint) {
  if (const Json* conditions = reader.object("conditions")) {
    ObjectReader fields(*conditions, where + ".conditions");
    fields.read("ready", endpoint.ready);
    fields.read("serving", endpoint.serving);
    fields.read("terminating", endpoint.terminating);
    RETURN_IF_ERROR(fields.finish());
  }
  if (const Json* target = reader.object("targetRef")) {
    std::string kind;
    ObjectReader fields(*target, where + ".targetRef");
    fields.read("kind", kind);
    if (kind == "Pod") fields.read("name", endpoint.pod);
    RETURN_IF_ERROR(fields.finish());
  }
  if (const Json* hints = reader.object("hints")) {
    ObjectReader fields(*hints, where + ".hints");
    RETURN_IF_ERROR(read_hint(fields.array("forZones"), where, endpoint.for_zones));
    RETURN_IF_ERROR(read_hint(fields.array("forNodes"), where, endpoint.for_nodes));
    RETURN_IF_ERROR(fields.finish());
  }
  return reader.finish();
}

Result<EndpointText> read_endpoint(const Json& json, const std::string& where) {
  EndpointText text;
  ObjectReader reader(json, where);
  reader.read("addresses", text.addresses);
  reader.read("hostname", text.endpoint.hostname);
  reader.read("nodeName", text.endpoint.node);
  reader.read("zone", text.endpoint.zone);
  RETURN_IF_ERROR(read_parts(reader, where, text.endpoint));
  return text;
}

Result<PortText> read_port(const Json& json, const std::string& where) {
  PortText port;
  ObjectReader reader(json, where);
  reader.read("name", port.name);
  reader.read("protocol", port.protocol);
  reader.read("port", port.port);
  RETURN_IF_ERROR(reader.finish());
  return port;
}

}  // namespace

Result<EndpointSlice> EndpointSlice::parse(std::string_view message) {
  SliceText text;
  Status read = read_protobuf(message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case kube::object::kMetadata: {
        ASSIGN_OR_RETURN(text.meta, read_object_meta(field.bytes, pairs_of(text.slice)));
        break;
      }
      case kube::endpoint_slice::kEndpoints: {
        ASSIGN_OR_RETURN(auto endpoint, read_endpoint(field.bytes));
        text.endpoints.push_back(std::move(endpoint));
        break;
      }
      case kube::endpoint_slice::kPorts: {
        ASSIGN_OR_RETURN(auto port, read_port(field.bytes));
        text.ports.push_back(std::move(port));
        break;
      }
      case kube::endpoint_slice::kAddressType:
        text.address_type = field.text();
        break;
    }
    return {};
  });
  if (!read) return because("an EndpointSlice that cannot be read", std::move(read).error());
  if (text.meta.name.empty()) return fail("an EndpointSlice without a name");
  return make_slice(std::move(text));
}

Result<EndpointSlice> EndpointSlice::read(const Json& manifest) {
  SliceText text;
  ASSIGN_OR_RETURN(text.meta,
                   read_manifest_meta(manifest, "an EndpointSlice", pairs_of(text.slice)));
  const std::string where = "EndpointSlice " + text.meta.ns + "/" + text.meta.name;
  ObjectReader reader(manifest, "EndpointSlice");
  reader.read("addressType", text.address_type);
  if (const Json* endpoints = reader.array("endpoints"))
    for (const auto& entry : *endpoints) {
      ASSIGN_OR_RETURN(auto endpoint, read_endpoint(entry, where + ": endpoints"));
      text.endpoints.push_back(std::move(endpoint));
    }
  if (const Json* ports = reader.array("ports"))
    for (const auto& entry : *ports) {
      ASSIGN_OR_RETURN(auto port, read_port(entry, where + ": ports"));
      text.ports.push_back(std::move(port));
    }
  RETURN_IF_ERROR(reader.finish());
  return make_slice(std::move(text));
}

}  // namespace weft
