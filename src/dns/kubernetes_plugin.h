// kubernetes_plugin.h: answers out of the snapshot of the cluster's names.
#pragma once

#include "base/published.h"
#include "dns/cluster_zone.h"
#include "dns/plugin.h"
#include "dns/plugin_options.h"

namespace weft::dns {

class KubernetesPlugin : public Plugin {
 public:
  /// `zones` must outlive it.
  KubernetesPlugin(const Published<ClusterZone>& zones, Fallthrough fallthrough)
      : zones_(zones), fallthrough_(std::move(fallthrough)) {}

  Step serve(Exchange& exchange) override;
  std::string_view source() const override { return "cluster"; }

 private:
  Step deny(const ClusterZone& zone, const ServedZone& in, Exchange& exchange) const;

  Published<ClusterZone>::Reader zones_;
  const Fallthrough fallthrough_;
};

}  // namespace weft::dns
