// neighbour.h: neighbour entries (ARP, ND) and forwarding database entries as values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "net/address.h"
#include "net/link.h"

namespace weft {

/// NUD_*: as far as weft tells them apart.
enum class NeighbourState : std::uint16_t {
  kNone = 0,
  kIncomplete = 0x01,
  kReachable = 0x02,
  kStale = 0x04,
  kDelay = 0x08,
  kProbe = 0x10,
  kFailed = 0x20,
  kNoArp = 0x40,
  kPermanent = 0x80,
};

struct NeighbourKey {
  LinkIndex link = LinkIndex::kNone;
  IpAddress address = {};
  auto operator<=>(const NeighbourKey&) const = default;
};

struct Neighbour {
  NeighbourKey key = {};
  MacAddress mac = {};
  NeighbourState state = NeighbourState::kPermanent;
  auto operator<=>(const Neighbour&) const = default;
};

/// An entry that the device itself holds (NTF_SELF), as a VTEP does: frames for `mac` go to
/// the remote VTEP. One MAC address may have several remotes only when it is the zero one.
struct FdbKey {
  LinkIndex link = LinkIndex::kNone;
  MacAddress mac = {};
  auto operator<=>(const FdbKey&) const = default;
};

struct FdbEntry {
  FdbKey key = {};
  std::optional<IpAddress> remote = {};  ///< NDA_DST: the remote VTEP
  bool permanent = true;                 ///< NUD_PERMANENT and not learned
  auto operator<=>(const FdbEntry&) const = default;
};

}  // namespace weft
