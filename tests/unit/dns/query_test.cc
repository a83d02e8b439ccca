#include "dns/query.h"

#include <gtest/gtest.h>

#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

using namespace std::string_literals;
using test::edns_query;
using test::header;
using test::Opt;
using test::option;
using test::question;
using test::word;
using Verdict = ReceivedQuery::Verdict;

constexpr const char* kName = "Kubernetes.default.svc.cluster.local";

TEST(Query, OfAStubResolverIsRead) {
  const std::string message = test::query(kName, RecordType::kAaaa, 0x1234);
  const auto received = read_query(message);
  ASSERT_EQ(received.verdict, Verdict::kAnswer);
  EXPECT_EQ(received.query.header.id, 0x1234);
  EXPECT_TRUE(received.query.header.recursion_desired);
  EXPECT_EQ(received.query.type, RecordType::kAaaa);
  EXPECT_EQ(Name::from_wire(received.query.name)->to_string(), kName + "."s);
  EXPECT_EQ(received.query.question, question(kName, RecordType::kAaaa));
  EXPECT_FALSE(received.query.edns);
}

TEST(Query, EdnsIsRead) {
  const auto edns = [](const Opt& opt) {
    const auto received = read_query(edns_query(kName, RecordType::kA, opt));
    EXPECT_EQ(received.verdict, Verdict::kAnswer);
    return received.query.edns;
  };
  EXPECT_EQ(edns({}), (Edns{.udp_size = 1232}));
  EXPECT_EQ(edns({.udp_size = 0}), (Edns{.udp_size = 512})) << "a size below 512 counts as 512";
  EXPECT_EQ(edns({.udp_size = 4096, .dnssec_ok = true}),
            (Edns{.udp_size = 4096, .dnssec_ok = true}));
  EXPECT_EQ(edns({.options = option(3, "") + option(11, "")}),
            (Edns{.udp_size = 1232, .wants_server_id = true, .wants_keepalive = true}));
  EXPECT_EQ(edns({.options = option(10, "8 bytes!") + option(65001, "?")}),
            (Edns{.udp_size = 1232}))
      << "other options are passed over";
}

