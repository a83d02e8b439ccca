#include "dns/http_doors.h"

#include <cerrno>
#include <utility>

namespace weft::dns {
namespace {

constexpr const char* kHealth = "/health";
constexpr const char* kReady = "/ready";
constexpr const char* kMetrics = "/metrics";

HttpReply not_found() {
  return {.status = 404, .body = "404 page not found\n"};
}

// A kernel without IPv6 has no :: to stand for both families.
bool is_without_ipv6(const Error& error) {
  return error.number == EAFNOSUPPORT || error.number == EADDRNOTAVAIL;
}

}  // namespace

HttpDoors::HttpDoors(Answers answers)
    : answers_(std::move(answers)), server_([](const std::string&) { return not_found(); }) {}

Status HttpDoors::open(const std::vector<BlockOptions>& blocks) {
  std::map<ListenAddress, Paths> wanted;
  for (const BlockOptions& block : blocks) {
    if (block.health) wanted[block.health->address].insert(kHealth);
    if (block.ready) wanted[*block.ready].insert(kReady);
    if (block.prometheus) wanted[*block.prometheus].insert(kMetrics);
  }
  std::erase_if(open_, [&](const auto& entry) {
    const auto& [where, door] = entry;
    const auto same = wanted.find(where);
    if (same != wanted.end() && same->second == door.paths) return false;
    server_.close(door.address, where.port);
    return true;
  });
  for (const auto& [where, paths] : wanted)
    if (!open_.contains(where)) RETURN_IF_ERROR(open(where, paths));
  return {};
}

Status HttpDoors::open(const ListenAddress& where, const Paths& paths) {
  const auto handler = [this, paths](const std::string& path) { return answer(paths, path); };
  Door door{.paths = paths, .address = where.address};
  auto port = server_.listen(door.address, where.port, handler);
  if (!port && door.address == IpAddress::any(Family::kIpv6) && is_without_ipv6(port.error())) {
    door.address = IpAddress::any(Family::kIpv4);
    port = server_.listen(door.address, where.port, handler);
  }
  if (!port) return Failure(port.error());
  open_.emplace(where, std::move(door));
  return {};
}

HttpReply HttpDoors::answer(const Paths& paths, const std::string& path) const {
  if (!paths.contains(path)) return not_found();
  if (path == kHealth) return answers_.health();
  return path == kReady ? answers_.ready() : answers_.metrics();
}

}  // namespace weft::dns
