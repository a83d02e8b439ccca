#include "dns/message_writer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "dns/bytes.h"
#include "dns/name.h"

namespace weft::dns {
namespace {

// The root, type, class, TTL and length of the data.
constexpr std::size_t kOptFront = 11;
constexpr std::size_t kOptionFront = 4;
constexpr std::size_t kErrorCode = 2;
constexpr std::size_t kIdleTime = 2;
constexpr std::size_t kPointable = 0x4000;  // pointers have 14 bits
constexpr std::uint16_t kPointer = 0xc000;
constexpr std::uint32_t kDnssecOk = 0x8000;
// An explanation must not push data out of an answer.
constexpr std::size_t kLongestErrorText = 80;
constexpr std::size_t kLongestServerId = 64;

// Whether the message has the name `wire` at `at`, by the labels that were written there.
bool stands_at(std::string_view message, std::size_t at, std::string_view wire) {
  for (;;) {
    unsigned length = byte_at(message, at);
    while (length >= kPointer >> 8U) {
      at = word_at(message, at) & (kPointable - 1);
      length = byte_at(message, at);
    }
    if (length != byte_at(wire, 0)) return false;
    if (length == 0) return true;
    if (!equal_in_any_case(message.substr(at + 1, length), wire.substr(1, length))) return false;
    at += 1 + length;
    wire.remove_prefix(1 + length);
  }
}

}  // namespace

void RecordData::byte(std::uint8_t value) {
  const char c = static_cast<char>(value);
  writer_.append({&c, 1});
}
void RecordData::word(std::uint16_t value) {
  writer_.append_word(value);
}
void RecordData::number(std::uint32_t value) {
  writer_.append_number(value);
}
void RecordData::bytes(std::string_view value) {
  writer_.append(value);
}
void RecordData::text(std::string_view value) {
  constexpr std::size_t kLongestText = 255;
  const std::string_view front = value.substr(0, kLongestText);
  byte(static_cast<std::uint8_t>(front.size()));
  bytes(front);
}
void RecordData::name(std::string_view wire) {
  writer_.append_name(wire);
}

void MessageWriter::begin(const Query& query, const ServerEdns& server) {
  if (query.edns) {
    has_opt_ = true;
    dnssec_ok_ = query.edns->dnssec_ok;
    if (query.edns->wants_server_id)
      server_.server_id = server.server_id.substr(0, kLongestServerId);
    if (query.edns->wants_keepalive) server_.idle_deciseconds = server.idle_deciseconds;
    wants_source_ = query.edns->wants_source;
    reserved_ = opt_size();
  }
  if (query.question.empty()) return;
  append(query.question);
  questions_ = 1;
}

void MessageWriter::ask(std::string_view name, RecordType type, std::uint16_t udp_size,
                        bool dnssec_ok) {
  dnssec_ok_ = dnssec_ok;
  has_opt_ = udp_size != 0;
  offered_size_ = udp_size;
  if (has_opt_) reserved_ = opt_size();
  append(name);
  append_word(static_cast<std::uint16_t>(type));
  append_word(static_cast<std::uint16_t>(RecordClass::kIn));
  questions_ = 1;
}

void MessageWriter::append(std::string_view bytes) {
  if (overflow_ || left() < bytes.size()) {
    overflow_ = true;
    return;
  }
  std::memcpy(room_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void MessageWriter::append_word(std::uint16_t value) {
  std::array<char, 2> bytes{};
  put_word(bytes.data(), value);
  append({bytes.data(), bytes.size()});
}

void MessageWriter::append_number(std::uint32_t value) {
  std::array<char, 4> bytes{};
  put_number(bytes.data(), value);
  append({bytes.data(), bytes.size()});
}

void MessageWriter::remember_names(std::size_t at, std::size_t end) {
  while (at < end && name_count_ < kMostNames && at < kPointable) {
    const unsigned length = byte_at({room_.data(), size_}, at);
    if (length == 0 || length >= kPointer >> 8U) return;
    names_[name_count_++] = static_cast<std::uint16_t>(at);
    at += 1 + length;
  }
}

std::optional<std::uint16_t> MessageWriter::find_name(std::string_view wire) const {
  const std::string_view message(room_.data(), size_);
  for (std::size_t i = 0; i < name_count_; ++i)
    if (stands_at(message, names_[i], wire)) return names_[i];
  return std::nullopt;
}

void MessageWriter::append_name(std::string_view wire) {
  if (!question_noted_ && questions_ != 0) remember_names(kHeaderSize, size_);
  question_noted_ = true;
  const std::size_t start = size_;
  while (byte_at(wire, 0) != 0) {
    if (const auto known = find_name(wire)) {
      append_word(kPointer | *known);
      break;
    }
    const std::size_t label = 1U + byte_at(wire, 0);
    append(wire.substr(0, label));
    wire.remove_prefix(label);
  }
  if (byte_at(wire, 0) == 0) append(wire.substr(0, 1));
  if (!overflow_) remember_names(start, size_);
}

MessageWriter::Mark MessageWriter::open_record(std::string_view owner, RecordType type,
                                               std::uint32_t ttl) {
  Mark mark{.size = size_, .names = name_count_, .data_length_at = 0};
  append_name(owner);
  append_word(static_cast<std::uint16_t>(type));
  append_word(static_cast<std::uint16_t>(RecordClass::kIn));
  append_number(ttl);
  mark.data_length_at = size_;
  append_word(0);
  return mark;
}

bool MessageWriter::close_record(Section section, const Mark& mark) {
  if (overflow_) {
    overflow_ = false;
    size_ = mark.size;
    name_count_ = mark.names;
    return false;
  }
  put_word(room_.data() + mark.data_length_at,
           static_cast<std::uint16_t>(size_ - mark.data_length_at - 2));
  ++counts_[static_cast<unsigned>(section)];
  return true;
}

bool MessageWriter::raw(Section section, std::string_view records, std::size_t count) {
  if (left() < records.size()) return false;
  append(records);
  auto& counter = counts_[static_cast<unsigned>(section)];
  counter = static_cast<std::uint16_t>(counter + count);
  return true;
}

bool MessageWriter::sections(std::string_view records, const std::array<std::uint16_t, 3>& counts) {
  if (left() < records.size()) return false;
  append(records);
  counts_ = counts;
  return true;
}

void MessageWriter::forget_records() {
  size_ = kHeaderSize;
  if (questions_ != 0)
    size_ += plain_name_size({room_.data() + kHeaderSize, limit_ - kHeaderSize}) + 4;
  name_count_ = 0;
  question_noted_ = false;
  truncated_ = false;
  counts_ = {};
}

void MessageWriter::explain(ExtendedError error, std::string_view text) {
  error_text_ = text.substr(0, kLongestErrorText);
  if (!has_opt_ || left() < kOptionFront + kErrorCode + error_text_.size()) return;
  error_ = error;
  reserved_ = opt_size();
}

void MessageWriter::tell_source(std::string_view text) {
  if (source_size_ == 0) add_source(text);
}

void MessageWriter::add_source(std::string_view text) {
  constexpr std::string_view kThen = ", then ";
  if (!wants_source_) return;
  const std::string_view between = source_size_ == 0 ? std::string_view() : kThen;
  const std::size_t size = between.size() + text.size();
  const std::size_t front = source_size_ == 0 ? kOptionFront : 0;
  if (kLongestSource - source_size_ < size || left() < front + size) return;
  between.copy(source_.data() + source_size_, between.size());
  text.copy(source_.data() + source_size_ + between.size(), text.size());
  source_size_ += size;
  reserved_ = opt_size();
}

std::size_t MessageWriter::opt_size() const {
  std::size_t size = kOptFront;
  if (error_) size += kOptionFront + kErrorCode + error_text_.size();
  if (!server_.server_id.empty()) size += kOptionFront + server_.server_id.size();
  if (server_.idle_deciseconds) size += kOptionFront + kIdleTime;
  if (source_size_ != 0) size += kOptionFront + source_size_;
  return size;
}

void MessageWriter::append_opt(Rcode rcode) {
  const std::uint32_t extended = static_cast<std::uint32_t>(rcode) >> 4U << 24U;
  append(std::string_view("\0", 1));
  append_word(static_cast<std::uint16_t>(RecordType::kOpt));
  append_word(offered_size_);
  append_number(extended | (dnssec_ok_ ? kDnssecOk : 0));
  append_word(static_cast<std::uint16_t>(opt_size() - kOptFront));
  const auto option = [&](EdnsOption code, std::size_t size) {
    append_word(static_cast<std::uint16_t>(code));
    append_word(static_cast<std::uint16_t>(size));
  };
  if (error_) {
    option(EdnsOption::kExtendedError, kErrorCode + error_text_.size());
    append_word(static_cast<std::uint16_t>(*error_));
    append(error_text_);
  }
  if (!server_.server_id.empty()) {
    option(EdnsOption::kNameServerId, server_.server_id.size());
    append(server_.server_id);
  }
  if (server_.idle_deciseconds) {
    option(EdnsOption::kTcpKeepalive, kIdleTime);
    append_word(*server_.idle_deciseconds);
  }
  if (source_size_ != 0) {
    option(EdnsOption::kSource, source_size_);
    append(source());
  }
  ++counts_[static_cast<unsigned>(Section::kAdditional)];
}

std::size_t MessageWriter::finish(Header header) {
  reserved_ = 0;
  if (has_opt_) append_opt(header.rcode);
  CHECK(!overflow_);
  header.truncated = truncated_;
  header.questions = questions_;
  header.answers = counts_[0];
  header.authorities = counts_[1];
  header.additionals = counts_[2];
  header.write(room_.data());
  return size_;
}

std::size_t udp_limit(const Query& query) {
  return query.edns ? std::min<std::size_t>(query.edns->udp_size, kUdpSize) : kPlainUdpSize;
}

Header reply_header(const Query& query, Rcode rcode) {
  return {.id = query.header.id,
          .is_response = true,
          .opcode = query.header.opcode,
          .recursion_desired = query.header.recursion_desired,
          .recursion_available = true,
          .checking_disabled = query.header.checking_disabled,
          .rcode = rcode};
}

}  // namespace weft::dns
