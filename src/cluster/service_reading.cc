// service_reading.cc: a Service out of the API's protobuf, or out of a manifest.
#include "base/protobuf.h"
#include "cluster/kube_fields.h"
#include "cluster/service.h"
#include "cluster/service_text.h"

namespace weft {
namespace {

// The message in the only field of `message` that is wanted.
Result<std::string_view> read_only(std::string_view message) {
  std::string_view wanted;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::only::kField) wanted = field.bytes;
    return {};
  }));
  return wanted;
}

Result<std::string> read_int_or_string(std::string_view message) {
  std::int64_t number = 0;
  std::string text;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::int_or_string::kNumber) number = field.integer;
    if (field.number == kube::int_or_string::kText) text = field.text();
    return {};
  }));
  if (text.empty() && number != 0) return std::to_string(number);
  return text;
}

Result<ServiceText::Port> read_port(std::string_view message) {
  ServiceText::Port port;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case kube::service_port::kName:
        port.name = field.text();
        break;
      case kube::service_port::kProtocol:
        port.protocol = field.text();
        break;
      case kube::service_port::kPort:
        port.port = field.integer;
        break;
      case kube::service_port::kTargetPort: {
        ASSIGN_OR_RETURN(port.target_port, read_int_or_string(field.bytes));
        break;
      }
      case kube::service_port::kNodePort:
        port.node_port = field.integer;
        break;
    }
    return {};
  }));
  return port;
}

Status read_affinity(std::string_view config, ServiceText& service) {
  ASSIGN_OR_RETURN(const std::string_view client_ip, read_only(config));
  return read_protobuf(client_ip, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::only::kField) service.affinity_seconds = field.integer;
    return {};
  });
}

Status read_selector(std::string_view entry, ServiceText& service) {
  ASSIGN_OR_RETURN(const KubePair pair, read_kube_pair(entry));
  service.selector[std::string(pair.first)] = pair.second;
  return {};
}

Status read_spec(std::string_view message, ServiceText& service) {
  return read_protobuf(message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case kube::service_spec::kPorts: {
        ASSIGN_OR_RETURN(auto port, read_port(field.bytes));
        service.ports.push_back(std::move(port));
        break;
      }
      case kube::service_spec::kSelector:
        return read_selector(field.bytes, service);
      case kube::service_spec::kClusterIp:
        service.cluster_ip = field.text();
        break;
      case kube::service_spec::kType:
        service.type = field.text();
        break;
      case kube::service_spec::kExternalIps:
        service.external_ips.push_back(field.text());
        break;
      case kube::service_spec::kSessionAffinity:
        service.session_affinity = field.text();
        break;
      case kube::service_spec::kLoadBalancerSourceRanges:
        service.source_ranges.push_back(field.text());
        break;
      case kube::service_spec::kExternalName:
        service.external_name = field.text();
        break;
      case kube::service_spec::kExternalTrafficPolicy:
        service.external_traffic_policy = field.text();
        break;
      case kube::service_spec::kHealthCheckNodePort:
        service.health_check_node_port = field.integer;
        break;
      case kube::service_spec::kPublishNotReadyAddresses:
        service.publish_not_ready_addresses = field.integer != 0;
        break;
      case kube::service_spec::kSessionAffinityConfig:
        return read_affinity(field.bytes, service);
      case kube::service_spec::kClusterIps:
        service.cluster_ips.push_back(field.text());
        break;
      case kube::service_spec::kInternalTrafficPolicy:
        service.internal_traffic_policy = field.text();
        break;
    }
    return {};
  });
}

Status read_status(std::string_view message, ServiceText& service) {
  ASSIGN_OR_RETURN(const std::string_view load_balancer, read_only(message));
  return read_protobuf(load_balancer, [&](const ProtobufField& entry) -> Status {
    if (entry.number != kube::only::kField) return {};
    ServiceText::Ingress& ingress = service.ingress.emplace_back();
    return read_protobuf(entry.bytes, [&](const ProtobufField& field) -> Status {
      if (field.number == kube::load_balancer_ingress::kIp) ingress.ip = field.text();
      if (field.number == kube::load_balancer_ingress::kIpMode) ingress.ip_mode = field.text();
      return {};
    });
  });
}

