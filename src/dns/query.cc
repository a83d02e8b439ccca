#include "dns/query.h"

#include <algorithm>

#include "dns/bytes.h"
#include "dns/name.h"

namespace weft::dns {
namespace {

constexpr std::size_t kTypeAndClass = 4;
// Of a record behind its name: type, class, TTL, length of its data.
constexpr std::size_t kRecordFront = 10;
constexpr std::size_t kOptionFront = 4;
constexpr std::uint32_t kDnssecOk = 0x8000;

// Takes the name off the front of what follows the header; empty when there is none, or it is
// written with a pointer, of which a question has no need.
std::string_view take_question(std::string_view message) {
  const std::string_view body = message.substr(kHeaderSize);
  const std::size_t name = plain_name_size(body);
  if (name == 0 || body.size() < name + kTypeAndClass) return {};
  return body.substr(0, name + kTypeAndClass);
}

void note_question(std::string_view question, Query& query) {
  query.question = question;
  query.name = question.substr(0, question.size() - kTypeAndClass);
  query.type = static_cast<RecordType>(word_at(question, query.name.size()));
  query.record_class = static_cast<RecordClass>(word_at(question, query.name.size() + 2));
}

// False when an option claims more bytes than are there.
bool read_options(std::string_view options, Edns& edns) {
  while (!options.empty()) {
    if (options.size() < kOptionFront) return false;
    const auto option = static_cast<EdnsOption>(word_at(options, 0));
    const std::size_t size = word_at(options, 2);
    if (options.size() - kOptionFront < size) return false;
    if (option == EdnsOption::kNameServerId) edns.wants_server_id = true;
    if (option == EdnsOption::kTcpKeepalive) edns.wants_keepalive = true;
    if (option == EdnsOption::kSource) edns.wants_source = true;
    options.remove_prefix(kOptionFront + size);
  }
  return true;
}

// The records behind the question. Only OPT means anything to us, but all must be well formed.
class Additions {
 public:
  Additions(std::string_view message, std::size_t at) : message_(message), at_(at) {}

  /// False when the next record is not whole, or a second OPT.
  bool take() {
    ExpandedName owner;
    if (!expand_name(message_, at_, owner) || message_.size() - owner.end < kRecordFront)
      return false;
    const auto type = static_cast<RecordType>(word_at(message_, owner.end));
    const std::size_t size = word_at(message_, owner.end + 8);
    const std::size_t data = owner.end + kRecordFront;
    if (message_.size() - data < size) return false;
    at_ = data + size;
    if (type != RecordType::kOpt) return true;
    if (edns_ || owner.wire().size() != 1) return false;
    return note_edns(owner.end, message_.substr(data, size));
  }

  bool at_end() const { return at_ == message_.size(); }
  const std::optional<Edns>& edns() const { return edns_; }
  std::uint8_t version() const { return version_; }

 private:
  bool note_edns(std::size_t at, std::string_view options) {
    const std::uint32_t flags = number_at(message_, at + 4);
    version_ = static_cast<std::uint8_t>(flags >> 16U);
    edns_ = Edns{
        .udp_size = std::max(word_at(message_, at + 2), static_cast<std::uint16_t>(kPlainUdpSize)),
        .dnssec_ok = (flags & kDnssecOk) != 0};
    return read_options(options, *edns_);
  }

  std::string_view message_;
  std::size_t at_;
  std::optional<Edns> edns_;
  std::uint8_t version_ = 0;
};

bool is_query_type(RecordType type) {
  return type != RecordType::kNone && type != RecordType::kOpt;
}

ReceivedQuery refuse(Rcode rcode, Query query) {
  return {.verdict = ReceivedQuery::Verdict::kRefuse, .rcode = rcode, .query = query};
}

// An operation that is not ours. The question is echoed where there is one and it can be read.
ReceivedQuery refuse_operation(std::string_view message, Query query) {
  if (query.header.questions == 1)
    if (const auto question = take_question(message); !question.empty())
      note_question(question, query);
  return refuse(query.header.opcode == Opcode::kNotify ? Rcode::kRefused : Rcode::kNotImplemented,
                query);
}

}  // namespace

ReceivedQuery read_query(std::string_view message) {
  if (message.size() < kHeaderSize) return {};
  Query query{.header = Header::read(message), .size = message.size()};
  const Header& header = query.header;
  if (header.is_response) return {};
  if (header.opcode != Opcode::kQuery) return refuse_operation(message, query);
  if (header.questions != 1) return refuse(Rcode::kFormatError, query);
  const auto question = take_question(message);
  if (question.empty()) return refuse(Rcode::kFormatError, query);
  note_question(question, query);
  // The authority section of an IXFR holds the SOA that the client has (RFC 1995, section 3).
  const unsigned expected_authorities = query.type == RecordType::kIxfr ? 1 : 0;
  if (header.answers != 0 || header.authorities > expected_authorities)
    return refuse(Rcode::kFormatError, query);
  Additions additions(message, kHeaderSize + question.size());
  for (unsigned i = 0; i < unsigned{header.authorities} + header.additionals; ++i)
    if (!additions.take()) return refuse(Rcode::kFormatError, query);
  if (!additions.at_end()) return refuse(Rcode::kFormatError, query);
  query.edns = additions.edns();
  if (additions.version() != 0) return refuse(Rcode::kBadVersion, query);
  if (!is_query_type(query.type)) return refuse(Rcode::kFormatError, query);
  if (query.record_class != RecordClass::kIn) return refuse(Rcode::kRefused, query);
  return {.verdict = ReceivedQuery::Verdict::kAnswer, .query = query};
}

}  // namespace weft::dns
