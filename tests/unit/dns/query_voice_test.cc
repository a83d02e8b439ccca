// What is said and counted of answers: `log`, `errors`, `prometheus`.
#include <gtest/gtest.h>

#include "dns/cache_metrics.h"
#include "dns/query_counts.h"
#include "dns/query_log.h"
#include "support/log_lines.h"
#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

using weft::test::LogLines;

// An answer as the responder tells of it.
class Told {
 public:
  explicit Told(const char* name = "Www.example", const char* client = "10.4.0.9")
      : message_(test::edns_query(name, RecordType::kAaaa, {.udp_size = 1400, .dnssec_ok = true})),
        query_(read_query(message_).query) {
    client_ = {
        .address = *IpAddress::parse(client), .port = 4711, .local = *IpAddress::parse("10.4.0.1")};
  }
  Told& rcode(Rcode code) { return rcode_ = code, *this; }
  Told& answers(std::uint16_t count) { return header_.answers = count, *this; }
  Told& over_tcp() { return client_.over_tcp = true, *this; }
  Told& why(const char* text) { return why_ = text, *this; }
  Told& size(std::size_t bytes) { return size_ = bytes, *this; }
  Told& time(std::chrono::microseconds taken) { return time_ = taken, *this; }

  Answered answered() const {
    return {.query = query_,
            .client = client_,
            .header = header_,
            .rcode = rcode_,
            .size = size_,
            .time = time_,
            .why = why_};
  }

 private:
  std::string message_;
  Query query_;
  Client client_;
  Header header_{.id = 7,
                 .is_response = true,
                 .authoritative = true,
                 .recursion_desired = true,
                 .recursion_available = true,
                 .answers = 1};
  Rcode rcode_ = Rcode::kNoError;
  std::size_t size_ = 120;
  std::chrono::microseconds time_{90};
  std::string why_;
};

TEST(QueryLog, TheCommonFormatIsCoreDnss) {
  const LogLines lines;
  LogObserver log({.zones = {Name()}});
  log.answered(Told().answered());
  EXPECT_EQ(lines.count("10.4.0.9:4711 - 7 \"AAAA IN Www.example. udp 40 true 1400\" NOERROR "
                        "qr,aa,rd,ra 120 0.000090000s"),
            1U);
  log.answered(Told("x.example", "fd00::9").over_tcp().rcode(Rcode::kNameError).answered());
  EXPECT_EQ(lines.count("[fd00::9]:4711 - 7 \"AAAA IN x.example. tcp 38 true 1400\" NXDOMAIN"), 1U);
}

TEST(QueryLog, AFormatOfOnesOwn) {
  EXPECT_EQ(log_line("{name}|{type}|{local}|{rcode}|{>opcode}|{nothing}|{", Told().answered()),
            "Www.example.|AAAA|10.4.0.1|NOERROR|0|{nothing}|{");
  EXPECT_TRUE(log_line("{combined}", Told().answered()).ends_with("0.000090000s \"0\""));
}

TEST(QueryLog, ANameOfAnyBytesMakesOneLine) {
  std::string message = test::query("a.example", RecordType::kA);
  message[13] = '\n';
  const Client client;
  const Header header;
  const Query query = read_query(message).query;
  const Answered answered{.query = query, .client = client, .header = header};
  EXPECT_EQ(log_line("{name}", answered), "\\010.example.");
}

TEST(QueryLog, OnlyTheWantedClassesAndZones) {
  const LogLines lines;
  LogObserver denials({.zones = {*Name::parse("example")}, .classes = {.denial = true}});
  denials.answered(Told("one.example").answered());
  denials.answered(Told("two.example").rcode(Rcode::kNameError).answers(0).answered());
  denials.answered(Told("three.example").answers(0).answered());
  denials.answered(Told("four.other").answers(0).answered());
  denials.answered(Told("five.example").rcode(Rcode::kServerFailure).answers(0).answered());
  EXPECT_EQ(lines.count("one.example"), 0U);
  EXPECT_EQ(lines.count("two.example"), 1U);
  EXPECT_EQ(lines.count("three.example"), 1U) << "no records are a denial, too";
  EXPECT_EQ(lines.count("four.other"), 0U);
  EXPECT_EQ(lines.count("five.example"), 0U);
  LogObserver errors({.zones = {Name()}, .classes = {.error = true}});
  errors.answered(Told("six.example").rcode(Rcode::kRefused).answered());
  errors.answered(Told("seven.example").answered());
  EXPECT_EQ(lines.count("six.example"), 1U);
  EXPECT_EQ(lines.count("seven.example"), 0U);
}

