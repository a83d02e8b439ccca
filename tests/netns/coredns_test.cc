// `weftd coredns` as a program: from a Corefile and a folder of manifests to answers.
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "kernel/port_owner.h"
#include "netns/coredns_fixture.h"

namespace weft::dns {
namespace {

using weft::test::Daemon;
using weft::test::eventually;
using weft::test::must;

// kubeadm's, but for the upstream and the time between two looks at the file.
constexpr char kCorefile[] = R"(.:53 {
    errors
    health {
       lameduck 1s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . 127.0.0.1:5300 {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload 50ms 1ms
    loadbalance
}
)";

// The upstream: another `weftd coredns`, with a file of hosts.
constexpr char kOutside[] = R"(example.com:5300 {
    bind 127.0.0.1
    hosts {
       192.0.2.80 www.example.com
    }
}
10.in-addr.arpa:5300 {
    bind 127.0.0.1
    hosts {
       10.9.9.9 printer.example.com
    }
}
)";

class CorednsProgram : public CorednsFixture {
 protected:
  CorednsProgram() {
    write("objects/all.yaml", kObjects);
    write("Corefile", kCorefile);
    write("Outside", kOutside);
  }
  void start_outside() {
    outside_.emplace(std::vector<std::string>{WEFTD, "coredns", "-conf", path("Outside")},
                     path("log"));
  }
  std::optional<Daemon> outside_;
};

TEST_F(CorednsProgram, ServesKubeadmsCorefile) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    start_outside();
    start();
    ASSERT_TRUE(is_ready()) << said();
    EXPECT_EQ(dig("web.shop.svc.cluster.local"), "NOERROR A 10.96.0.10");
    EXPECT_EQ(dig("web.shop.svc.cluster.local", "AAAA"), "NOERROR");
    EXPECT_EQ(dig("db-0.db.shop.svc.cluster.local", "A", "+tcp"), "NOERROR A 10.244.1.5");
    EXPECT_EQ(dig("_pg._tcp.db.shop.svc.cluster.local", "SRV"),
              "NOERROR SRV 0 100 5432 db-0.db.shop.svc.cluster.local.");
    EXPECT_EQ(dig("1-2-3-4.shop.pod.cluster.local"), "NOERROR A 1.2.3.4");
    EXPECT_EQ(dig("empty.svc.cluster.local"), "NOERROR");
    EXPECT_EQ(dig("none.svc.cluster.local"), "NXDOMAIN");
    EXPECT_EQ(dig("10.0.96.10.in-addr.arpa", "PTR"), "NOERROR PTR web.shop.svc.cluster.local.");
    EXPECT_EQ(dig("9.9.9.10.in-addr.arpa", "PTR"), "NOERROR PTR printer.example.com.")
        << "what falls through is forwarded";
    EXPECT_EQ(dig("www.example.com"), "NOERROR A 192.0.2.80");
    EXPECT_EQ(dig("out.shop.svc.cluster.local"), "NOERROR CNAME www.example.com. A 192.0.2.80");
    EXPECT_TRUE(has(http("http://127.0.0.1:8080/health"), "\r\n\r\nOK"));
    EXPECT_TRUE(has(http("http://[::1]:8080/health"), "\r\n\r\nOK")) << "both families";
    EXPECT_TRUE(has(http("http://127.0.0.1:8080/ready"), " 404 "));
    const std::string metrics = http("http://127.0.0.1:9153/metrics");
    for (const char* line :
         {"coredns_dns_requests_total{server=\"dns://:53\",zone=\".\",view=\"\",proto=\"tcp\","
          "family=\"1\",type=\"A\"} 1\n",
          "coredns_cache_hits_total{server=\"dns://:53\",zones=\".\",view=\"\",type=\"success\"} "
          "1\n",
          "coredns_build_info{"})
      EXPECT_TRUE(has(metrics, line)) << line << metrics;
  });
}

TEST_F(CorednsProgram, FollowsTheFolder) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    start();
    ASSERT_TRUE(is_ready()) << said();
    write("objects/late.yaml",
          "kind: Service\nmetadata: {name: late, namespace: new}\nspec: {clusterIP: 10.96.0.11}\n");
    EXPECT_TRUE(
        eventually([] { return dig("late.new.svc.cluster.local") == "NOERROR A 10.96.0.11"; }));
    write("objects/late.yaml", "kind: Service\nmetadata: {name: [broken\n");
    EXPECT_TRUE(eventually([&] { return has(said(), "late.yaml"); })) << said();
    EXPECT_EQ(dig("late.new.svc.cluster.local"), "NOERROR A 10.96.0.11");
    must(remove_file(folder_ + "/late.yaml"));
    EXPECT_TRUE(eventually([] { return dig("late.new.svc.cluster.local") == "NXDOMAIN"; }));
    EXPECT_EQ(dig("new.svc.cluster.local"), "NXDOMAIN");
  });
}

