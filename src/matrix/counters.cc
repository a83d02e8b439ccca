#include "matrix/counters.h"

#include <chrono>
#include <thread>

#include "kernel/netns.h"
#include "kernel/rtnetlink.h"
#include "matrix/icmp_socket.h"
#include "matrix/probe.h"

namespace weft::matrix {
namespace {

// More than the ARP and neighbour discovery of a quarter of a second.
constexpr unsigned kBurst = 20;
constexpr std::chrono::milliseconds kTravel(200);

// One device of the walk, with a socket in its namespace.
class Counter {
 public:
  static Result<Counter> open(const WalkPoint& point) {
    ASSIGN_OR_RETURN(const auto netns, kernel::Netns::open(point.netns));
    ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(netns));
    ASSIGN_OR_RETURN(auto rtnetlink, kernel::Rtnetlink::open());
    ASSIGN_OR_RETURN(const auto link, rtnetlink.link(point.device));
    if (!link) return fail(point.where + " is not there");
    return Counter(point, std::move(rtnetlink), link->index);
  }

  Status start() {
    ASSIGN_OR_RETURN(before_, rtnetlink_.counters(link_));
    return {};
  }

  Result<Seen> stop() {
    ASSIGN_OR_RETURN(const LinkCounters after, rtnetlink_.counters(link_));
    Seen seen{.point = point_};
    seen.packets = point_.leaving ? after.tx_packets - before_.tx_packets
                                  : after.rx_packets - before_.rx_packets;
    seen.dropped = after.tx_dropped - before_.tx_dropped + after.rx_dropped - before_.rx_dropped;
    return seen;
  }

 private:
  Counter(WalkPoint point, kernel::Rtnetlink rtnetlink, LinkIndex link)
      : point_(std::move(point)), rtnetlink_(std::move(rtnetlink)), link_(link) {}

  WalkPoint point_;
  kernel::Rtnetlink rtnetlink_;
  LinkIndex link_;
  LinkCounters before_ = {};
};

Result<std::vector<Counter>> open_counters(const std::vector<WalkPoint>& walk) {
  std::vector<Counter> counters;
  for (const auto& point : walk) {
    ASSIGN_OR_RETURN(Counter counter, Counter::open(point));
    RETURN_IF_ERROR(counter.start());
    counters.push_back(std::move(counter));
  }
  return counters;
}

Result<std::vector<Seen>> read_counters(std::vector<Counter>& counters) {
  std::vector<Seen> seen;
  for (auto& counter : counters) {
    ASSIGN_OR_RETURN(Seen point, counter.stop());
    seen.push_back(std::move(point));
  }
  return seen;
}

}  // namespace

Result<std::string> where_lost(const Burst& burst) {
  ASSIGN_OR_RETURN(auto there, open_counters(burst.there));
  ASSIGN_OR_RETURN(auto back, open_counters(burst.back));
  {
    ASSIGN_OR_RETURN(const auto netns, kernel::Netns::open(burst.netns));
    ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(netns));
    send_burst(burst.target, burst.protocol, kBurst, burst.size == 0 ? kSmallPacket : burst.size);
  }
  // The packets need a moment; how long they need is what nobody can wait for.
  std::this_thread::sleep_for(kTravel);
  ASSIGN_OR_RETURN(const auto seen_there, read_counters(there));
  ASSIGN_OR_RETURN(const auto seen_back, read_counters(back));
  return last_seen(seen_there, seen_back, kBurst, burst.name);
}

}  // namespace weft::matrix
