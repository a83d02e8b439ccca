// `weftd coredns -node-local`: a node's own DNS addresses, beside a service proxy, and how they go
// from one process to the next.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <thread>

#include "kernel/conntrack.h"
#include "netns/coredns_fixture.h"
#include "support/service_lab.h"
#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

using weft::test::Daemon;
using weft::test::eventually;
using weft::test::must;
using weft::test::ServiceLab;
using weft::test::Space;

// The DNS Service of a cluster, whose only endpoint is where nobody answers.
constexpr char kDnsService[] = R"(
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIP: 10.96.0.10
  ports: [{name: dns, protocol: UDP, port: 53}, {name: dns-tcp, protocol: TCP, port: 53}]
---
kind: EndpointSlice
metadata: {name: kube-dns-1, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}
addressType: IPv4
ports: [{name: dns, protocol: UDP, port: 53}, {name: dns-tcp, protocol: TCP, port: 53}]
endpoints: [{addresses: [10.244.1.10]}]
---
kind: Node
metadata: {name: here}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.77, ports: [{name: http, protocol: TCP, port: 80}]}
)";

constexpr char kCorefile[] = R"(.:53 {
    errors
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa
    prometheus :9153
}
)";

constexpr char kWeb[] = "web.shop.svc.cluster.local";
const IpAddress kWebAddress = *IpAddress::parse("10.96.0.77");

