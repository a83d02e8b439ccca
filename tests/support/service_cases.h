// service_cases.h: Services and endpoints of tests, in few words.
#pragma once

#include <string>
#include <vector>

#include "cluster/endpoint_slice.h"
#include "cluster/service.h"
#include "service/endpoint_record.h"
#include "service/node_facts.h"
#include "service/service_plan.h"

namespace weft::service::test {

inline IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}
inline Prefix prefix(const std::string& text) {
  return Prefix::parse(text).value();
}

inline const NodeFacts kHere{.name = "here", .zone = "east", .addresses = {ip("192.0.2.1")}};

/// Ready, on another node.
inline Endpoint endpoint(const std::string& address, const std::string& node = "there") {
  return {.addresses = {ip(address)}, .node = node};
}
inline Endpoint not_ready(Endpoint endpoint) {
  endpoint.ready = endpoint.serving = false;
  return endpoint;
}
inline Endpoint terminating(Endpoint endpoint, bool serving = true) {
  endpoint.ready = false;
  endpoint.serving = serving;
  endpoint.terminating = true;
  return endpoint;
}

/// A slice of the Service shop/web, whose port "http" is 8080, by TCP and UDP.
inline EndpointSlice slice(std::vector<Endpoint> endpoints, const std::string& name = "web-1",
                           Family family = Family::kIpv4) {
  return {.ns = "shop",
          .name = name,
          .service = "web",
          .family = family,
          .ports = {{.name = "http", .port = 8080},
                    {.name = "http", .protocol = ServiceProtocol::kUdp, .port = 8080}},
          .endpoints = std::move(endpoints)};
}

/// The Service shop/web at 10.96.0.10, with the port http 80.
inline Service web() {
  return {.name = {"shop", "web"},
          .cluster_ips = {ip("10.96.0.10")},
          .ports = {{.name = "http", .port = 80}}};
}

/// What the proxy makes of a Service and all of its slices; nothing of one that is not for it.
inline ServicePlan plan(const Service& service, const std::vector<EndpointSlice>& slices,
                        const PlanOptions& options = {.node = kHere},
                        Family family = Family::kIpv4) {
  std::vector<SliceDigest> digests;
  for (const auto& each : slices)
    if (auto kept = digest(each, options.node)) digests.push_back(*std::move(kept));
  std::vector<const SliceDigest*> pointers;
  for (const auto& each : digests) pointers.push_back(&each);
  const auto kept = digest(service);
  return kept ? plan_service(*kept, pointers, family, options) : ServicePlan{};
}

/// "10.0.0.1:8080 10.0.0.2:8080"
inline std::string text(const std::vector<EndpointRecord>& endpoints) {
  std::string all;
  for (const auto& each : endpoints)
    all += (all.empty() ? "" : " ") + each.address.to_string() + ":" + std::to_string(each.port);
  return all;
}

}  // namespace weft::service::test