TEST_F(CorednsProgram, AChangeOfTheCorefileLosesNoQuery) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    start();
    ASSERT_TRUE(is_ready()) << said();
    std::atomic<bool> over{false};
    std::atomic<int> asked{0};
    std::string lost;
    const auto space = must(kernel::Netns::current());
    std::thread client([&] {
      const auto visit = must(kernel::NetnsVisit::enter(space));
      while (!over) {
        const std::string answer = dig("web.shop.svc.cluster.local");
        ++asked;
        if (answer != "NOERROR A 10.96.0.10") lost += answer + "\n";
      }
    });
    constexpr int kChanges = 10;
    for (int i = 0; i < kChanges; ++i) {
      std::string text = kCorefile;
      text.replace(text.find("ttl 30"), 6, "ttl " + std::to_string(i + 1));
      write("Corefile", text);
      const std::string ttl = ". " + std::to_string(i + 1) + "\tIN\tA\t";
      EXPECT_TRUE(eventually([&] {
        return has(run({"dig", "@127.0.0.1", "web.shop.svc.cluster.local"}), ttl);
      })) << said();
    }
    over = true;
    client.join();
    EXPECT_EQ(lost, "");
    EXPECT_GT(asked, kChanges);
  });
}

TEST_F(CorednsProgram, ACorefileThatMakesNoSenseChangesNothing) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    start();
    ASSERT_TRUE(is_ready()) << said();
    write("Corefile", ".:53 {\n    kubernets cluster.local\n}\n");
    EXPECT_TRUE(eventually([&] {
      return has(said(), "Corefile:2: there is no plugin \"kubernets\"; did you mean kubernetes?");
    })) << said();
    EXPECT_EQ(dig("web.shop.svc.cluster.local"), "NOERROR A 10.96.0.10");
    EXPECT_TRUE(has(http("http://127.0.0.1:9153/metrics"), "coredns_reload_failed_total 1\n"));
    must(remove_file(path("Corefile")));
    EXPECT_TRUE(eventually([&] { return has(said(), "No such file"); })) << said();
    EXPECT_EQ(dig("web.shop.svc.cluster.local"), "NOERROR A 10.96.0.10");
  });
}

// Half of it can be done, and is undone: the sockets are the former one's again.
TEST_F(CorednsProgram, APortThatIsTakenLaterCostsNothing) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Daemon other({"python3", "-c",
                        "import socket, time\n"
                        "s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n"
                        "s.bind(('', 9154)); s.listen()\n"
                        "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                        "u.bind(('', 5400))\n"
                        "time.sleep(60)"},
                       path("other"));
    ASSERT_TRUE(eventually([&] { return !kernel::port_owner(5400).empty(); })) << other.said();
    start();
    ASSERT_TRUE(is_ready()) << said();
    std::string other_door = kCorefile;
    other_door.replace(other_door.find(":9153"), 5, ":9154");
    const std::string other_port = std::string(kCorefile) + "example.com:5400 {\n    any\n}\n";
    struct Case {
      std::string corefile;
      const char* says;
    };
    for (const Case& each : {Case{other_door, ":9154"}, Case{other_port, ":5400"}}) {
      write("Corefile", each.corefile);
      EXPECT_TRUE(eventually([&] { return has(said(), each.says); })) << each.says << said();
      EXPECT_TRUE(has(said(), "not taken, the former one stays"));
      for (const char* option : {"+notcp", "+tcp"})
        EXPECT_EQ(dig("web.shop.svc.cluster.local", "A", option), "NOERROR A 10.96.0.10");
    }
  });
}