// What comes back to one query: "answer", "refused", "nothing", or what is wrong with it.
std::string verdict_of(const std::string& message) {
  return message.find(kWebAddress.bytes()) != std::string::npos ? "answer" : "a wrong answer";
}
std::string failure() {
  return errno == ECONNREFUSED ? "refused" : errno == EAGAIN ? "nothing" : std::strerror(errno);
}
std::string query_once(const Space& from, const std::string& server, bool tcp,
                       int timeout_seconds = 5) {
  const IpAddress to_address = *IpAddress::parse(server);
  const Fd socket(from.in([&] {
    return ::socket(kernel::socket_family(to_address),
                    (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  }));
  const timeval patience{.tv_sec = timeout_seconds, .tv_usec = 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    ::setsockopt(socket.get(), SOL_SOCKET, option, &patience, sizeof patience);
  const kernel::SocketAddress to(to_address, 53);
  if (::connect(socket.get(), to.get(), to.size) < 0) return failure();
  std::string message = test::query(kWeb, RecordType::kA);
  if (tcp) message.insert(0, test::word(static_cast<unsigned>(message.size())));
  if (::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) return failure();
  char room[512];
  const ssize_t size =
      weft::test::uninterrupted([&] { return ::recv(socket.get(), room, sizeof room, 0); });
  if (size == 0) return "closed";
  return size < 0 ? failure() : verdict_of({room, static_cast<std::size_t>(size)});
}

// Queries one after the other, each from a socket of its own, until it is told to end.
class Stream {
 public:
  Stream(const Space& from, std::string server, bool tcp)
      : thread_([this, &from, server = std::move(server), tcp] {
          while (!over_) {
            const std::string verdict = query_once(from, server, tcp);
            ++asked_;
            if (verdict != "answer") lost_ += verdict + "\n";
          }
        }) {}
  ~Stream() { end(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// All that was not answered, a line each.
  const std::string& end() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    return lost_;
  }
  int asked() const { return asked_; }

 private:
  std::atomic<bool> over_{false};
  std::atomic<int> asked_{0};
  std::string lost_;
  std::thread thread_;
};

class CorednsNodeLocal : public CorednsFixture {
 protected:
  CorednsNodeLocal() {
    write("Corefile", kCorefile);
    write("objects/all.yaml", kDnsService);
  }
  std::unique_ptr<Daemon> start_local(const std::string& log, std::vector<std::string> more = {}) {
    std::vector<std::string> argv{
        WEFTD,   "coredns",     "-conf",    path("Corefile"),          "-store-dir",
        folder_, "-node-local", "-localip", "169.254.20.10,10.96.0.10"};
    argv.insert(argv.end(), more.begin(), more.end());
    return lab_.node.in([&] { return std::make_unique<Daemon>(argv, path(log)); });
  }
  bool answers(const std::string& server = "169.254.20.10") {
    return eventually([&] { return query_once(lab_.pod_client, server, false, 1) == "answer"; });
  }
  std::string table() const { return lab_.node.sh("nft list tables"); }
  std::string addresses() const { return lab_.node.sh("ip addr show dev lo"); }
  bool is_clean() const { return !has(addresses(), "169.254") && !has(table(), "weft-dns"); }
  std::size_t tracked_flows() const {
    return lab_.node.in([] {
      auto conntrack = must(kernel::Conntrack::open());
      std::size_t flows = 0;
      for (const std::uint8_t protocol : {std::uint8_t{IPPROTO_UDP}, std::uint8_t{IPPROTO_TCP}})
        flows +=
            must(conntrack.list({.protocol = protocol, .original_destination_port = 53})).size();
      return flows;
    });
  }

  ServiceLab lab_{Family::kIpv4};
};

TEST_F(CorednsNodeLocal, IsThereForPodsAndTheNodeAndGoneAtTheEnd) {
  const auto server = start_local("log", {"-localip", "fd00:20::10"});
  ASSERT_TRUE(answers()) << said();
  for (const Space* from : {&lab_.pod_client, &lab_.node})
    for (const bool tcp : {false, true})
      for (const char* address : {"169.254.20.10", "10.96.0.10"})
        EXPECT_EQ(query_once(*from, address, tcp), "answer") << address;
  EXPECT_EQ(query_once(lab_.node, "fd00:20::10", false), "answer");
  EXPECT_EQ(query_once(lab_.node, "fd00:20::10", true), "answer");
  EXPECT_EQ(tracked_flows(), 0U);
  EXPECT_EQ(query_once(lab_.pod_client, "192.0.2.1", false), "refused")
      << "the node's other addresses";
  const std::string shown = lab_.node.sh("nft list table inet weft-dns");
  EXPECT_TRUE(has(shown, "ip daddr @local-ipv4 udp dport 53 notrack")) << shown;
  EXPECT_TRUE(has(shown, "ip6 saddr @local-ipv6 tcp sport 53 notrack")) << shown;
  EXPECT_TRUE(has(addresses(), "inet 169.254.20.10/32 scope host lo")) << addresses();
  server->end(SIGTERM);
  EXPECT_TRUE(is_clean()) << addresses() << table() << said();
}

TEST_F(CorednsNodeLocal, WhatSomebodyRemovesComesBack) {
  const auto server = start_local("log");
  ASSERT_TRUE(answers()) << said();
  const std::string before = lab_.node.sh("nft list ruleset");
  for (const char* harm :
       {"ip addr del 10.96.0.10/32 dev lo", "nft flush ruleset", "nft delete table inet weft-dns",
        "nft flush chain inet weft-dns output", "nft add rule inet weft-dns prerouting drop"}) {
    // Once the repair before is over.
    ASSERT_TRUE(eventually([&] { return lab_.node.sh("nft list ruleset") == before; })) << harm;
    lab_.node.sh(harm);
    EXPECT_TRUE(eventually([&] {
      return lab_.node.sh("nft list ruleset") == before && has(addresses(), "10.96.0.10/32");
    })) << harm
        << said();
    EXPECT_TRUE(answers("10.96.0.10")) << harm;
  }
  EXPECT_TRUE(has(said(), "repaired: address 10.96.0.10/32: put (missing)")) << said();
}

// A stub resolver that is refused asks its next server at once.
TEST_F(CorednsNodeLocal, KilledItIsRefusedUntilTheNextStartTakesItOver) {
  const auto server = start_local("log");
  ASSERT_TRUE(answers()) << said();
  server->end(SIGKILL);
  for (const Space* from : {&lab_.pod_client, &lab_.node})
    for (const bool tcp : {false, true}) EXPECT_EQ(query_once(*from, "10.96.0.10", tcp), "refused");
  const auto next = start_local("next");
  EXPECT_TRUE(answers());
  next->end(SIGTERM);
  EXPECT_TRUE(is_clean()) << addresses() << table();
}

TEST_F(CorednsNodeLocal, AnotherAddressLeavesNothingOfTheFormer) {
  const auto server = start_local("log");
  ASSERT_TRUE(answers()) << said();
  server->end(SIGKILL);
  const auto next = lab_.node.in([&] {
    return std::make_unique<Daemon>(
        std::vector<std::string>{WEFTD, "coredns", "-conf", path("Corefile"), "-store-dir", folder_,
                                 "-node-local", "-localip", "169.254.20.11", "-skipteardown"},
        path("next"));
  });
  EXPECT_TRUE(answers("169.254.20.11"));
  EXPECT_FALSE(has(addresses(), "10.96.0.10"));
  EXPECT_FALSE(has(addresses(), "169.254.20.10"));
  next->end(SIGTERM);
  EXPECT_EQ(query_once(lab_.pod_client, "169.254.20.11", false), "refused") << "-skipteardown";
}

TEST_F(CorednsNodeLocal, AServiceProxyDoesNotTakeTheQueries) {
  for (const char* mode : {"nftables", "iptables"}) {
    const auto proxy = lab_.node.in([&] {
      return std::make_unique<Daemon>(
          std::vector<std::string>{
              WEFTD, "kube-proxy", "--store-dir=" + folder_, "--hostname-override=here",
              "--status-socket=" + path("proxy.sock"), std::string("--proxy-mode=") + mode},
          path("proxy"));
    });
    const auto is_translated = [&] {
      return query_once(lab_.pod_client, "10.96.0.10", false, 1) == "refused";
    };
    ASSERT_TRUE(eventually(is_translated)) << "the endpoint refuses; " << proxy->said();
    const auto server = start_local("log");
    ASSERT_TRUE(answers("10.96.0.10")) << mode << said();
    for (const Space* from : {&lab_.pod_client, &lab_.node})
      for (const bool tcp : {false, true})
        EXPECT_EQ(query_once(*from, "10.96.0.10", tcp), "answer") << mode;
    server->end(SIGTERM);
    EXPECT_TRUE(eventually(is_translated)) << "the proxy has them again";
    proxy->end(SIGTERM);
    lab_.node.run({WEFTD, "kube-proxy", "--cleanup"});
  }
}

TEST_F(CorednsNodeLocal, AnUpgradeLosesNoQuery) {
  auto server = start_local("log", {"-workers", "2"});
  ASSERT_TRUE(answers()) << said();
  Stream by_udp(lab_.pod_client, "10.96.0.10", false);
  Stream by_tcp(lab_.pod_client, "169.254.20.10", true);
  Stream of_node(lab_.node, "10.96.0.10", true);
  for (int i = 0; i < 4; ++i) {
    const std::string log = "next-" + std::to_string(i);
    auto next = start_local(log, {"-workers", i % 2 == 0 ? "1" : "2"});
    ASSERT_TRUE(eventually([&] { return has(server->said(), "another process answers"); }))
        << server->said() << next->said();
    ASSERT_TRUE(eventually([&] { return has(next->said(), "serving"); })) << next->said();
    const int asked = by_udp.asked();
    ASSERT_TRUE(eventually([&] { return by_udp.asked() > asked + 20; }));
    server->end(SIGTERM);
    EXPECT_TRUE(has(addresses(), "10.96.0.10")) << "the next one has it";
    server = std::move(next);
  }
  EXPECT_EQ(by_udp.end(), "");
  EXPECT_EQ(by_tcp.end(), "");
  EXPECT_EQ(of_node.end(), "");
  EXPECT_GT(by_udp.asked(), 80);
  EXPECT_GT(by_tcp.asked(), 80);
  server->end(SIGTERM);
  EXPECT_TRUE(is_clean()) << addresses() << table();
}

// One after the other: what comes in between is refused. The kernel tells one host so a few times a
// second only; who asks more often than that waits.
TEST_F(CorednsNodeLocal, ARestartInTurnRefusesWhatComesInBetween) {
  auto server = start_local("log", {"-skipteardown"});
  ASSERT_TRUE(answers()) << said();
  Stream by_udp(lab_.pod_client, "10.96.0.10", false);
  ASSERT_TRUE(eventually([&] { return by_udp.asked() > 20; }));
  server->end(SIGTERM);
  server = start_local("next", {"-skipteardown"});
  ASSERT_TRUE(answers());
  EXPECT_TRUE(has("\n" + by_udp.end(), "\nrefused\n")) << by_udp.end();
}

TEST_F(CorednsNodeLocal, OneThatWasNotAskedToTakesNothingOver) {
  const auto server = start_local("log");
  ASSERT_TRUE(answers()) << said();
  write("Second", ".:53 {\n    bind 10.96.0.10\n    kubernetes cluster.local\n}\n");
  const auto done = lab_.node.in([&] {
    return must(
        weft::run({.argv = {WEFTD, "coredns", "-conf", path("Second"), "-store-dir", folder_}}));
  });
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_TRUE(
      has(done.errors, "weftd (process " + std::to_string(server->pid()) + ") has the port"))
      << done.errors;
  EXPECT_EQ(query_once(lab_.pod_client, "10.96.0.10", false), "answer");
}

// What cannot start must not take the addresses of the one that runs.
TEST_F(CorednsNodeLocal, ANextOneThatFailsChangesNothing) {
  const auto server = start_local("log");
  ASSERT_TRUE(answers()) << said();
  write("Bad", ".:53 {\n    bind 192.0.2.200\n    kubernetes cluster.local\n}\n");
  const auto done = lab_.node.in([&] {
    return must(weft::run({.argv = {WEFTD, "coredns", "-conf", path("Bad"), "-store-dir", folder_,
                                    "-node-local", "-localip", "169.254.20.10,10.96.0.10"}}));
  });
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_TRUE(has(done.errors, "192.0.2.200")) << done.errors;
  EXPECT_EQ(query_once(lab_.pod_client, "10.96.0.10", true), "answer");
}

}  // namespace
}  // namespace weft::dns
