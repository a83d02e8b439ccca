// Our messages read by dnspython, and dnspython's read by us.
#include <algorithm>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "base/process.h"
#include "base/text.h"
#include "support/must.h"
#include "unit/dns/clusters.h"

namespace weft::dns {
namespace {

using weft::test::must;

// Debian's, which has Debian's modules.
constexpr const char* kPython = "/usr/bin/python3";

std::string oracle(const std::string& how, const std::string& input = {}) {
  return must(run_or_fail({.argv = {kPython, DNS_ORACLE, how}, .input = input}));
}

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 0xfU];
  }
  return text;
}
std::string from_hexadecimal(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

// The head, then the records sorted: dnspython keeps records of one name and type together, and
// those that are equal once.
std::string sorted(const std::string& text) {
  const auto lines = split(text, '\n');
  std::string result = lines[0];
  for (const auto& line : std::set<std::string>(lines.begin() + 1, lines.end()))
    result += "\n" + line;
  return result;
}

// Texts with an empty line behind each.
std::vector<std::string> texts_of(const std::string& output) {
  std::vector<std::string> texts;
  std::string text;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      texts.push_back(std::exchange(text, {}));
      continue;
    }
    text += (text.empty() ? "" : "\n") + line;
  }
  return texts;
}

std::shared_ptr<const ClusterZone> cluster() {
  ZoneBuilder builder(test::zone_options());
  builder.put(test::cluster_service("default", "dual", {"10.96.0.2", "fd00::2"},
                                    {{.name = "web", .port = 80}, {.name = "dns", .port = 53}}));
  builder.put(test::headless_service("db", "pg"));
  std::vector<weft::Endpoint> endpoints;
  for (int i = 0; i < 100; ++i)
    endpoints.push_back(test::endpoint("10.4.0." + std::to_string(i), "pg-" + std::to_string(i)));
  builder.put(test::slice_of("db", "pg", "s", endpoints, {{.name = "pg", .port = 5432}}));
  builder.put(test::external_service("default", "in", "dual.default.svc.cluster.local"));
  builder.put(test::external_service("default", "out", "Www.Example.com"));
  builder.set_complete();
  return builder.zone(7);
}

TEST(DnsOracle, ReadsEveryAnswerAsWeMeanIt) {
  const auto zone = cluster();
  std::vector<std::string> messages;
  std::string input;
  for (const char* name :
       {"dual.default.svc.cluster.local", "DUAL.default.SVC.cluster.local",
        "_web._tcp.dual.default.svc.cluster.local", "pg.db.svc.cluster.local",
        "_pg._tcp.pg.db.svc.cluster.local", "pg-7.pg.db.svc.cluster.local",
        "in.default.svc.cluster.local", "out.default.svc.cluster.local", "cluster.local",
        "dns-version.cluster.local", "svc.cluster.local", "10-4-0-9.default.pod.cluster.local",
        "2.0.96.10.in-addr.arpa", "7.0.4.10.in-addr.arpa", "no.default.svc.cluster.local"})
    for (const auto type :
         {RecordType::kA, RecordType::kAaaa, RecordType::kSrv, RecordType::kTxt, RecordType::kPtr,
          RecordType::kCname, RecordType::kSoa, RecordType::kNs, RecordType::kAny})
      for (const std::size_t limit : {kPlainUdpSize, kUdpSize, kLargestMessage}) {
        messages.push_back(test::ask(*zone, test::edns_query(name, type), 5, limit).message);
        input += hexadecimal(messages.back()) + "\n";
      }
  const auto texts = texts_of(oracle("read", input));
  ASSERT_EQ(texts.size(), messages.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_EQ(sorted(texts[i]), sorted(test::text_of(messages[i])));
}

TEST(DnsOracle, WritesWhatWeReadAsItMeansIt) {
  const auto texts = texts_of(oracle("write"));
  ASSERT_EQ(texts.size(), 400U);
  for (const std::string& text : texts) {
    const std::size_t end = text.find('\n');
    const std::string message = from_hexadecimal(text.substr(0, end));
    EXPECT_EQ(sorted(test::text_of(message)), sorted(text.substr(end + 1)));
  }
}

}  // namespace
}  // namespace weft::dns
