#include "kernel/monitor.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include <gtest/gtest.h>

#include "fresh_netns.h"
#include "kernel/nftables.h"

namespace weft::kernel {
namespace {

using test::in_fresh_netns;
using test::must;

// Keeps what a monitor told; waits for an event at most ten seconds.
class Told {
 public:
  void add(const KernelEvent& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  bool waits_for(const std::function<bool(const KernelEvent&)>& wanted) {
    std::unique_lock lock(mutex_);
    std::size_t seen = 0;  // each event is looked at once, however many there are
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      while (seen < events_.size())
        if (wanted(events_[seen++])) return true;
      return false;
    });
  }
  bool has(const std::function<bool(const KernelEvent&)>& wanted) {
    const std::lock_guard lock(mutex_);
    return std::any_of(events_.begin(), events_.end(), wanted);
  }
  bool waits_for(Topic topic, bool removed, LinkIndex link) {
    return waits_for([&](const KernelEvent& event) {
      return event.topic == topic && event.removed == removed && event.link == link;
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<KernelEvent> events_;
};

const Prefix kDestination = Prefix::parse("198.51.100.0/24").value();

LinkIndex some_link(Rtnetlink& rtnetlink) {
  must(rtnetlink.create({.name = "d", .kind = "bridge", .up = true}));
  return must(rtnetlink.link("d")).value().index;
}

TEST(Monitor, LinksAddressesRoutesAndNeighboursAreTold) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    Told told;
    const auto monitor =
        must(Monitor::start({Topic::kLink, Topic::kAddress, Topic::kRoute, Topic::kNeighbour},
                            [&](const KernelEvent& event) { told.add(event); }));
    const LinkIndex link = some_link(rtnetlink);
    EXPECT_TRUE(told.waits_for([&](const KernelEvent& event) {
      return event.topic == Topic::kLink && !event.removed && event.link == link &&
             event.name == "d";
    }));

    const LinkAddressKey address{.link = link,
                                 .address = InterfaceAddress::parse("192.0.2.1/24").value()};
    must(rtnetlink.add({.key = address}));
    EXPECT_TRUE(told.waits_for(Topic::kAddress, false, link));

    const Route route{.key = {.destination = kDestination}, .hops = {{.link = link}}};
    must(rtnetlink.put(route));
    EXPECT_TRUE(told.waits_for(Topic::kRoute, false, link));
    must(rtnetlink.remove(route));
    EXPECT_TRUE(told.waits_for(Topic::kRoute, true, link));

    const Neighbour neighbour{.key = {.link = link, .address = *IpAddress::parse("192.0.2.2")},
                              .mac = MacAddress::parse("02:00:00:00:00:02").value()};
    std::vector<Request> requests;
    requests.push_back(encode_neighbour(neighbour));
    requests.push_back(encode_delete_neighbour(neighbour.key));
    for (const auto& status : rtnetlink.request_all(requests)) must(status);
    EXPECT_TRUE(told.waits_for(Topic::kNeighbour, false, link));
    EXPECT_TRUE(told.waits_for(Topic::kNeighbour, true, link));

    must(rtnetlink.remove(address));
    EXPECT_TRUE(told.waits_for(Topic::kAddress, true, link));
    must(rtnetlink.remove(link));
    EXPECT_TRUE(told.waits_for(Topic::kLink, true, link));
  });
}

TEST(Monitor, WhatTheOwnSocketAskedForIsNoNews) {
  in_fresh_netns([](Rtnetlink& own) {
    auto other = must(Rtnetlink::open());
    const LinkIndex link = some_link(own);
    Told told;
    const auto monitor = must(Monitor::start(
        {Topic::kRoute, Topic::kNeighbour}, [&](const KernelEvent& event) { told.add(event); },
        must(own.port())));
    const Route ours{.key = {.destination = kDestination}, .hops = {{.link = link}}};
    must(own.put(ours));
    std::vector<Request> requests;
    requests.push_back(
        encode_neighbour({.key = {.link = link, .address = *IpAddress::parse("192.0.2.2")},
                          .mac = MacAddress::parse("02:00:00:00:00:02").value()}));
    must(own.request_all(requests)[0]);
    // The kernel tells in order: with the other's event the own ones would have come.
    must(other.remove(ours));
    EXPECT_TRUE(told.waits_for(Topic::kRoute, true, link));
    EXPECT_FALSE(told.has([](const KernelEvent& event) { return !event.removed; }));
  });
}

TEST(Monitor, NftablesChangesAreToldWithTheTable) {
  in_fresh_netns([](Rtnetlink&) {
    Told told;
    const auto monitor = must(
        Monitor::start({Topic::kNftables}, [&](const KernelEvent& event) { told.add(event); }));
    auto nftables = must(Nftables::open());
    const nft::TableContents table{.table = {.id = {nft::TableFamily::kIp6, "ours"}}};
    const auto about_ours = [&](bool removed) {
      return told.waits_for([&](const KernelEvent& event) {
        return event.topic == Topic::kNftables && event.name == "ours" &&
               event.family == Family::kIpv6 && event.removed == removed;
      });
    };
    must(nftables.apply(table));
    EXPECT_TRUE(about_ours(false));
    must(nftables.remove_table(table.table.id));
    EXPECT_TRUE(about_ours(true));
  });
}

TEST(Monitor, EventsThatTheKernelHadToDropAreToldAsLost) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    const LinkIndex link = some_link(rtnetlink);
    Told told;
    std::mutex gate;  // held while nobody shall read
    std::unique_lock closed(gate);
    const auto monitor = must(Monitor::start({Topic::kRoute}, [&](const KernelEvent& event) {
      const std::lock_guard wait(gate);
      told.add(event);
    }));
    constexpr std::uint32_t kRoutes = 60'000;
    std::vector<Request> requests;
    for (std::uint32_t i = 0; i < kRoutes; ++i)
      requests.push_back(
          encode_route({.key = {.destination = Prefix::host(IpAddress::v4(0x0a000000U + i))},
                        .hops = {{.link = link}}},
                       RouteWrite::kExclusive));
    for (const auto& status : rtnetlink.request_all(requests)) must(status);
    closed.unlock();
    EXPECT_TRUE(
        told.waits_for([](const KernelEvent& event) { return event.topic == Topic::kLost; }));
    // And it goes on telling.
    must(rtnetlink.remove(link));
    must(rtnetlink.create({.name = "e", .kind = "bridge", .up = true}));
    const LinkIndex next = must(rtnetlink.link("e")).value().index;
    must(rtnetlink.put({.key = {.destination = kDestination}, .hops = {{.link = next}}}));
    EXPECT_TRUE(told.waits_for(Topic::kRoute, false, next));
  });
}

TEST(Monitor, WhatHappensInOtherNamespacesIsNotTold) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    Told told;
    const auto monitor =
        must(Monitor::start({Topic::kLink}, [&](const KernelEvent& event) { told.add(event); }));
    {
      const Netns other = must(Netns::create());
      const auto visit = must(NetnsVisit::enter(other));
      auto inside = must(Rtnetlink::open());
      must(inside.create({.name = "elsewhere", .kind = "bridge"}));
    }
    must(rtnetlink.create({.name = "here", .kind = "bridge"}));
    EXPECT_TRUE(told.waits_for([](const KernelEvent& event) { return event.name == "here"; }));
    // Events come in order: that of the other namespace would have come before.
    EXPECT_FALSE(told.has([](const KernelEvent& event) { return event.name == "elsewhere"; }));
  });
}

}  // namespace
}  // namespace weft::kernel
