// `weftd kube-proxy` on a real API server, while its services change all the time, the server goes
// away and somebody flushes the kernel: who asks a service that does not change gets his answer,
// in the end every service is what the API says, a restart has nothing to write, and the daemon has
// not grown.
//
// 60 services for ten seconds by default. The long run, which wants to change 200 services a
// second:
//
//   WEFT_SOAK_SERVICES=10000 WEFT_SOAK_SECONDS=600 build/bin/peers_service_soak
#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/lock_guarded.h"
#include "served_lab.h"
#include "support/daemon.h"
#include "support/eventually.h"

namespace weft::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// So often each of two endpoints is asked, but for one time in a million.
constexpr int kQuestions = 21;
// Addresses of services begin anew behind so many.
constexpr std::size_t kAddresses = 16'384;
// Who changes services, each on a thread of its own, and how often each of them does.
constexpr int kHands = 4;
constexpr milliseconds kBetweenChanges{20};

int given(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::atoi(text) : otherwise;
}

/// Services as the API has them, by number.
class Crowd {
 public:
  struct Member {
    std::set<std::string> pods = {};  ///< the names of those that are its endpoints
    IpAddress address = {};
  };

  Crowd(const KubeServer& server, int services)
      : server_(server), members_(static_cast<std::size_t>(services)) {
    with_each_hand([&](Hand& hand) {
      for (std::size_t i = hand.first; i < members_.size(); i += kHands) {
        members_[i].address = address(i);
        create(i, hand);
      }
    });
  }

  /// One service after the other gets other endpoints, or goes and comes again; never the first
  /// one. Returns how many did.
  std::size_t stir_for(steady_clock::duration time) {
    const auto end = steady_clock::now() + time;
    std::atomic<std::size_t> changes = 0;
    with_each_hand([&](Hand& hand) {
      for (auto next = steady_clock::now(); next < end; next += kBetweenChanges, ++changes) {
        std::this_thread::sleep_until(next);
        stir(hand);
      }
    });
    return changes;
  }

  const std::vector<Member>& members() const { return members_; }

 private:
  // It has the services whose numbers are `first` and a multiple of kHands more.
  struct Hand {
    std::size_t first;
    std::mt19937_64 random;
  };

  void with_each_hand(const std::function<void(Hand&)>& work) {
    std::vector<std::jthread> threads;
    for (Hand& hand : hands_) threads.emplace_back([&] { work(hand); });
  }

  void stir(Hand& hand) {
    const std::size_t number = hand.first + hand.random() % (members_.size() / kHands) * kHands;
    if (number == 0) return;
    if (hand.random() % 10 == 0) {
      server_.call("DELETE", kServices + ("/" + name(number)));
      server_.call("DELETE", kSlices + ("/" + name(number)));
      // The API server takes its time until a former address is free again.
      const bool is_first = members_[number].address == address(number);
      members_[number].address = address(is_first ? number + kAddresses : number);
      create(number, hand);
      return;
    }
    members_[number].pods = some_pods(hand);
    server_.call("PATCH", kSlices + ("/" + name(number)),
                 Json{{"endpoints", endpoints(members_[number].pods)}}, kMergePatch);
  }

  // Two for each.
  static IpAddress address(std::size_t number) {
    return *IpAddress::parse("10.96.100.0")->plus(number);
  }
  static std::string name(std::size_t number) { return "s" + std::to_string(number); }

  // One or two of the lab's pods.
  static std::set<std::string> some_pods(Hand& hand) {
    const std::string names[] = {"here", "here-too", "there"};
    std::set<std::string> pods;
    for (const auto& pod : {names[hand.random() % 3], names[hand.random() % 3]}) pods.insert(pod);
    return pods;
  }
  static Json endpoints(const std::set<std::string>& pods) {
    const std::map<std::string, const char*> addresses = {
        {"here", "10.244.1.10"}, {"here-too", "10.244.1.11"}, {"there", "10.244.2.10"}};
    Json list = Json::array();
    for (const auto& pod : pods) list.push_back({{"addresses", {addresses.at(pod)}}});
    return list;
  }

  void create(std::size_t number, Hand& hand) {
    Member& member = members_[number];
    member.pods = number == 0 ? std::set<std::string>{"here", "there"} : some_pods(hand);
    server_.call("POST", kServices,
                 {{"metadata", {{"name", name(number)}}},
                  {"spec",
                   {{"clusterIP", member.address.to_string()},
                    {"ports", Json::array({{{"protocol", "UDP"}, {"port", 80}}})}}}});
    server_.call(
        "POST", kSlices,
        {{"metadata",
          {{"name", name(number)}, {"labels", {{"kubernetes.io/service-name", name(number)}}}}},
         {"addressType", "IPv4"},
         {"ports", Json::array({{{"name", ""},
                                 {"protocol", "UDP"},
                                 {"port", static_cast<int>(ServiceLab::kPort)}}})},
         {"endpoints", endpoints(member.pods)}});
  }

  const KubeServer& server_;
  std::vector<Member> members_;  // each of one hand
  std::array<Hand, kHands> hands_{{{0, std::mt19937_64(20'260'102)},
                                   {1, std::mt19937_64(20'260'103)},
                                   {2, std::mt19937_64(20'260'104)},
                                   {3, std::mt19937_64(20'260'105)}}};
};

