// service_text.h: a Service in the words of the API, before they are checked.
//
// The protobuf message and the manifest are read into it; one set of rules makes a Service of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/object_meta.h"
#include "cluster/service.h"

namespace weft {

struct ServiceText {
  struct Port {
    std::string name = {};
    std::string protocol = {};
    std::string target_port = {};
    std::int64_t port = 0;
    std::int64_t node_port = 0;
  };
  struct Ingress {
    std::string ip = {};
    std::string ip_mode = {};
  };
  ObjectMeta meta = {};
  bool other_proxy = false;
  bool headless_label = false;
  std::string type = {};
  std::string cluster_ip = {};
  std::vector<std::string> cluster_ips = {};
  std::vector<Port> ports = {};
  std::map<std::string, std::string> selector = {};
  std::string external_name = {};
  std::vector<std::string> external_ips = {};
  std::vector<Ingress> ingress = {};
  std::vector<std::string> source_ranges = {};
  std::string internal_traffic_policy = {};
  std::string external_traffic_policy = {};
  std::string session_affinity = {};
  std::optional<std::int64_t> affinity_seconds = {};
  std::int64_t health_check_node_port = 0;
  bool publish_not_ready_addresses = false;

  /// The labels that say whose the object is.
  void note_label(std::string_view key, std::string_view value);
};

/// The API's rules (pkg/apis/core/validation), and its defaults.
Service make_service(ServiceText text);

}  // namespace weft
