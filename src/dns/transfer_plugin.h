// transfer_plugin.h: who may have the cluster's zone as a whole (AXFR). Nobody is told of changes
// (NOTIFY): whoever has a copy asks for the serial, which moves with every change.
#pragma once

#include "base/published.h"
#include "dns/cluster_zone.h"
#include "dns/plugin.h"
#include "dns/plugin_options.h"

namespace weft::dns {

class TransferPlugin : public Plugin {
 public:
  /// `zones` must outlive it. `options.zones` are those of the block where the plugin names none.
  TransferPlugin(const Published<ClusterZone>& zones, TransferOptions options)
      : zones_(zones), options_(std::move(options)) {}

  Step serve(Exchange& exchange) override;

 private:
  bool is_allowed(const IpAddress& client) const;

  const Published<ClusterZone>& zones_;
  const TransferOptions options_;
};

}  // namespace weft::dns
