// node_rules.h: from the configuration and the node to the rules of each family. Pure.
#pragma once

#include <vector>

#include "service/own_node.h"
#include "service/proxy_config.h"
#include "service/rule_options.h"
#include "service/service_plan.h"

namespace weft::service {

/// All that the rules depend on.
struct RuleInputs {
  const ProxyConfig& config;
  const OwnNode& node;
  /// Of the node's interfaces.
  const std::vector<IpAddress>& own_addresses;
  /// Of the cluster's services, as far as they are known.
  const std::vector<Prefix>& service_ranges;
};

/// The addresses by which the node is known, one a family: bindAddress goes before those of the
/// Node; where there is none, loopback.
std::vector<IpAddress> primary_addresses(const ProxyConfig& config, const OwnNode& node);

RuleOptions rule_options(Family family, const RuleInputs& inputs);

/// How pods of this node are told from everything else.
LocalDetector local_detector(const ProxyConfig& config, const OwnNode& node);

}  // namespace weft::service