// A resolv.conf that changes while the API is away must not cost the cluster its names.
TEST_F(CorednsProgram, WhoKnowsAllNamesStaysUntilTheNextOneDoes) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    start();
    ASSERT_TRUE(is_ready()) << said();
    ASSERT_EQ(::rename(folder_.c_str(), path("away").c_str()), 0);
    std::string text = kCorefile;
    text.replace(text.find("ttl 30"), 6, "ttl 7\n       startup_timeout 100ms");
    write("Corefile", text);
    EXPECT_TRUE(eventually([&] { return has(said(), "kubernetes has not read everything yet"); }))
        << said();
    EXPECT_EQ(dig("web.shop.svc.cluster.local"), "NOERROR A 10.96.0.10");
    ASSERT_EQ(::rename(path("away").c_str(), folder_.c_str()), 0);
    EXPECT_TRUE(eventually([&] {
      return has(run({"dig", "@127.0.0.1", "web.shop.svc.cluster.local"}), ". 7\tIN\tA\t");
    })) << said();
  });
}

TEST_F(CorednsProgram, SaysThatItEndsAndGoesOnForAWhile) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    start({"-pidfile", path("pid")});
    ASSERT_TRUE(is_ready()) << said();
    EXPECT_EQ(must(read_file(path("pid"))), std::to_string(daemon_->pid()) + "\n");
    const auto begun = std::chrono::steady_clock::now();
    ::kill(daemon_->pid(), SIGTERM);
    EXPECT_TRUE(eventually([] { return has(http("http://127.0.0.1:8181/ready"), " 503 "); }));
    EXPECT_TRUE(has(http("http://127.0.0.1:8080/health"), " 200 "));
    EXPECT_EQ(dig("web.shop.svc.cluster.local"), "NOERROR A 10.96.0.10");
    daemon_->end(SIGCONT);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
    EXPECT_FALSE(read_file(path("pid"))) << "gone with its owner";
  });
}

TEST_F(CorednsProgram, APortThatIsTakenHasAnOwner) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Daemon other({"python3", "-c",
                        "import socket, time\n"
                        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                        "s.bind(('127.0.0.1', 53))\n"
                        "time.sleep(60)"},
                       path("other"));
    const std::string python = "python3 (process " + std::to_string(other.pid()) + ")";
    const std::string owner = python + " has the port";
    ASSERT_TRUE(eventually([&] { return kernel::port_owner(53) == python; })) << other.said();
    const auto done = must(
        weft::run({.argv = {WEFTD, "coredns", "-conf", path("Corefile"), "-store-dir", folder_}}));
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_TRUE(has(done.errors, owner)) << done.errors;
  });
}

// What is said on the command line, and how that ends.
TEST_F(CorednsProgram, NamesWhatIsWrongWithItsCommandLine) {
  struct Case {
    std::vector<std::string> words;
    int code;
    const char* says;
  };
  write("Bad", "a.example {\n    forward . 192.0.2.1 {\n        max_fail 3\n    }\n}\n");
  write("Selecting", ".:5301 {\n    kubernetes cluster.local {\n        labels a=b\n    }\n}\n");
  const Case cases[] = {{{"-cnf", "x"}, 2, "did you mean"},
                        {{"-dns.port", "http"}, 2, "dns.port"},
                        {{"-log-level", "loud"}, 2, "loud"},
                        {{"-conf", path("none")}, 1, "No such file"},
                        {{"-conf", path("Bad")},
                         1,
                         "Bad:3: forward has no option \"max_fail\"; did you mean max_fails?"},
                        {{"-conf", path("Selecting"), "-store-dir", folder_}, 1, "labels"},
                        {{"-localip", "169.254.20.10"}, 2, "-node-local"},
                        {{"-node-local", "-localip", "x"}, 2, "no address of a node"},
                        {{"-version"}, 0, "weftd "},
                        {{"-plugins"}, 0, "dns.kubernetes"},
                        {{"-help"}, 0, "-store-dir"}};
  for (const Case& each : cases) {
    std::vector<std::string> argv{WEFTD, "coredns"};
    argv.insert(argv.end(), each.words.begin(), each.words.end());
    const auto done = must(weft::run({.argv = argv}));
    EXPECT_EQ(done.exit_code, each.code) << each.words[0];
    EXPECT_TRUE(has(done.output + done.errors, each.says)) << done.output << done.errors;
  }
}

TEST_F(CorednsProgram, ALinkOfCoreDnssNameIsIt) {
  ASSERT_EQ(::symlink(WEFTD, path("coredns").c_str()), 0);
  EXPECT_TRUE(has(run({path("coredns"), "-plugins"}), "dns.forward"));
}

}  // namespace
}  // namespace weft::dns
