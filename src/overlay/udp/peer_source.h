// peer_source.h: the table of peers as it crosses from the thread that knows them to those that
// move packets.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/lock_guarded.h"
#include "overlay/udp/peer_table.h"

namespace weft::overlay::udp {

class PeerSource {
 public:
  void set(PeerTable table) {
    auto next = std::make_shared<const PeerTable>(std::move(table));
    table_.with([&](auto& present) { present = std::move(next); });
    generation_.fetch_add(1, std::memory_order_release);
  }

  /// One reader's hold on the table.
  class Reader {
   public:
    explicit Reader(const PeerSource& source) : source_(source) {}
    /// Takes the newest table. Costs one load unless it has changed; only then is a lock taken.
    const PeerTable& refresh() {
      const auto generation = source_.generation_.load(std::memory_order_acquire);
      if (generation != seen_) {
        held_ = source_.table_.copy();
        seen_ = generation;
      }
      return *held_;
    }

   private:
    const PeerSource& source_;
    std::shared_ptr<const PeerTable> held_ = std::make_shared<const PeerTable>();
    std::uint64_t seen_ = 0;
  };

 private:
  LockGuarded<std::shared_ptr<const PeerTable>> table_{std::make_shared<const PeerTable>()};
  std::atomic<std::uint64_t> generation_{0};
};

}  // namespace weft::overlay::udp
