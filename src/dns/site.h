// site.h: one Corefile at work: what its blocks know, and the servers that answer out of it.
//
// A site is opened, so that its sources begin to read; and then serves. A change of the Corefile
// makes another site, which serves before the former one ends: it goes on with the same sockets,
// and no query is lost.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/open_sockets.h"
#include "dns/plugin_options.h"
#include "dns/zone_source.h"
#include "serve/metrics_text.h"

namespace weft::dns {

struct SiteOptions {
  std::uint16_t port = 53;  ///< of zones that name none
  unsigned workers = 1;     ///< threads for each set of addresses
  ZoneOrigin origin = {};
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

  /// Where it will listen.
  Result<std::vector<ListenAddress>> addresses() const;
  /// Listens at all addresses, or at none; where there are `inherited` sockets, with those.
  /// EADDRINUSE when another process has a port, whose name the error says; for the very first site
  /// of a process also when nobody sees who it is.
  Status serve(OpenSockets& inherited, bool is_first);
  /// See Server::sockets() and Server::leave_sockets(). Callable from any thread.
  OpenSockets sockets() const;
  void leave_sockets() const;

  /// The plugins that are not ready, in order. Callable from any thread, as the next ones.
  std::vector<std::string> unready() const;
  /// Whether all of them have something to say, be it what an earlier run has known.
  bool has_names() const;
  void write_metrics(MetricsText& text) const;

 private:
  struct Inside;
  explicit Site(const SiteOptions& options);
  std::uint16_t first_port(const SiteBlock& block) const;
  void write_zone_metrics(MetricsText& text) const;

  const SiteOptions options_;
  std::unique_ptr<Inside> inside_;
};

}  // namespace weft::dns
