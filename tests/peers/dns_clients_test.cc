// Resolvers of programs, each with a pod's resolv.conf, ask `weftd coredns`: glibc's, musl's,
// c-ares, Go's, and the tools that people ask with.
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/process.h"
#include "netns/fresh_netns.h"
#include "support/daemon.h"
#include "support/eventually.h"
#include "support/temp_dir.h"

namespace weft::test {
namespace {

constexpr char kResolvConf[] =
    "search shop.svc.cluster.local svc.cluster.local cluster.local\n"
    "nameserver 127.0.0.1\n"
    "options ndots:5\n";
constexpr char kCorefile[] = ".:53 {\n    errors\n    kubernetes cluster.local\n}\n";
constexpr char kObjects[] = R"(
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.10, ports: [{name: http, protocol: TCP, port: 80}]}
---
kind: Service
metadata: {name: db, namespace: data}
spec: {clusterIP: None, ports: [{name: pg, port: 5432}]}
---
kind: EndpointSlice
metadata: {name: db-1, namespace: data, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: pg, protocol: TCP, port: 5432}]
endpoints: [{addresses: [10.4.1.5], hostname: db-0}, {addresses: [10.4.1.6], hostname: db-1}]
---
kind: Service
metadata: {name: out, namespace: shop}
spec: {type: ExternalName, externalName: web.shop.svc.cluster.local}
---
kind: Service
metadata: {name: many, namespace: shop}
spec: {clusterIP: None, ports: [{port: 80}]}
)";
// More than fit into a datagram of any size that we send.
constexpr std::size_t kMany = 100;
// Resolvers without TCP have to do with what fits into 512 bytes.
constexpr std::size_t kFitting = 20;

std::string many_endpoints() {
  std::string text =
      "---\nkind: EndpointSlice\n"
      "metadata: {name: many-1, namespace: shop, labels: {kubernetes.io/service-name: many}}\n"
      "addressType: IPv4\nports: [{port: 80}]\nendpoints:\n";
  for (std::size_t i = 1; i <= kMany; ++i)
    text += "- addresses: [10.4.2." + std::to_string(i) + "]\n";
  return text;
}

struct Client {
  const char* name;
  std::vector<std::string> argv;  // the name that is looked up comes behind it
  std::vector<std::string> build = {};
  bool takes_tcp = true;
};

class DnsClients : public testing::Test {
 protected:
  DnsClients() {
    must(make_directories(path("objects")));
    must(write_file_atomically(path("objects/all.yaml"), kObjects + many_endpoints(), 0644));
    must(write_file_atomically(path("Corefile"), kCorefile, 0644));
    must(write_file_atomically(path("resolv.conf"), kResolvConf, 0644));
    const auto source = [](const char* file) { return std::string(WEFT_CLIENTS "/") + file; };
    clients_ = {
        {"glibc", {path("glibc")}, {"cc", "-o", path("glibc"), source("lookup_libc.c")}},
        // 1.2.3 knows no TCP yet.
        {"musl",
         {path("musl")},
         {"musl-gcc", "-static", "-o", path("musl"), source("lookup_libc.c")},
         false},
        {"c-ares", {path("ares")}, {"cc", "-o", path("ares"), source("lookup_ares.c"), "-lcares"}},
        {"Go",
         {path("go")},
         {"env", "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "/usr/local/go/bin/go", "build", "-o",
          path("go"), source("lookup.go")}},
        {"dig", {"dig", "+search", "+short", "+tries=1"}},
    };
    for (const Client& client : clients_) {
      if (client.build.empty()) continue;
      const auto built = run({.argv = client.build, .limit = std::chrono::seconds(120)});
      EXPECT_TRUE(built && built->exit_code == 0)
          << client.name << ": " << (built ? built->errors : built.error().text())
          << "\nrun tools/install-deps test";
    }
  }
  std::string path(const std::string& file) const { return dir_.path() + "/" + file; }

  // Gives this thread, and what it starts, the pod's file.
  void enter_pod() const {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << std::strerror(errno);
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount(path("resolv.conf").c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr),
              0)
        << std::strerror(errno);
  }
  static std::set<std::string> addresses(const Client& client, const std::string& name) {
    std::vector<std::string> argv = client.argv;
    argv.push_back(name);
    const auto done = run({.argv = argv, .limit = std::chrono::seconds(20)});
    std::set<std::string> found;
    if (!done) return {done.error().text()};
    std::istringstream lines(done->output);
    for (std::string line; std::getline(lines, line);)
      // dig shows an alias too, getent words behind the address.
      if (const std::string word = line.substr(0, line.find(' ')); !word.ends_with('.'))
        found.insert(word);
    return found;
  }

  TempDir dir_;
  std::vector<Client> clients_;
};

TEST_F(DnsClients, EachFindsWhatAPodAsksFor) {
  using Set = std::set<std::string>;
  in_fresh_netns([&](kernel::Rtnetlink&) {
    enter_pod();
    const Daemon server(
        {WEFTD, "coredns", "-conf", path("Corefile"), "-store-dir", path("objects")}, path("log"));
    ASSERT_TRUE(eventually([&] { return addresses(clients_.back(), "web") == Set{"10.96.0.10"}; }))
        << server.said();
    for (const Client& client : clients_) {
      SCOPED_TRACE(client.name);
      EXPECT_EQ(addresses(client, "web"), Set{"10.96.0.10"});
      EXPECT_EQ(addresses(client, "web.shop"), Set{"10.96.0.10"});
      EXPECT_EQ(addresses(client, "web.shop.svc.cluster.local"), Set{"10.96.0.10"});
      EXPECT_EQ(addresses(client, "web.shop.svc.cluster.local."), Set{"10.96.0.10"});
      EXPECT_EQ(addresses(client, "db.data"), (Set{"10.4.1.5", "10.4.1.6"}));
      EXPECT_EQ(addresses(client, "db-1.db.data"), Set{"10.4.1.6"});
      EXPECT_EQ(addresses(client, "out"), Set{"10.96.0.10"});
      EXPECT_EQ(addresses(client, "absent.shop.svc.cluster.local."), Set{});
      const std::size_t found = addresses(client, "many").size();
      if (client.takes_tcp)
        EXPECT_EQ(found, kMany);
      else
        EXPECT_GE(found, kFitting) << "as many as fit are there, though cut";
    }
  });
}

TEST_F(DnsClients, ServicesOfPortsAreFoundByTheToolsThatAsk) {
  in_fresh_netns([&](kernel::Rtnetlink&) {
    enter_pod();
    const Daemon server(
        {WEFTD, "coredns", "-conf", path("Corefile"), "-store-dir", path("objects")}, path("log"));
    const std::string expected = "0 50 5432 db-0.db.data.svc.cluster.local.";
    // kdig and drill know no search.
    for (const std::vector<std::string>& argv :
         {std::vector<std::string>{"dig", "+search", "+short", "_pg._tcp.db.data.svc", "SRV"},
          std::vector<std::string>{"kdig", "+short", "_pg._tcp.db.data.svc.cluster.local", "SRV"}})
      EXPECT_TRUE(eventually([&] {
        const auto done = run({.argv = argv, .limit = std::chrono::seconds(20)});
        return done && done->output.find(expected) != std::string::npos;
      })) << argv[0];
    const auto drill = run({.argv = {"drill", "_pg._tcp.db.data.svc.cluster.local", "SRV"}});
    ASSERT_TRUE(drill);
    EXPECT_NE(drill->output.find("5432 db-0.db.data.svc.cluster.local."), std::string::npos);
  });
}

}  // namespace
}  // namespace weft::test