TEST(Errors, AFailureIsToldWithItsReasonNowAndThen) {
  const LogLines lines;
  ErrorsObserver errors;
  errors.answered(Told().answered());
  for (int i = 0; i < 5; ++i)
    errors.answered(Told().rcode(Rcode::kServerFailure).why("no answer from 9.9.9.9").answered());
  errors.answered(Told().rcode(Rcode::kServerFailure).why("a loop").answered());
  EXPECT_EQ(lines.count("2 Www.example. AAAA: no answer from 9.9.9.9"), 1U);
  EXPECT_EQ(lines.count("2 Www.example. AAAA: a loop"), 1U);
  EXPECT_EQ(lines.count("Www.example."), 2U);
}

TEST(QueryMetrics, HaveCoreDnssNamesAndLabels) {
  CountedBlock block{.server = "dns://:53", .zone = "."};
  for (int worker = 0; worker < 2; ++worker) {
    block.of_workers.push_back(std::make_shared<QueryCounts>());
    CountingObserver counting(block.of_workers.back());
    counting.answered(Told().answered());
    counting.answered(Told("x", "fd00::1").over_tcp().rcode(Rcode::kNameError).answered());
    counting.answered(
        Told().size(600).time(std::chrono::seconds(9)).rcode(Rcode::kServerFailure).answered());
  }
  MetricsText text;
  write_query_metrics({block}, text);
  const std::string labels = "{server=\"dns://:53\",zone=\".\",view=\"\",";
  for (const std::string& line :
       {"coredns_dns_requests_total" + labels + "proto=\"udp\",family=\"1\",type=\"AAAA\"} 4",
        "coredns_dns_requests_total" + labels + "proto=\"tcp\",family=\"2\",type=\"AAAA\"} 2",
        "coredns_dns_responses_total" + labels + "rcode=\"NOERROR\",plugin=\"\"} 2",
        "coredns_dns_responses_total" + labels + "rcode=\"NXDOMAIN\",plugin=\"\"} 2",
        "coredns_dns_responses_total" + labels + "rcode=\"SERVFAIL\",plugin=\"\"} 2",
        "coredns_dns_request_duration_seconds_bucket" + labels + "le=\"0.00025\"} 4",
        "coredns_dns_request_duration_seconds_bucket" + labels + "le=\"8.192\"} 4",
        "coredns_dns_request_duration_seconds_bucket" + labels + "le=\"+Inf\"} 6",
        "coredns_dns_response_size_bytes_bucket" + labels + "proto=\"udp\",le=\"511\"} 2",
        "coredns_dns_response_size_bytes_bucket" + labels + "proto=\"udp\",le=\"1023\"} 4"})
    EXPECT_NE(text.text().find(line + "\n"), std::string::npos) << line << "\n" << text.text();
}

TEST(CacheMetrics, HaveCoreDnssNamesAndLabels) {
  MetricsText text;
  write_cache_metrics({{.server = "dns://:53",
                        .zones = ".",
                        .counts = {.hits = 5,
                                   .denial_hits = 3,
                                   .misses = 2,
                                   .stale = 1,
                                   .prefetches = 4,
                                   .evictions = 6,
                                   .entries = 7,
                                   .denials = 8,
                                   .bytes = 900}}},
                      text);
  const std::string labels = "{server=\"dns://:53\",zones=\".\",view=\"\"";
  for (const std::string& line :
       {"coredns_cache_entries" + labels + ",type=\"success\"} 7",
        "coredns_cache_entries" + labels + ",type=\"denial\"} 8",
        "coredns_cache_hits_total" + labels + ",type=\"success\"} 5",
        "coredns_cache_hits_total" + labels + ",type=\"denial\"} 3",
        "coredns_cache_requests_total" + labels + "} 11",
        "coredns_cache_misses_total" + labels + "} 2",
        "coredns_cache_served_stale_total" + labels + "} 1",
        "coredns_cache_prefetch_total" + labels + "} 4",
        "coredns_cache_evictions_total" + labels + "} 6", "coredns_cache_bytes" + labels + "} 900"})
    EXPECT_NE(text.text().find(line + "\n"), std::string::npos) << line << "\n" << text.text();
}

}  // namespace
}  // namespace weft::dns
