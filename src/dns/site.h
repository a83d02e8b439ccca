// site.h: one Corefile at work: what its blocks know, and the servers that answer out of it.
//
// A site is opened, so that its sources begin to read; and then serves. A change of the Corefile
// makes another site, which serves before the former one ends: both listen at the same ports for a
// moment, and no query is lost.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/plugin_options.h"
#include "serve/metrics_text.h"
#include "store/kube_access.h"
#include "store/kube_reader.h"

namespace weft::dns {

struct SiteOptions {
  std::uint16_t port = 53;  ///< of zones that name none
  unsigned workers = 1;     ///< threads for each set of addresses
  /// Manifests that are the cluster, in the API's place; empty: the API.
  std::string store_folder = {};
  std::shared_ptr<KubeReader> reader = {};  ///< see ProgramOptions
  Environment environment = {};
};

struct SiteBlock;

class Site {
 public:
  /// Fails where a block cannot be set up: no access to the API, no certificate.
  static Result<std::unique_ptr<Site>> open(const std::vector<BlockOptions>& blocks,
                                            const SiteOptions& options);
  /// Ends the servers, with what they have promised, and then the sources.
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  /// Listens at all addresses, or at none. EADDRINUSE says who has the port.
  Status serve();

  /// The plugins that are not ready, in order. Callable from any thread, as the next one.
  std::vector<std::string> unready() const;
  void write_metrics(MetricsText& text) const;

 private:
  struct Inside;
  explicit Site(const SiteOptions& options);
  std::uint16_t first_port(const SiteBlock& block) const;

  const SiteOptions options_;
  std::unique_ptr<Inside> inside_;
};

}  // namespace weft::dns
