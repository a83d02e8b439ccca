// dns_responder.h: a server's answers out of a cluster's names and nothing else.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "dns/kubernetes_plugin.h"
#include "dns/responder.h"

namespace weft::test {

/// For Server::start(). `zones` must outlive the responder.
inline std::unique_ptr<dns::Responder> cluster_responder(const Published<dns::ClusterZone>& zones) {
  dns::ServerBlock block;
  block.zones = {dns::Name()};
  block.plugins.push_back(std::make_unique<dns::KubernetesPlugin>(zones, dns::Fallthrough{}));
  std::vector<dns::ServerBlock> blocks;
  blocks.push_back(std::move(block));
  return std::make_unique<dns::Responder>(std::move(blocks), dns::Responder::Options{});
}

}  // namespace weft::test