/// Asks one service all the time, as a client that asks again when nothing comes.
class SteadyClient {
 public:
  SteadyClient(const Space& space, const IpAddress& address)
      : thread_([this, &space, address](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            std::string answer;
            for (int i = 0; i < 5 && (answer.empty() || answer == "nothing"); ++i)
              answer = ask(space, address, 80, 1000);
            ++asked_;
            if (answer.rfind("here", 0) != 0 && answer.rfind("there", 0) != 0)
              failures_.with([&](auto& failures) { ++failures[answer]; });
            std::this_thread::sleep_for(milliseconds(5));
          }
        }) {}

  int asked() const { return asked_; }
  /// What came in place of answers, and how often.
  std::map<std::string, int> failures() const { return failures_.copy(); }

 private:
  std::atomic<int> asked_ = 0;
  LockGuarded<std::map<std::string, int>> failures_;
  std::jthread thread_;
};

class ServiceSoak : public testing::Test {
 protected:
  void start_proxy() {
    lab_.node.in([&] {
      weftd_.emplace(proxy_command({WEFTD, "kube-proxy"}, server_,
                                   {"--detect-local-mode=NodeCIDR",
                                    "--status-socket=" + server_.file("proxy.sock")}),
                     server_.file("weftd.log"));
    });
  }
  std::size_t memory_kb() const {
    const auto status = read_file("/proc/" + std::to_string(weftd_->pid()) + "/status");
    const auto at = status ? status->find("VmRSS:") : std::string::npos;
    return at == std::string::npos ? 0 : std::strtoul(status->c_str() + at + 6, nullptr, 10);
  }

  /// The first service that does not answer as the API says; empty when there is none.
  std::string difference(const Crowd& crowd) const {
    for (std::size_t number = 0; number < crowd.members().size(); ++number) {
      const Crowd::Member& member = crowd.members()[number];
      std::set<std::string> seen;
      for (int i = 0; i < kQuestions && seen != member.pods; ++i) {
        const std::string answer = ask(lab_.pod_client, member.address, 80, 1000);
        seen.insert(answer.substr(0, answer.find(' ')));
      }
      if (seen == member.pods) continue;
      std::string text = "s" + std::to_string(number) + " is answered by";
      for (const auto& name : seen) text += " " + name;
      return text;
    }
    return {};
  }
  bool settles(const Crowd& crowd) const {
    return eventually([&] { return difference(crowd).empty(); }, seconds(60));
  }

  /// Whether the daemon says that it has brought the kernel up to date since its start.
  bool has_synced() const {
    const auto metrics = lab_.node.in([] {
      return run({.argv = {"curl", "-s", "http://127.0.0.1:10249/metrics"}});
    });
    const std::string name = "\nkubeproxy_sync_proxy_rules_last_timestamp_seconds";
    const auto at = metrics ? metrics->output.find(name) : std::string::npos;
    if (at == std::string::npos) return false;
    const auto line = metrics->output.substr(at + 1, metrics->output.find('\n', at + 1) - at - 1);
    return std::strtod(line.c_str() + line.rfind(' '), nullptr) > 0;
  }
  std::string rules() const { return lab_.node.sh("nft list table ip weft-services"); }

  ServedLab site_;
  const ServiceLab& lab_ = site_.lab;
  KubeServer& server_ = site_.server;
  std::optional<Daemon> weftd_;
};

TEST_F(ServiceSoak, AnUnchangedServiceIsThereAllTheTime) {
  const seconds length(given("WEFT_SOAK_SECONDS", 10));
  Crowd crowd(server_, given("WEFT_SOAK_SERVICES", 60));
  start_proxy();
  ASSERT_TRUE(settles(crowd)) << difference(crowd) << weftd_->said();

  std::size_t changes = 0;
  SteadyClient client(lab_.pod_client, crowd.members().front().address);
  // A flush in each tenth, the API away for a while in the middle.
  changes += crowd.stir_for(milliseconds(length) / 10);
  const std::size_t early_kb = memory_kb();
  for (int tenth = 1; tenth < 10; ++tenth) {
    lab_.node.sh("nft flush ruleset");
    if (tenth == 5) {
      server_.kill();
      EXPECT_FALSE(
          eventually([&] { return !client.failures().empty(); }, milliseconds(length) / 20));
      server_.start();
    }
    changes += crowd.stir_for(milliseconds(length) / 10);
  }
  EXPECT_TRUE(settles(crowd)) << difference(crowd) << weftd_->said();
  EXPECT_TRUE(client.failures().empty())
      << testing::PrintToString(client.failures()) << " of " << client.asked();
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed, to see who uses it still
  EXPECT_LE(memory_kb(), early_kb + early_kb / 10 + 512) << "KB, and " << early_kb << " before";
#endif
  std::printf("%zu services, %zu changes, %d questions; memory %zu KB early, %zu KB at the end\n",
              crowd.members().size(), changes, client.asked(), early_kb, memory_kb());

  const std::string before = rules();
  weftd_->end(SIGKILL);
  start_proxy();
  EXPECT_TRUE(eventually([&] { return has_synced(); })) << weftd_->said();
  EXPECT_EQ(rules(), before) << "a restart has written something";
}

}  // namespace
}  // namespace weft::test
