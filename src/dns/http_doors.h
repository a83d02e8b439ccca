// http_doors.h: the ports at which a DNS server says how it is: the plugins `health`, `ready` and
// `prometheus`.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/listen_address.h"
#include "dns/plugin_options.h"
#include "serve/http_server.h"

namespace weft::dns {

class HttpDoors {
 public:
  /// What is answered at /health, /ready and /metrics; called on the server's own thread.
  struct Answers {
    std::function<HttpReply()> health;
    std::function<HttpReply()> ready;
    std::function<HttpReply()> metrics;
  };
  explicit HttpDoors(Answers answers);

  /// Answers at what the blocks ask for and nowhere else. Doors that are open already stay open
  /// without a gap. EADDRINUSE where another program has a port; others are open by then.
  Status open(const std::vector<BlockOptions>& blocks);

 private:
  using Paths = std::set<std::string>;
  struct Door {
    Paths paths;
    IpAddress address;  // that it is open at
  };

  Status open(const ListenAddress& where, const Paths& paths);
  HttpReply answer(const Paths& paths, const std::string& path) const;

  const Answers answers_;
  std::map<ListenAddress, Door> open_;  // as they were asked for
  HttpServer server_;                   // last: its thread uses what stands above
};

}  // namespace weft::dns