Result<ServiceText::Port> read_port(const Json& json, const std::string& where) {
  ServiceText::Port port;
  ObjectReader reader(json, where + ": ports");
  reader.read("name", port.name);
  reader.read("protocol", port.protocol);
  reader.read("port", port.port);
  reader.read("nodePort", port.node_port);
  if (const Json* target = reader.find("targetPort"))
    port.target_port = target->is_string() ? target->get<std::string>() : to_text(*target);
  RETURN_IF_ERROR(reader.finish());
  return port;
}

Status read_spec(const Json& json, const std::string& where, ServiceText& service) {
  ObjectReader spec(json, where);
  spec.read("type", service.type);
  spec.read("clusterIP", service.cluster_ip);
  spec.read("clusterIPs", service.cluster_ips);
  spec.read("externalName", service.external_name);
  spec.read("externalIPs", service.external_ips);
  spec.read("loadBalancerSourceRanges", service.source_ranges);
  spec.read("internalTrafficPolicy", service.internal_traffic_policy);
  spec.read("externalTrafficPolicy", service.external_traffic_policy);
  spec.read("sessionAffinity", service.session_affinity);
  spec.read("healthCheckNodePort", service.health_check_node_port);
  spec.read("publishNotReadyAddresses", service.publish_not_ready_addresses);
  if (const Json* config = spec.object("sessionAffinityConfig"))
    if (const Json* client_ip = find_member(*config, "clientIP")) {
      ObjectReader reader(*client_ip, where + ": sessionAffinityConfig.clientIP");
      reader.read("timeoutSeconds", service.affinity_seconds);
      RETURN_IF_ERROR(reader.finish());
    }
  if (const Json* selector = spec.object("selector"))
    for (const auto& [key, value] : selector->items())
      service.selector[key] = value.is_string() ? value.get<std::string>() : to_text(value);
  if (const Json* ports = spec.array("ports"))
    for (const auto& port : *ports) {
      ASSIGN_OR_RETURN(auto read, read_port(port, where));
      service.ports.push_back(std::move(read));
    }
  return spec.finish();
}

Status read_status(const Json& json, const std::string& where, ServiceText& service) {
  ObjectReader status(json, where);
  const Json* load_balancer = status.object("loadBalancer");
  RETURN_IF_ERROR(status.finish());
  if (load_balancer == nullptr) return {};
  ObjectReader reader(*load_balancer, where + ": status.loadBalancer");
  if (const Json* entries = reader.array("ingress"))
    for (const auto& entry : *entries) {
      ServiceText::Ingress& ingress = service.ingress.emplace_back();
      ObjectReader fields(entry, where + ": status.loadBalancer.ingress");
      fields.read("ip", ingress.ip);
      fields.read("ipMode", ingress.ip_mode);
      RETURN_IF_ERROR(fields.finish());
    }
  return reader.finish();
}

MetaPairs labels_of(ServiceText& text) {
  return {
      .label = [&](std::string_view key, std::string_view value) { text.note_label(key, value); }};
}

}  // namespace

Result<Service> Service::parse(std::string_view message) {
  ServiceText text;
  Status read = read_protobuf(message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case kube::object::kMetadata: {
        ASSIGN_OR_RETURN(text.meta, read_object_meta(field.bytes, labels_of(text)));
        break;
      }
      case kube::service::kSpec:
        return read_spec(field.bytes, text);
      case kube::service::kStatus:
        return read_status(field.bytes, text);
    }
    return {};
  });
  if (!read) return because("a Service that cannot be read", std::move(read).error());
  if (text.meta.name.empty()) return fail("a Service without a name");
  return make_service(std::move(text));
}

Result<Service> Service::read(const Json& manifest) {
  ServiceText text;
  ASSIGN_OR_RETURN(text.meta, read_manifest_meta(manifest, "a Service", labels_of(text)));
  const std::string where = "Service " + text.meta.ns + "/" + text.meta.name;
  ObjectReader reader(manifest, "Service");
  if (const Json* spec = reader.object("spec")) RETURN_IF_ERROR(read_spec(*spec, where, text));
  if (const Json* status = reader.object("status")) {
    RETURN_IF_ERROR(read_status(*status, where, text));
  }
  RETURN_IF_ERROR(reader.finish());
  return make_service(std::move(text));
}

}  // namespace weft
