#include "dns/site.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "dns/cache_metrics.h"
#include "dns/query_counts.h"
#include "dns/server.h"
#include "dns/site_block.h"
#include "kernel/port_owner.h"

namespace weft::dns {
namespace {

// Addresses that the same blocks are served at.
struct Listener {
  std::vector<ListenAddress> addresses;
  std::vector<SiteBlock*> blocks;
  std::uint16_t port() const { return addresses.front().port; }
};

// Of a block's zones those at one port.
std::vector<Name> zones_at(const BlockOptions& options, std::uint16_t port,
                           std::uint16_t default_port) {
  std::vector<Name> names;
  for (const CorefileZone& zone : options.zones)
    if (zone.port.value_or(default_port) == port)
      names.insert(names.end(), zone.names.begin(), zone.names.end());
  return names;
}

// As CoreDNS's labels have it: "dns://:53", "dns://10.0.0.1:53".
std::string server_label(const BlockOptions& options, std::uint16_t port) {
  const std::string host = options.bind.empty() ? "" : options.bind.front();
  return "dns://" + host + ":" + std::to_string(port);
}

// "cluster.local.,in-addr.arpa."
std::string join_names(const std::vector<Name>& names) {
  std::string joined;
  for (const Name& name : names) joined += (joined.empty() ? "" : ",") + name.to_string();
  return joined;
}

Error with_owner_of(std::uint16_t port, Error error) {
  if (error.number != EADDRINUSE) return error;
  const std::string owner = kernel::port_owner(port);
  error.next =
      (owner.empty() ? "another program" : owner) +
      " has the port; end it, take over from it with -takeover where it is one of these, or "
      "take another port with -dns.port or bind";
  return error;
}

// Sockets of two processes may share a port, and each would get some of the queries: the kernel
// refuses nobody who asks as we do. So it is asked by a socket that shares nothing.
Status check_free(const ListenAddress& address, bool is_first) {
  if (!kernel::is_bound(address.address, address.port)) return {};
  // It may be one of our own, at another address.
  if (!is_first && kernel::port_owner(address.port).empty()) return {};
  return Failure(with_owner_of(
      address.port, fail_errno("listening on " + address.to_string(), EADDRINUSE).value()));
}

}  // namespace

struct Site::Inside {
  Result<std::vector<Listener>> listeners(std::uint16_t default_port) const;
  Result<std::unique_ptr<Handler>> make_responder(const Listener& listener,
                                                  std::uint16_t default_port, Replies& replies);
  std::shared_ptr<QueryCounts> counts_for(const SiteBlock& block, std::uint16_t port);

  OwnPorts own;
  std::vector<std::unique_ptr<SiteBlock>> blocks;
  std::vector<CountedBlock> counted;
  std::vector<std::unique_ptr<Server>> servers;  // last: they use what stands above
};

Site::Site(const SiteOptions& options) : options_(options), inside_(std::make_unique<Inside>()) {}
Site::~Site() = default;

Result<std::unique_ptr<Site>> Site::open(const std::vector<BlockOptions>& blocks,
                                         const SiteOptions& options) {
  std::unique_ptr<Site> site(new Site(options));
  for (const BlockOptions& each : blocks) {
    ASSIGN_OR_RETURN(auto block, open_block(each, options.origin));
    site->inside_->blocks.push_back(std::move(block));
  }
  return site;
}

// Each address with the blocks that are served there; addresses of the same blocks together.
Result<std::vector<Listener>> Site::Inside::listeners(std::uint16_t default_port) const {
  std::map<ListenAddress, std::vector<SiteBlock*>> by_address;
  for (const auto& block : blocks) {
    ASSIGN_OR_RETURN(const auto addresses, bind_addresses(block->options));
    for (const CorefileZone& zone : block->options.zones)
      for (const IpAddress& each : addresses) {
        const ListenAddress place{.address = each, .port = zone.port.value_or(default_port)};
        auto& there = by_address[place];
        if (std::find(there.begin(), there.end(), block.get()) == there.end())
          there.push_back(block.get());
      }
  }
  std::vector<Listener> all;
  for (const auto& entry : by_address) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const Listener& each) {
      return each.blocks == entry.second && each.port() == entry.first.port;
    });
    if (same != all.end())
      same->addresses.push_back(entry.first);
    else
      all.push_back({.addresses = {entry.first}, .blocks = entry.second});
  }
  return all;
}

