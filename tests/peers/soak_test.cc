// The agent under a thousand peers that come, go and change, with an outage of the store in the
// middle: the kernel equals the store at the end, and the daemon has not grown.
//
// Ten seconds by default; WEFT_SOAK_SECONDS=600 is the long run.
#include <signal.h>

#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "etcd_server.h"
#include "lab/daemon.h"
#include "support/segment.h"

namespace weft::overlay {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using test::EtcdServer;
using test::eventually;
using test::must;

constexpr int kPeers = 1000;
const std::string kPrefix = "/coreos.com/network";

struct Peer {
  IpAddress address;
  MacAddress mac;
};

// What the store holds, beside what the kernel should.
class Crowd {
 public:
  explicit Crowd(EtcdServer& etcd) : etcd_(etcd) {}

  void fill() {
    for (int i = 0; i < kPeers; ++i) join(i);
  }
  /// One of a thousand joins, leaves or changes its address or MAC.
  void stir() {
    const int number = static_cast<int>(random_() % kPeers);
    const bool there = peers_.contains(subnet(number));
    if (there && random_() % 3 == 0)
      leave(number);
    else
      join(number);
  }
  const std::map<Prefix, Peer>& peers() const { return peers_; }

 private:
  static Prefix subnet(int number) {
    return Prefix(IpAddress::v4(0x0a000000U + 256U * static_cast<unsigned>(number + 256)), 24);
  }
  static std::string key(int number) {
    return kPrefix + "/subnets/" + LeaseKey{.ipv4 = subnet(number), .ipv6 = {}}.to_string();
  }
  void join(int number) {
    const Peer peer{
        .address = IpAddress::v4(0xac1f0002U + static_cast<unsigned>(random_() % 60000)),
        .mac = MacAddress::from_random(random_())};
    // Two nodes with one address or MAC would be another test.
    for (const auto& [other, known] : peers_)
      if (other != subnet(number) && (known.address == peer.address || known.mac == peer.mac))
        return;
    etcd_.put(key(number), R"({"PublicIP":")" + peer.address.to_string() +
                               R"(","PublicIPv6":null,"BackendType":"vxlan",)" +
                               R"("BackendData":{"VNI":1,"VtepMAC":")" + peer.mac.to_string() +
                               R"("}})");
    peers_[subnet(number)] = peer;
  }
  void leave(int number) {
    etcd_.erase(key(number));
    peers_.erase(subnet(number));
  }

  EtcdServer& etcd_;
  std::map<Prefix, Peer> peers_;
  std::mt19937_64 random_{20'260'101};
};

class Soak : public testing::Test {
 protected:
  void SetUp() override {
    etcd_.put(kPrefix + "/config", R"({"Network":"10.0.0.0/8","SubnetMin":"10.200.0.0",)"
                                   R"("Backend":{"Type":"vxlan"}})");
  }
  void TearDown() override {
    if (weftd_ > 0) {
      ::kill(weftd_, SIGTERM);
      eventually([&] { return ::kill(weftd_, 0) != 0 || !is_running(); }, seconds(10));
    }
  }

  void start_weftd() {
    weftd_ = must(lab::start_daemon(
        {.argv = {WEFTD, "flanneld", "--iface=eth0", "--subnet-file=" + node_->subnet_file(),
                  "--etcd-endpoints=" + etcd_.endpoint()},
         .log = folder_.path() + "/log"}));
  }
  bool is_running() const { return lab::is_running(weftd_, "/proc/self/ns/net"); }
  std::size_t memory_kb() const {
    const auto status = read_file("/proc/" + std::to_string(weftd_) + "/status").value_or("");
    const auto at = status.find("VmRSS:");
    return at == std::string::npos ? 0 : std::strtoul(status.c_str() + at + 6, nullptr, 10);
  }

  /// The first difference between the kernel and the crowd; empty when there is none.
  std::string difference(const Crowd& crowd) {
    const auto tables = node_->overlay_state().tables;
    if (tables.routes.size() != crowd.peers().size())
      return std::to_string(tables.routes.size()) + " routes for " +
             std::to_string(crowd.peers().size()) + " peers";
    const LinkIndex vtep = node_->link("flannel.1").index;
    if (tables.neighbours.size() != crowd.peers().size()) return "stale neighbours";
    if (tables.fdb.size() != crowd.peers().size()) return "stale forwarding entries";
    for (const auto& [subnet, peer] : crowd.peers()) {
      const auto neighbour = tables.neighbours.find({.link = vtep, .address = subnet.address()});
      if (neighbour == tables.neighbours.end() || neighbour->second.mac != peer.mac)
        return "the neighbour of " + subnet.to_string();
      const auto entry = tables.fdb.find({.link = vtep, .mac = peer.mac});
      if (entry == tables.fdb.end() || entry->second.remote != peer.address)
        return "the forwarding entry of " + subnet.to_string();
    }
    return {};
  }

  test::Segment segment_;
  std::unique_ptr<test::Node> node_ = segment_.add_node({"172.31.0.1/16"});
  kernel::NetnsVisit visit_ = must(kernel::NetnsVisit::enter(node_->netns()));
  EtcdServer etcd_;
  test::TempDir folder_;
  pid_t weftd_ = -1;
};

TEST_F(Soak, TheKernelFollowsTheStoreAndMemoryIsFlat) {
  const char* given = std::getenv("WEFT_SOAK_SECONDS");
  const seconds length(given != nullptr ? std::atoi(given) : 10);
  Crowd crowd(etcd_);
  crowd.fill();
  start_weftd();
  ASSERT_TRUE(eventually([&] { return difference(crowd).empty(); }, seconds(20)))
      << difference(crowd);

  const auto stir_for = [&](auto time) {
    for (const auto end = steady_clock::now() + time; steady_clock::now() < end;) crowd.stir();
  };
  stir_for(length / 4);
  const std::size_t early_kb = memory_kb();
  stir_for(length / 4);
  ASSERT_TRUE(eventually([&] { return difference(crowd).empty(); }, seconds(20)))
      << difference(crowd);

  const test::OverlayState before = node_->overlay_state();
  etcd_.kill();
  EXPECT_FALSE(eventually([&] { return node_->overlay_state() != before; },
                          std::chrono::milliseconds(length) / 10));
  etcd_.start();

  stir_for(length / 2);
  EXPECT_TRUE(eventually([&] { return difference(crowd).empty(); }, seconds(20)))
      << difference(crowd);
  ASSERT_TRUE(is_running());
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed, to see who uses it still
  EXPECT_LE(memory_kb(), early_kb + early_kb / 10 + 512) << "KB, and " << early_kb << " before";
#endif
  std::printf("%zu peers; memory %zu KB early, %zu KB at the end\n", crowd.peers().size(), early_kb,
              memory_kb());
}

}  // namespace
}  // namespace weft::overlay
