// `weftd coredns` beside the real CoreDNS, with one Corefile on one API server: whatever is asked,
// both answer the same, but for what is listed here with its reason.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "base/process.h"
#include "base/text.h"
#include "kube_server.h"
#include "support/daemon.h"
#include "support/dns_upstream.h"
#include "support/eventually.h"
#include "support/go_peers.h"
#include "support/must.h"
#include "unit/dns/forwarding.h"

namespace weft::dns {
namespace {

using weft::test::Daemon;
using weft::test::DnsUpstream;
using weft::test::eventually;
using weft::test::KubeServer;
using weft::test::must;

constexpr std::uint16_t kOurs = 5391;
constexpr std::uint16_t kTheirs = 5392;

// Questions whose answers differ, and why.
struct Difference {
  std::string why;
  std::function<bool(const std::string& name, RecordType type)> is_it;
};

using Names = std::set<std::string>;

// In docs/coredns.md, too.
const std::vector<Difference>& differences() {
  static const Names parents = {"cluster.local",
                                "svc.cluster.local",
                                "pod.cluster.local",
                                "in-addr.arpa",
                                "ip6.arpa",
                                "ns.dns.cluster.local",
                                "dns.cluster.local",
                                "shop.svc.cluster.local",
                                "empty.svc.cluster.local",
                                "shop.pod.cluster.local"};
  static const Names zones = {"cluster.local", "in-addr.arpa", "ip6.arpa"};
  static const Names aliases = {"gone.shop.svc.cluster.local", "in.shop.svc.cluster.local",
                                "in-vain.shop.svc.cluster.local", "ring.shop.svc.cluster.local"};
  static const std::vector<Difference> all = {
      {"CoreDNS answers for the SOA of a name that is not there as if it were",
       [](const std::string&, RecordType type) { return type == RecordType::kSoa; }},
      {"what has names below it, or is a name of the server's own, exists for every type; CoreDNS "
       "denies it for TXT and some others",
       [](const std::string& name, RecordType type) {
         return parents.contains(name) && !(zones.contains(name) && type == RecordType::kNs);
       }},
      {"dns-version exists for every type",
       [](const std::string& name, RecordType) { return name == "dns-version.cluster.local"; }},
      {"a server at a loopback address, as in this test, is left out by both: CoreDNS has no NS "
       "then",
       [](const std::string& name, RecordType type) {
         return zones.contains(name) && type == RecordType::kNs;
       }},
      {"a pod's name has no port, and no name below it",
       [](const std::string& name, RecordType type) {
         return name.ends_with(".shop.pod.cluster.local") &&
                (type == RecordType::kSrv || name.starts_with("a."));
       }},
      {"a reverse name of ours exists for every type; CoreDNS lets all but PTR fall through",
       [](const std::string& name, RecordType type) {
         return name.ends_with(".arpa") && type != RecordType::kPtr;
       }},
      {"endpoints of a Service with an address have no names",
       [](const std::string& name, RecordType) {
         return name == "12.0.4.10.in-addr.arpa" || name == "web-0.web.shop.svc.cluster.local";
       }},
      {"an alias stays in the answer, whose code is the target's; a circle of aliases fails",
       [](const std::string& name, RecordType type) {
         return aliases.contains(name) && (type == RecordType::kA || type == RecordType::kAaaa);
       }},
      {"labels of a port begin with an underscore and have a name behind it",
       [](const std::string& name, RecordType) {
         return name.starts_with("http.tcp.") || name.starts_with("_._tcp.");
       }},
      {"TC is set for what was asked for, not for addresses that nobody has asked for (RFC 2181)",
       [](const std::string& name, RecordType type) {
         return name.substr(2) == ".shop.svc.cluster.local" && type == RecordType::kSrv;
       }}};
  return all;
}

Json service(const std::string& name, Json spec) {
  return {{"metadata", {{"name", name}}}, {"spec", std::move(spec)}};
}
Json port(const char* name, int number, const char* protocol = "TCP") {
  return {{"name", name}, {"port", number}, {"protocol", protocol}};
}
Json endpoint(const std::string& address, const std::string& hostname = "", bool ready = true) {
  Json result = {{"addresses", {address}}, {"conditions", {{"ready", ready}}}};
  if (!hostname.empty()) result["hostname"] = hostname;
  return result;
}
Json slice(const std::string& name, const std::string& of, const std::string& type, Json endpoints,
           Json ports) {
  return {{"metadata", {{"name", name}, {"labels", {{"kubernetes.io/service-name", of}}}}},
          {"addressType", type},
          {"endpoints", std::move(endpoints)},
          {"ports", std::move(ports)}};
}

class DnsCorednsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    api_ = new KubeServer;
    make_objects();
  }
  static void TearDownTestSuite() {
    delete api_;
    api_ = nullptr;
  }