std::shared_ptr<QueryCounts> Site::Inside::counts_for(const SiteBlock& block, std::uint16_t port) {
  const std::string server = server_label(block.options, port);
  const std::string zone = block.zones.empty() ? "" : block.zones.front().to_string();
  const auto known = std::find_if(counted.begin(), counted.end(), [&](const CountedBlock& each) {
    return each.server == server && each.zone == zone;
  });
  auto& place = known != counted.end()
                    ? *known
                    : counted.emplace_back(CountedBlock{.server = server, .zone = zone});
  return place.of_workers.emplace_back(std::make_shared<QueryCounts>());
}

Result<std::unique_ptr<Handler>> Site::Inside::make_responder(const Listener& listener,
                                                              std::uint16_t default_port,
                                                              Replies& replies) {
  ASSIGN_OR_RETURN(auto inquiries, Inquiries::open({}, own));
  std::vector<ServerBlock> server_blocks;
  for (SiteBlock* block : listener.blocks) {
    ServerBlock made = make_server_block(
        *block, zones_at(block->options, listener.port(), default_port), *inquiries, own);
    if (block->options.prometheus)
      made.observers.push_back(
          std::make_unique<CountingObserver>(counts_for(*block, listener.port())));
    server_blocks.push_back(std::move(made));
  }
  return std::make_unique<Responder>(
      std::move(server_blocks), Responder::Options{.most_pending = Inquiries::Limits{}.waiting},
      Responder::Later{.arrivals = std::move(inquiries), .replies = &replies});
}

Result<std::vector<ListenAddress>> Site::addresses() const {
  ASSIGN_OR_RETURN(const std::vector<Listener> all, inside_->listeners(options_.port));
  std::vector<ListenAddress> addresses;
  for (const Listener& listener : all)
    addresses.insert(addresses.end(), listener.addresses.begin(), listener.addresses.end());
  return addresses;
}

Status Site::serve(OpenSockets& inherited, bool is_first) {
  ASSIGN_OR_RETURN(const std::vector<Listener> all, inside_->listeners(options_.port));
  for (const Listener& listener : all)
    for (const ListenAddress& address : listener.addresses)
      if (!inherited.has(address)) RETURN_IF_ERROR(check_free(address, is_first));
  for (const Listener& listener : all) {
    auto server = Server::start(
        {.addresses = listener.addresses, .workers = options_.workers},
        [&](Replies& replies) { return inside_->make_responder(listener, options_.port, replies); },
        inherited);
    if (!server) {
      leave_sockets();  // whoever has them goes on
      inside_->servers.clear();
      return Failure(with_owner_of(listener.port(), std::move(server).error()));
    }
    inside_->servers.push_back(*std::move(server));
  }
  return {};
}

OpenSockets Site::sockets() const {
  OpenSockets all;
  for (const auto& server : inside_->servers) {
    OpenSockets copies = server->sockets();
    all.add_all(std::move(copies));
  }
  return all;
}

void Site::leave_sockets() const {
  for (const auto& server : inside_->servers) server->leave_sockets();
}

std::vector<std::string> Site::unready() const {
  std::vector<std::string> names;
  for (const auto& block : inside_->blocks)
    if (block->source != nullptr && !block->source->is_complete()) names.emplace_back("kubernetes");
  return names;
}

bool Site::has_names() const {
  return std::all_of(inside_->blocks.begin(), inside_->blocks.end(), [](const auto& block) {
    return block->names == nullptr || block->source->is_complete() || block->names->get()->stale;
  });
}

std::uint16_t Site::first_port(const SiteBlock& block) const {
  const auto& zones = block.options.zones;
  return zones.empty() ? options_.port : zones.front().port.value_or(options_.port);
}

void Site::write_metrics(MetricsText& text) const {
  write_query_metrics(inside_->counted, text);
  std::vector<CountedCache> caches;
  for (const auto& block : inside_->blocks)
    if (block->cache != nullptr)
      caches.push_back({.server = server_label(block->options, first_port(*block)),
                        .zones = join_names(block->zones),
                        .counts = block->cache->counts()});
  write_cache_metrics(caches, text);
  write_zone_metrics(text);
}

void Site::write_zone_metrics(MetricsText& text) const {
  text.gauge("coredns_kubernetes_names_stale",
             "1 as long as names are those of an earlier run, kept on disk.");
  for (const auto& block : inside_->blocks)
    if (block->names != nullptr)
      text.sample(block->names->get()->stale ? 1 : 0,
                  {{"server", server_label(block->options, first_port(*block))},
                   {"zones", join_names(block->zones)}});
}

}  // namespace weft::dns
