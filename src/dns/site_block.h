// site_block.h: what one server block of a Corefile knows, shared by all workers, and the plugins
// that answer out of it, one set for each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/loop.h"
#include "base/published.h"
#include "base/result.h"
#include "dns/hosts_table.h"
#include "dns/inquiries.h"
#include "dns/loop_marks.h"
#include "dns/plugin_options.h"
#include "dns/reply_cache.h"
#include "dns/responder.h"
#include "dns/tls_session.h"
#include "dns/zone_source.h"

namespace weft::dns {

/// One `forward`.
struct SiteForward {
  std::shared_ptr<const ForwardOptions> options = {};
  std::vector<Upstream> upstreams = {};
  std::shared_ptr<LoopMarks> loops = {};
  std::shared_ptr<const TlsContext> tls = {};
};

/// A hosts file, read again when it has changed. What cannot be read stays as it was.
class HostsFile {
 public:
  explicit HostsFile(const HostsOptions& options);
  const Published<HostsTable>& tables() const { return tables_; }
  const HostsOptions& options() const { return options_; }

 private:
  std::shared_ptr<const HostsTable> read();
  Rest reread();

  const HostsOptions options_;
  RateLimit told_{std::chrono::minutes(5)};
  std::string last_;
  Published<HostsTable> tables_;
  Loop reader_;  // last, so that it ends first
};

struct SiteBlock {
  BlockOptions options = {};
  std::vector<Name> zones = {};
  std::unique_ptr<Published<ClusterZone>> names = {};
  std::unique_ptr<HostsFile> hosts = {};
  std::shared_ptr<ReplyCache> cache = {};
  std::vector<SiteForward> forwards = {};
  std::unique_ptr<ZoneSource> source = {};  // last: it writes into `names`
};

/// Begins to read what the block's plugins need. Fails where there is no access to the API, or a
/// certificate cannot be read.
Result<std::unique_ptr<SiteBlock>> open_block(const BlockOptions& options,
                                              const ZoneOrigin& origin);

/// Where it listens: everywhere, or what `bind` says.
Result<std::vector<IpAddress>> bind_addresses(const BlockOptions& options);

/// For one worker, below these zones. All must outlive it.
ServerBlock make_server_block(SiteBlock& block, std::vector<Name> zones, Inquiries& inquiries,
                              const OwnPorts& own);

}  // namespace weft::dns