  static void make_objects() {
    for (const char* name : {"shop", "empty"})
      api_->call("POST", "/api/v1/namespaces", {{"metadata", {{"name", name}}}});
    const std::string services = "/api/v1/namespaces/shop/services";
    const Json none = {{"clusterIP", "None"}, {"ports", {port("pg", 5432), port("stats", 9187)}}};
    for (const Json& each :
         {service("web", {{"clusterIP", "10.96.0.10"},
                          {"ports", {port("http", 80), port("dns", 53, "UDP")}}}),
          service("bare", {{"clusterIP", "10.96.0.11"}, {"ports", {{{"port", 8080}}}}}),
          service("db", none), service("void", none), service("unready", none),
          service("portless", {{"clusterIP", "None"}}),
          service("out", {{"type", "ExternalName"}, {"externalName", "www.example.com"}}),
          service("gone", {{"type", "ExternalName"}, {"externalName", "none.example.com"}}),
          service("in", {{"type", "ExternalName"}, {"externalName", "web.shop.svc.cluster.local"}}),
          service("in-vain",
                  {{"type", "ExternalName"}, {"externalName", "none.shop.svc.cluster.local"}}),
          service("ring",
                  {{"type", "ExternalName"}, {"externalName", "ring.shop.svc.cluster.local"}}),
          service("number", {{"type", "ExternalName"}, {"externalName", "192.0.2.1"}})})
      api_->call("POST", services, each);
    const Json ports = {port("pg", 5432), port("stats", 9187)};
    for (const Json& each :
         {slice("db-a", "db", "IPv4",
                {endpoint("10.4.0.5", "db-0"), endpoint("10.4.0.6", "db-1"), endpoint("10.4.0.7"),
                 endpoint("10.4.0.8", "db-3", false)},
                ports),
          slice("db-b", "db", "IPv6", {endpoint("fd00::5", "db-0"), endpoint("fd00:1::")}, ports),
          slice("unready-a", "unready", "IPv4", {endpoint("10.4.0.9", "u-0", false)}, ports),
          slice("portless-a", "portless", "IPv4", {endpoint("10.4.0.15", "p-0")}, Json::array()),
          slice("web-a", "web", "IPv4", {endpoint("10.4.0.12", "web-0")}, {port("http", 8080)})})
      api_->call("POST", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices", each);
  }

  void SetUp() override {
    const std::string upstream = std::to_string(upstream_.address().port);
    write_corefile("Corefile", upstream);
    ours_.emplace(std::vector<std::string>{WEFTD, "coredns", "-conf", path("Corefile"), "-dns.port",
                                           std::to_string(kOurs)},
                  path("ours.log"));
    theirs_.emplace(
        std::vector<std::string>{weft::test::go_peer("coredns"), "-conf", path("Corefile"),
                                 "-dns.port", std::to_string(kTheirs)},
        path("theirs.log"));
    const std::string known = "in-vain.shop.svc.cluster.local";
    for (const std::uint16_t each : {kOurs, kTheirs})
      ASSERT_TRUE(eventually([&] {
        return has(answer(each, test::query(known, RecordType::kCname)), "none.shop.svc");
      })) << ours_->said()
          << theirs_->said();
    for (const std::uint16_t each : {kOurs, kTheirs})
      ASSERT_TRUE(eventually([&] {
        return has(answer(each, test::query("db-1.db.shop.svc.cluster.local", RecordType::kA)),
                   "10.4.0.6");
      })) << ours_->said()
          << theirs_->said();
  }

  void write_corefile(const std::string& name, const std::string& upstream) {
    must(write_file_atomically(path(name),
                               ". {\n"
                               "    bind 127.0.0.1\n"
                               "    errors\n"
                               "    kubernetes cluster.local in-addr.arpa ip6.arpa {\n"
                               "        kubeconfig " +
                                   api_->admin_kubeconfig() +
                                   "\n"
                                   "        pods insecure\n"
                                   "        fallthrough in-addr.arpa ip6.arpa\n"
                                   "        ttl 30\n"
                                   "    }\n"
                                   "    forward . 127.0.0.1:" +
                                   upstream +
                                   "\n"
                                   "    loadbalance\n"
                                   "    transfer {\n"
                                   "        to *\n"
                                   "    }\n"
                                   "}\n",
                               0644));
  }

  std::string path(const std::string& file) const { return dir_.path() + "/" + file; }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  // Asked over UDP.
  static std::string ask(std::uint16_t server, const std::string& message) {
    const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const kernel::SocketAddress to(*IpAddress::parse("127.0.0.1"), server);
    ::connect(fd.get(), to.get(), to.size);
    ::send(fd.get(), message.data(), message.size(), 0);
    pollfd wait{.fd = fd.get(), .events = POLLIN, .revents = 0};
    std::array<char, 65536> bytes;
    if (::poll(&wait, 1, 6'000) != 1) return "";
    const ssize_t size = ::recv(fd.get(), bytes.data(), bytes.size(), 0);
    return size < 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(size));
  }

  // An answer as text that does not depend on the order of records, on the case of names and on
  // the time of a SOA.
  static std::string answer(std::uint16_t server, const std::string& message) {
    const std::string reply = ask(server, message);
    if (reply.empty()) return "no answer";
    const Header header = Header::read(reply);
    std::istringstream text(test::text_of(reply));
    std::string status;
    std::getline(text, status);
    status += header.recursion_desired ? " rd" : "";
    // Ours is always set: recursion is to be had here, whoever knows the name. glibc takes NOERROR
    // without it, without an answer and without AA for a referral.
    if (server == kOurs) {
      EXPECT_TRUE(header.recursion_available);
    }
    status += header.authentic_data ? " ad" : "";
    std::multiset<std::string> lines;
    for (std::string line; std::getline(text, line);) {
      std::string small = lower(line);
      const std::size_t soa = small.find(" hostmaster.");
      if (soa != std::string::npos) {
        const std::size_t begin = small.find(' ', soa + 1) + 1;
        small.replace(begin, small.find(' ', begin) - begin, "SERIAL");
      }
      lines.insert(small);
    }
    for (const std::string& line : lines) status += "\n" + line;
    return status;
  }
  static std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return text;
  }

  static KubeServer* api_;
  weft::test::TempDir dir_;
  // Knows one name outside of the cluster, and one address.
  DnsUpstream upstream_{[](std::string_view asked, bool) -> std::optional<std::string> {
    const Query query = read_query(asked).query;
    const std::string name = lower(Name::from_wire(query.name)->to_string());
    if (name != "www.example.com.") return test::answer_to(asked, "", Rcode::kNameError);
    if (query.type == RecordType::kA) return test::answer_to(asked, "192.0.2.80");
    return test::answer_to(asked, "");
  }};
  std::optional<Daemon> ours_;
  std::optional<Daemon> theirs_;
};
KubeServer* DnsCorednsTest::api_ = nullptr;

// Every kind of name that there is, and what is beside it.
std::vector<std::string> names() {
  const std::string zone = ".shop.svc.cluster.local";
  std::vector<std::string> all = {
      "cluster.local",
      "svc.cluster.local",
      "pod.cluster.local",
      "shop.svc.cluster.local",
      "empty.svc.cluster.local",
      "none.svc.cluster.local",
      "shop.pod.cluster.local",
      "none.pod.cluster.local",
      "dns-version.cluster.local",
      "ns.dns.cluster.local",
      "dns.cluster.local",
      "other.cluster.local",
      "a.b.c.d.e.svc.cluster.local",
      "1-2-3-4.shop.pod.cluster.local",
      "1-2-3-4.none.pod.cluster.local",
      "1-2-3-4-5.shop.pod.cluster.local",
      "300-2-3-4.shop.pod.cluster.local",
      "fd00--5.shop.pod.cluster.local",
      "a.1-2-3-4.shop.pod.cluster.local",
      "web-0.shop.pod.cluster.local",
      "kubernetes.default.svc.cluster.local",
      "_https._tcp.kubernetes.default.svc.cluster.local",
      "www.example.com",
      "none.example.com",
      "10.0.96.10.in-addr.arpa",
      "11.0.96.10.in-addr.arpa",
      "5.0.4.10.in-addr.arpa",
      "7.0.4.10.in-addr.arpa",
      "8.0.4.10.in-addr.arpa",
      "12.0.4.10.in-addr.arpa",
      "1.2.0.192.in-addr.arpa",
      "96.10.in-addr.arpa",
      "in-addr.arpa",
      "ip6.arpa",
      "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
      "6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"};
  for (const char* name :
       {"web",  "bare",   "db",   "void", "unready", "portless", "out", "gone", "in", "in-vain",
        "ring", "number", "none", "WEB",  "Db",      "*",        "any", "a_b",  "-",  "_http"})
    all.push_back(name + zone);
  for (const char* front :
       {"_http._tcp.web",  "_HTTP._TCP.web", "_dns._udp.web",  "_dns._tcp.web", "_http._udp.web",
        "_none._tcp.web",  "http.tcp.web",   "_http.web",      "_tcp.web",      "_._tcp.web",
        "_http._tcp.bare", "_pg._tcp.db",    "_stats._tcp.db", "_pg._udp.db",   "_*._tcp.db",
        "db-0.db",         "DB-0.db",        "db-3.db",        "10-4-0-7.db",   "10-4-0-5.db",
        "fd00-1--0.db",    "fd00-1--.db",    "none.db",        "x.db-0.db",     "_pg._tcp.db-0.db",
        "p-0.portless",    "u-0.unready",    "web-0.web",      "10-4-0-12.web", "x.out",
        "_http._tcp.out",  "x.ring",         "_pg._tcp.void"})
    all.push_back(front + zone);
  return all;
}

TEST_F(DnsCorednsTest, BothAnswerTheSame) {
  const RecordType types[] = {RecordType::kA,
                              RecordType::kAaaa,
                              RecordType::kSrv,
                              RecordType::kPtr,
                              RecordType::kTxt,
                              RecordType::kCname,
                              RecordType::kNs,
                              RecordType::kSoa,
                              RecordType::kMx,
                              RecordType::kHinfo,
                              static_cast<RecordType>(65),
                              static_cast<RecordType>(257)};
  std::set<std::string> met;
  std::size_t asked = 0;
  for (const std::string& name : names())
    for (const RecordType type : types)
      for (const bool edns : {false, true}) {
        const std::string message = edns ? test::edns_query(name, type) : test::query(name, type);
        const std::string ours = answer(kOurs, message);
        const std::string theirs = answer(kTheirs, message);
        ++asked;
        if (ours == theirs) continue;
        const auto known =
            std::find_if(differences().begin(), differences().end(),
                         [&](const Difference& each) { return each.is_it(name, type); });
        if (known != differences().end())
          met.insert(known->why);
        else
          ADD_FAILURE() << name << " " << to_string(type) << (edns ? " with EDNS" : "")
                        << "\n--- ours\n"
                        << ours << "\n--- theirs\n"
                        << theirs;
      }
  EXPECT_GT(asked, 2000U);
  for (const Difference& each : differences())
    EXPECT_TRUE(met.contains(each.why)) << "is no difference any more: " << each.why;
}

// The records of a zone as dig receives it, but for the time of its SOA and the weights of SRV:
// here they are those of answers, CoreDNS counts within a slice.
std::vector<std::string> transfer(std::uint16_t server) {
  const auto done =
      must(weft::run({.argv = {"dig", "@127.0.0.1", "-p", std::to_string(server), "+nocomments",
                               "+nocmd", "+nostats", "+tries=1", "cluster.local", "AXFR"}}));
  std::vector<std::string> records;
  std::istringstream lines(done.output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string record;
    for (std::string word; words >> word;) record += (record.empty() ? "" : " ") + word;
    if (const std::size_t weight = record.find(" SRV 0 "); weight != std::string::npos)
      record.erase(weight + 7, record.find(' ', weight + 7) - weight - 7);
    if (record.find(" SOA ") != std::string::npos) record = "SOA";
    if (!record.empty()) records.push_back(record);
  }
  return records;
}

// What only one of them has, and why.
bool is_known_difference(const std::string& record) {
  const auto has = [&](const char* part) { return record.find(part) != std::string::npos; };
  // What is answered and CoreDNS leaves out of a transfer: dns-version, and SRV of a headless
  // Service's own name. A server at a loopback address, as in this test, is left out by both.
  return record == "dns-version.cluster.local. 28800 IN TXT \"1.1.0\"" ||
         record.starts_with("db.shop.svc.cluster.local. 30 IN SRV ") || has(" IN NS ");
}

TEST_F(DnsCorednsTest, BothTransferTheSameZone) {
  const std::vector<std::string> ours = transfer(kOurs);
  const std::vector<std::string> theirs = transfer(kTheirs);
  ASSERT_GT(theirs.size(), 10U);
  EXPECT_EQ(ours.front(), "SOA");
  EXPECT_EQ(ours.back(), "SOA");
  const std::multiset<std::string> one(ours.begin(), ours.end());
  const std::multiset<std::string> other(theirs.begin(), theirs.end());
  for (const std::string& record : one)
    EXPECT_TRUE(other.contains(record) || is_known_difference(record)) << "only here: " << record;
  for (const std::string& record : other)
    EXPECT_TRUE(one.contains(record) || is_known_difference(record)) << "only there: " << record;
}

// Whoever keeps a copy sees by the serial that there is something new.
TEST_F(DnsCorednsTest, ATransferFollowsTheCluster) {
  const std::string services = "/api/v1/namespaces/shop/services";
  const std::string late = "late.shop.svc.cluster.local. 30 IN A 10.96.0.99";
  const auto has_late = [&] {
    const std::vector<std::string> records = transfer(kOurs);
    return std::find(records.begin(), records.end(), late) != records.end();
  };
  EXPECT_FALSE(has_late());
  api_->call("POST", services,
             service("late", {{"clusterIP", "10.96.0.99"}, {"ports", {port("http", 80)}}}));
  EXPECT_TRUE(eventually(has_late));
  api_->call("DELETE", services + "/late");
  EXPECT_TRUE(eventually([&] { return !has_late(); }));
}

}  // namespace
}  // namespace weft::dns
