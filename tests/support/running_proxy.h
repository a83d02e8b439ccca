// running_proxy.h: the service proxy in nftables mode, as tests start it.
#pragma once

#include <memory>
#include <utility>

#include "service/mode_choice.h"
#include "service/service_proxy.h"

namespace weft::service::test {

/// In the calling thread's namespace.
inline Result<std::unique_ptr<ServiceProxy>> start_proxy(ServiceFeed& feed,
                                                         const ServiceProxyOptions& options = {},
                                                         ProxyWatcher& watcher = no_watcher()) {
  ASSIGN_OR_RETURN(auto mode, open_mode("nftables", {.families = options.settings.families}));
  return ServiceProxy::start(feed, std::move(mode), options, watcher);
}

}  // namespace weft::service::test
