// hosts_plugin.h: answers out of a hosts file.
//
// A hosts file is no zone and has no SOA: of a name that it has nothing can be denied but records
// of other types, and a name that it does not have fails, unless it falls through.
#pragma once

#include <cstdint>

#include "base/published.h"
#include "dns/hosts_table.h"
#include "dns/plugin.h"
#include "dns/plugin_options.h"

namespace weft::dns {

class HostsPlugin : public Plugin {
 public:
  /// Both must outlive it. `options.zones` are those of the block where the plugin names none.
  HostsPlugin(const Published<HostsTable>& tables, const HostsOptions& options)
      : tables_(tables), options_(options) {}

  Step serve(Exchange& exchange) override;
  std::string_view source() const override { return "hosts"; }

 private:
  Step write_names(const HostsTable& table, Exchange& exchange) const;
  std::uint32_t ttl() const { return static_cast<std::uint32_t>(options_.ttl.count()); }

  Published<HostsTable>::Reader tables_;
  const HostsOptions& options_;
};

}  // namespace weft::dns
