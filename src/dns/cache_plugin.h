// cache_plugin.h: answers that other servers have given before.
#pragma once

#include <memory>
#include <vector>

#include "dns/forward_plugin.h"
#include "dns/plugin.h"
#include "dns/reply_cache.h"

namespace weft::dns {

class CachePlugin : public Plugin {
 public:
  /// `forwards` are those of the block, whose groups keep what comes in `cache`; they must outlive
  /// the plugin. `zones` are those that are cached.
  CachePlugin(std::shared_ptr<ReplyCache> cache, std::vector<Name> zones,
              std::vector<ForwardPlugin*> forwards, bool loadbalance)
      : cache_(std::move(cache)),
        zones_(std::move(zones)),
        forwards_(std::move(forwards)),
        loadbalance_(loadbalance) {}

  Step serve(Exchange& exchange) override;
  std::string_view source() const override { return "cache"; }

 private:
  ForwardPlugin* forward_of(const Exchange& exchange) const;
  Step let_pass(Exchange& exchange) const;
  Step write(Exchange& exchange, const ReplyCache::Found& found);

  std::shared_ptr<ReplyCache> cache_;
  const std::vector<Name> zones_;
  const std::vector<ForwardPlugin*> forwards_;
  const bool loadbalance_;
  Reply reply_;  // room for what is found
};

}  // namespace weft::dns