// The table of what servers do with odd input: a response or half a header is dropped, and
// everything else is told what is wrong with it.
TEST(Query, OddInputIsRefusedAsTheTableSays) {
  const std::string asked = question(kName, RecordType::kA);
  const auto with = [&](Header fields, const std::string& rest) {
    fields.id = 9;
    return header(fields) + rest;
  };
  const std::string record = "\xc0\x0c" + word(1) + word(1) + word(0) + word(5) + word(4) + "abcd";
  struct Case {
    const char* what;
    std::string message;
    Verdict verdict;
    Rcode rcode = Rcode::kNoError;
    bool echoes = false;
  };
  const Opt opt;
  std::string cut_option = Opt{.options = option(10, "12345678")}.bytes();
  cut_option[cut_option.size() - 9] = 9;
  std::string named_opt = opt.bytes();
  named_opt.replace(0, 1, "\1a\0"s);
  const auto refuse = Verdict::kRefuse;
  const Case cases[] = {
      {"nothing", "", Verdict::kDrop},
      {"eleven bytes", std::string(11, '\0'), Verdict::kDrop},
      {"a response", with({.is_response = true, .questions = 1}, asked), Verdict::kDrop},
      {"STATUS", with({.opcode = Opcode::kStatus, .questions = 1}, asked), refuse,
       Rcode::kNotImplemented, true},
      {"opcode 15", with({.opcode = static_cast<Opcode>(15)}, ""), refuse, Rcode::kNotImplemented},
      {"UPDATE", with({.opcode = Opcode::kUpdate, .questions = 1}, asked), refuse,
       Rcode::kNotImplemented, true},
      {"NOTIFY", with({.opcode = Opcode::kNotify, .questions = 1}, asked), refuse, Rcode::kRefused,
       true},
      {"no question", with({}, ""), refuse, Rcode::kFormatError},
      {"two questions", with({.questions = 2}, asked + asked), refuse, Rcode::kFormatError},
      {"a question without bytes", with({.questions = 1}, ""), refuse, Rcode::kFormatError},
      {"a name alone", with({.questions = 1}, "\1a\0"s), refuse, Rcode::kFormatError},
      {"a pointer as name", with({.questions = 1}, "\xc0\x0c" + word(1) + word(1)), refuse,
       Rcode::kFormatError},
      {"a pointer inside", with({.questions = 1}, "\1a\xc0\x0c" + word(1) + word(1)), refuse,
       Rcode::kFormatError},
      {"a label 0x40", with({.questions = 1}, "\x40" + word(1) + word(1)), refuse,
       Rcode::kFormatError},
      {"a name of 256 bytes",
       with({.questions = 1}, std::string("\x3f") + std::string(63, 'a') + "\x3f" +
                                  std::string(63, 'a') + "\x3f" + std::string(63, 'a') + "\x3e" +
                                  std::string(62, 'a') + '\0' + word(1) + word(1)),
       refuse, Rcode::kFormatError},
      {"a byte too many", with({.questions = 1}, asked + "x"), refuse, Rcode::kFormatError, true},
      {"an answer in it", with({.questions = 1, .answers = 1}, asked + record), refuse,
       Rcode::kFormatError, true},
      {"an authority in it", with({.questions = 1, .authorities = 1}, asked + record), refuse,
       Rcode::kFormatError, true},
      {"an addition that is not there", with({.questions = 1, .additionals = 1}, asked), refuse,
       Rcode::kFormatError, true},
      {"two OPT", with({.questions = 1, .additionals = 2}, asked + opt.bytes() + opt.bytes()),
       refuse, Rcode::kFormatError, true},
      {"an OPT with a name", with({.questions = 1, .additionals = 1}, asked + named_opt), refuse,
       Rcode::kFormatError, true},
      {"an option that overruns", with({.questions = 1, .additionals = 1}, asked + cut_option),
       refuse, Rcode::kFormatError, true},
      {"half an option",
       with({.questions = 1, .additionals = 1}, asked + Opt{.options = "ab"}.bytes()), refuse,
       Rcode::kFormatError, true},
      {"EDNS version 1", edns_query(kName, RecordType::kA, {.version = 1}), refuse,
       Rcode::kBadVersion, true},
      {"class CH", with({.questions = 1}, question(kName, RecordType::kTxt, 3)), refuse,
       Rcode::kRefused, true},
      {"class 0", with({.questions = 1}, question(kName, RecordType::kA, 0)), refuse,
       Rcode::kRefused, true},
      {"class ANY", with({.questions = 1}, question(kName, RecordType::kA, 255)), refuse,
       Rcode::kRefused, true},
      {"type 0", with({.questions = 1}, question(kName, RecordType::kNone)), refuse,
       Rcode::kFormatError, true},
      {"type OPT", with({.questions = 1}, question(kName, RecordType::kOpt)), refuse,
       Rcode::kFormatError, true},
      {"TC set", with({.truncated = true, .questions = 1}, asked), Verdict::kAnswer,
       Rcode::kNoError, true},
      {"a record that is no OPT", with({.questions = 1, .additionals = 1}, asked + record),
       Verdict::kAnswer, Rcode::kNoError, true},
      {"an IXFR with its SOA",
       with({.questions = 1, .authorities = 1}, question(kName, RecordType::kIxfr) + record),
       Verdict::kAnswer, Rcode::kNoError, true},
  };
  for (const Case& c : cases) {
    const auto received = read_query(c.message);
    EXPECT_EQ(received.verdict, c.verdict) << c.what;
    EXPECT_EQ(to_string(received.rcode), to_string(c.rcode)) << c.what;
    EXPECT_EQ(!received.query.question.empty(), c.echoes) << c.what;
  }
}

TEST(Query, ThatIsCutAnywhereIsNeverAnswered) {
  const std::string whole = edns_query(kName, RecordType::kA, {.options = option(3, "")});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(read_query(std::string_view(whole).substr(0, size)).verdict, Verdict::kAnswer)
        << size;
}

}  // namespace
}  // namespace weft::dns
