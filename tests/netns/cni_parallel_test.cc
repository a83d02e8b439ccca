// Many containers at once, as a node has them after it was started anew.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "support/cni_container.h"

namespace weft {
namespace {

using test::Container;
using test::must;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

constexpr std::size_t kContainers = 200;
constexpr unsigned kAtOnce = 8;

// Calls `each(i)` for every container, from several threads of one namespace.
template <class Each>
void in_parallel(const kernel::Netns& home, Each each) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (unsigned k = 0; k < kAtOnce; ++k)
    threads.emplace_back([&] {
      const auto visit = must(kernel::NetnsVisit::enter(home));
      for (std::size_t i = next++; i < kContainers; i = next++) each(i);
    });
}

TEST(CniParallel, TwoHundredAddsGiveTwoHundredAddresses) {
  const WeftPlugins weft;
  const TempDir data;
  const std::string config =
      R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","isDefaultGateway":true,
          "ipam":{"type":"host-local","dataDir":")" +
      data.path() + R"(","ranges":[[{"subnet":"10.1.0.0/23"}]]}})";
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const auto home = must(kernel::Netns::current());
    std::vector<Container> containers;
    for (std::size_t i = 0; i < kContainers; ++i) containers.emplace_back("c" + std::to_string(i));
    std::vector<PluginReply> replies(kContainers);
    in_parallel(home, [&](std::size_t i) {
      replies[i] = weft.folder().call("bridge", "ADD", containers[i].port(), config);
    });
    std::set<std::string> addresses;
    for (const auto& reply : replies) {
      ASSERT_TRUE(reply.ok()) << reply.output;
      addresses.insert(reply.json["ips"][0]["address"]);
    }
    EXPECT_EQ(addresses.size(), kContainers);
    in_parallel(home, [&](std::size_t i) {
      replies[i] = weft.folder().call("bridge", "DEL", containers[i].port(), config);
    });
    for (const auto& reply : replies) EXPECT_TRUE(reply.ok()) << reply.output;
    const auto links = must(host.links());
    EXPECT_EQ(std::count_if(links.begin(), links.end(),
                            [](const Link& link) { return link.kind == "veth"; }),
              0);
  });
}

}  // namespace
}  // namespace weft
