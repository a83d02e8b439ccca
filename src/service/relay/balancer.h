// balancer.h: which endpoint the next client of a service port gets: in turn, or the one that it
// had. Callable from any thread; time is the caller's.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "net/address.h"

namespace weft::service {

struct Place {
  IpAddress address = {};
  std::uint16_t port = 0;
  auto operator<=>(const Place&) const = default;
};

class Balancer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `seed` is for the order of the endpoints: two nodes should not begin with the same one.
  explicit Balancer(std::uint32_t seed) : seed_(seed) {}

  /// Other endpoints, or another affinity; 0: none. A new round begins, and who had an endpoint
  /// that is gone is free again. The same as before changes nothing.
  void set(std::vector<Place> endpoints, std::chrono::seconds affinity);

  /// Nothing when there is no endpoint.
  std::optional<Place> pick(const IpAddress& client, Time now);
  /// The endpoint did not answer: the client takes the next one.
  void release(const IpAddress& client);
  bool has(const Place& endpoint) const;

  /// No more clients are remembered; those beyond are served in turn.
  static constexpr std::size_t kMostClients = 65'536;
  std::size_t clients() const;

 private:
  struct Stay {
    Place endpoint = {};
    Time used = {};
  };

  Place next();
  void forget_idle(Time now);

  mutable std::mutex mutex_;
  const std::uint32_t seed_;
  std::vector<Place> given_;      // in order
  std::vector<Place> endpoints_;  // the same, shuffled
  std::size_t turn_ = 0;
  std::chrono::seconds affinity_{0};
  std::unordered_map<IpAddress, Stay> stays_;
  Time swept_ = {};
};

}  // namespace weft::service
