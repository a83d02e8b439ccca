// segment.h: nodes on one Ethernet segment, each a network namespace, for tests of the agent.
//
// The agent runs on threads of the test program: threads that a thread starts stand in its
// namespace, so run_agent() on a thread in the node's namespace is the whole agent there.
#pragma once

#include <sched.h>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "kernel/netns.h"
#include "kernel/rtnetlink.h"
#include "net/forwarding.h"
#include "overlay/agent.h"
#include "support/eventually.h"
#include "support/must.h"
#include "support/temp_dir.h"

namespace weft::test {

inline IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}
inline Prefix prefix(const std::string& text) {
  return Prefix::parse(text).value();
}
inline MacAddress mac(const std::string& text) {
  return MacAddress::parse(text).value();
}

/// All that the overlay puts on a node, read back.
struct OverlayState {
  std::vector<Link> vteps;
  std::vector<InterfaceAddress> addresses;
  ForwardingTables tables;
  bool operator==(const OverlayState&) const = default;
};

/// Runs `body` with the calling thread in a namespace.
template <class Body>
auto inside(const kernel::Netns& netns, Body body) {
  const auto visit = must(kernel::NetnsVisit::enter(netns));
  return body();
}

inline kernel::Rtnetlink open_rtnetlink(const kernel::Netns& netns) {
  return inside(netns, [] { return must(kernel::Rtnetlink::open()); });
}

class Node {
 public:
  explicit Node(kernel::Netns netns)
      : netns_(std::move(netns)), rtnetlink_(open_rtnetlink(netns_)) {}
  ~Node() { stop_agent(); }

  /// Runs `body` with the calling thread in the node's namespace.
  template <class Body>
  auto in(Body body) {
    return inside(netns_, body);
  }
  /// Runs a program there and returns what it printed.
  std::string run(const std::vector<std::string>& argv) {
    return in([&] { return must(run_or_fail({.argv = argv})); });
  }
  /// `ip ...` or `bridge ...` there.
  std::string sh(const std::string& words) {
    std::vector<std::string> argv;
    for (const auto& word : split(words, ' '))
      if (!word.empty()) argv.push_back(word);
    return run(argv);
  }

  std::string status_file() const { return files_.path() + "/status.json"; }
  /// What the agent says of itself; empty before it has said anything.
  std::string status() const { return read_file(status_file()).value_or(""); }

  kernel::Netns& netns() { return netns_; }
  kernel::Rtnetlink& rtnetlink() { return rtnetlink_; }
  std::string subnet_file() const { return files_.path() + "/subnet.env"; }
  Link link(const std::string& name) { return must(rtnetlink_.link(name)).value(); }

  void start_agent(LeaseStore& store, std::function<void(overlay::AgentOptions&)> adjust = {}) {
    overlay::AgentOptions options;
    options.node.uplink.interfaces = {"eth0"};
    options.node.subnet_file = subnet_file();
    options.node.masquerade = true;
    if (adjust) adjust(options);
    stop_ = std::stop_source();
    agent_ = std::jthread([this, &store, options, stop = stop_.get_token()] {
      ASSERT_EQ(::setns(netns_.fd(), CLONE_NEWNET), 0);
      ended_ = overlay::run_agent(store, options, stop);
    });
  }
  /// Waits for an agent that ends by itself.
  Status wait_for_agent() {
    if (agent_.joinable()) agent_.join();
    return ended_;
  }
  /// What run_agent() returned.
  Status stop_agent() {
    stop_.request_stop();
    if (agent_.joinable()) agent_.join();
    return ended_;
  }

  OverlayState overlay_state();
  std::size_t peers() { return overlay_state().tables.routes.size(); }

 private:
  kernel::Netns netns_;
  kernel::Rtnetlink rtnetlink_;
  TempDir files_;
  std::stop_source stop_;
  Status ended_;
  std::jthread agent_;  // last, so that it is joined before the rest is gone
};

/// A bridge in a namespace of its own with nodes on it.
class Segment {
 public:
  Segment() : hub_(must(kernel::Netns::create())), hub_links_(open_rtnetlink(hub_)) {
    must(hub_links_.create({.name = "br0", .kind = "bridge", .up = true}));
    bridge_ = must(hub_links_.link("br0")).value().index;
  }

  /// The bridge's own namespace, with this address: a place for what all nodes reach.
  kernel::Netns& open_hub(const std::string& address) {
    must(hub_links_.change(must(hub_links_.link("lo")).value().index, {.up = true}));
    must(hub_links_.add(
        {.key = {.link = bridge_, .address = InterfaceAddress::parse(address).value()}}));
    return hub_;
  }

  /// A node whose eth0 has these addresses ("192.0.2.1/24").
  std::unique_ptr<Node> add_node(const std::vector<std::string>& addresses) {
    auto netns = must(kernel::Netns::create());
    const std::string port = "port" + std::to_string(++ports_);
    must(hub_links_.create({.name = port,
                            .kind = "veth",
                            .up = true,
                            .master = bridge_,
                            .peer = kernel::VethPeer{.name = "eth0", .netns_fd = netns.fd()}}));
    auto node = std::make_unique<Node>(std::move(netns));
    auto& links = node->rtnetlink();
    must(links.change(must(links.link("lo")).value().index, {.up = true}));
    const LinkIndex eth0 = must(links.link("eth0")).value().index;
    must(links.change(eth0, {.up = true}));
    for (const auto& address : addresses)
      must(links.add({.key = {.link = eth0, .address = InterfaceAddress::parse(address).value()}}));
    return node;
  }

 private:
  kernel::Netns hub_;
  kernel::Rtnetlink hub_links_;
  LinkIndex bridge_ = LinkIndex::kNone;
  int ports_ = 0;
};

inline OverlayState Node::overlay_state() {
  OverlayState state;
  for (const auto& link : must(rtnetlink_.links())) {
    if (link.name.rfind("flannel", 0) != 0) continue;
    state.vteps.push_back(link);
    for (const auto& address : must(rtnetlink_.addresses(link.index)))
      if (!address.key.address.address.is_link_local())
        state.addresses.push_back(address.key.address);
    for (const Family family : {Family::kIpv4, Family::kIpv6})
      for (const auto& neighbour : must(rtnetlink_.neighbours(family, link.index)))
        if (neighbour.state == NeighbourState::kPermanent)
          state.tables.neighbours[neighbour.key] = neighbour;
    for (const auto& entry : must(rtnetlink_.fdb(link.index)))
      if (entry.permanent) state.tables.fdb[entry.key] = entry;
  }
  for (const Family family : {Family::kIpv4, Family::kIpv6})
    for (const auto& route : must(rtnetlink_.routes(family)))
      if (route.gateway() && !route.key.destination.is_default())
        state.tables.routes[route.key] = route;
  return state;
}

}  // namespace weft::test
