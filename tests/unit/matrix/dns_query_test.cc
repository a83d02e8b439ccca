// The question that the matrix asks a DNS server, and what it makes of answers.
#include "matrix/dns_query.h"

#include <gtest/gtest.h>

namespace weft::matrix {
namespace {

using std::string_literals::operator""s;

constexpr std::uint16_t kId = 0x1234;

// The answer to a query: with a code, answer records and an additional part in place of its own.
std::string answer(const std::string& query, char code, char answers, const std::string& records,
                   char additional = 0) {
  std::string bytes = query.substr(0, query.size() - 11);  // without its OPT record
  bytes[2] = '\x81';
  bytes[3] = static_cast<char>(0x80 | code);
  bytes[7] = answers;
  bytes[11] = additional;
  return bytes + records;
}

// A record of the name that was asked for.
std::string record(char type, const std::string& data) {
  return "\xc0\x0c\0"s + type + "\0\1\0\0\0\5\0"s + static_cast<char>(data.size()) + data;
}

TEST(DnsQuery, AsksForOneFamilyWithEdns) {
  const std::string query = dns_query("web.shop", Family::kIpv4, kId);
  EXPECT_EQ(query,
            "\x12\x34\x01\0\0\1\0\0\0\0\0\1\3web\4shop\0\0\1\0\1"
            "\0\0\x29\x04\xd0\0\0\0\0\0\0"s);
  EXPECT_EQ(dns_query("web.shop", Family::kIpv6, kId)[23], 28);
  EXPECT_EQ(dns_query(std::string(64, 'a'), Family::kIpv4, kId), "") << "a label has 63 bytes";
}

TEST(DnsQuery, ReadsTheAddressesBehindAnAlias) {
  const std::string query = dns_query("web.shop", Family::kIpv4, kId);
  const auto read = parse_dns_answer(answer(
      query, 0, 3, record(5, "\1x\xc0\x0c") + record(1, "\x0a\1\1\2") + record(1, "\x0a\1\1\3")));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->refusal, "");
  EXPECT_EQ(read->addresses,
            (std::set<IpAddress>{*IpAddress::parse("10.1.1.2"), *IpAddress::parse("10.1.1.3")}));
}

TEST(DnsQuery, ReadsWhyThereIsNone) {
  const std::string query = dns_query("web.shop", Family::kIpv4, kId);
  const auto refusal = [](const std::string& bytes) {
    const auto read = parse_dns_answer(bytes);
    return read ? read->refusal : "no answer";
  };
  EXPECT_EQ(refusal(answer(query, 3, 0, "")), "NXDOMAIN");
  EXPECT_EQ(refusal(answer(query, 5, 0, "")), "REFUSED");
  EXPECT_EQ(refusal(answer(query, 11, 0, "")), "code 11");
  EXPECT_EQ(refusal(answer(query, 0, 0, "")), "no address of the name");
  const std::string opt = "\0\0\x29\x04\xd0\0\0\0\0\0\x09\0\x0f\0\5\0\x16why"s;
  EXPECT_EQ(refusal(answer(query, 2, 0, opt, 1)), "SERVFAIL (why)");
  EXPECT_EQ(refusal(answer(query, 2, 0, opt.substr(0, 18), 1)), "no answer") << "cut short";
  EXPECT_EQ(refusal("weft"), "no answer");
  EXPECT_EQ(refusal(answer(query, 0, 2, record(1, "\x0a\1\1\2"))), "no answer") << "cut short";
}

TEST(DnsQuery, MayAskWhereTheAnswerComesFrom) {
  const std::string query = dns_query("web.shop", Family::kIpv4, kId, AskSource::kYes);
  EXPECT_EQ(query.substr(query.size() - 6), "\0\4\xfe\x1d\0\0"s);
  const std::string plain = dns_query("web.shop", Family::kIpv4, kId);
  const std::string opt = "\0\0\x29\x04\xd0\0\0\0\0\0\x0b\xfe\x1d\0\7cluster"s;
  const auto read = parse_dns_answer(answer(plain, 0, 1, record(1, "\x0a\1\1\2") + opt, 1));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->source, "cluster");
  EXPECT_EQ(read->ttl, 5U);
  EXPECT_EQ(read->id, kId);
  EXPECT_EQ(read->code, "NOERROR");
}

}  // namespace
}  // namespace weft::matrix
