// own_ports.h: where this process asks other servers from, so that a query of its own that comes
// back to it is known at once.
//
// Shared by all workers. Most queries come from ports that are none of these, which costs one load.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <set>

#include "base/lock_guarded.h"
#include "dns/listen_address.h"

namespace weft::dns {

class OwnPorts {
 public:
  void add(const ListenAddress& local) {
    places_.with([&](Places& places) { places.insert(local); });
    word(local.port).fetch_or(bit(local.port), std::memory_order_relaxed);
  }
  void remove(const ListenAddress& local) {
    places_.with([&](Places& places) {
      if (const auto found = places.find(local); found != places.end()) places.erase(found);
      const auto same_port = [&](const ListenAddress& each) { return each.port == local.port; };
      if (std::none_of(places.begin(), places.end(), same_port))
        word(local.port).fetch_and(~bit(local.port), std::memory_order_relaxed);
    });
  }
  bool contains(const ListenAddress& peer) const {
    if ((word(peer.port).load(std::memory_order_relaxed) & bit(peer.port)) == 0) return false;
    return places_.with([&](const Places& places) { return places.contains(peer); });
  }

 private:
  // Two sockets may have one port towards different peers.
  using Places = std::multiset<ListenAddress>;
  static std::uint64_t bit(std::uint16_t port) { return std::uint64_t{1} << (port % 64U); }
  std::atomic<std::uint64_t>& word(std::uint16_t port) { return words_[port / 64U]; }
  const std::atomic<std::uint64_t>& word(std::uint16_t port) const { return words_[port / 64U]; }

  std::array<std::atomic<std::uint64_t>, 1024> words_{};
  LockGuarded<Places> places_;
};

}  // namespace weft::dns
