// packets.h: DNS messages for tests, byte by byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dns/bytes.h"
#include "dns/header.h"
#include "dns/message_reader.h"
#include "dns/name.h"

namespace weft::dns::test {

inline std::string word(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value)};
}

inline std::string header(const Header& fields) {
  std::string bytes(kHeaderSize, '\0');
  fields.write(bytes.data());
  return bytes;
}

inline std::string question(std::string_view name, RecordType type, unsigned record_class = 1) {
  return std::string(Name::parse(name)->wire()) + word(static_cast<unsigned>(type)) +
         word(record_class);
}

/// An OPT record.
struct Opt {
  unsigned udp_size = 1232;
  unsigned version = 0;
  bool dnssec_ok = false;
  std::string options = {};
  std::string bytes() const {
    return std::string(1, '\0') + word(41) + word(udp_size) + word(version) +
           word(dnssec_ok ? 0x8000U : 0U) + word(static_cast<unsigned>(options.size())) + options;
  }
};

inline std::string option(unsigned code, std::string_view data) {
  return word(code) + word(static_cast<unsigned>(data.size())) + std::string(data);
}

/// A query as a stub resolver sends it.
inline std::string query(std::string_view name, RecordType type, std::uint16_t id = 7) {
  return header({.id = id, .recursion_desired = true, .questions = 1}) + question(name, type);
}
inline std::string edns_query(std::string_view name, RecordType type, const Opt& opt = {}) {
  return header({.id = 7, .recursion_desired = true, .questions = 1, .additionals = 1}) +
         question(name, type) + opt.bytes();
}

/// A query that asks where its answer comes from.
inline std::string source_query(std::string_view name, RecordType type) {
  return edns_query(name, type,
                    {.options = option(static_cast<unsigned>(EdnsOption::kSource), {})});
}

/// What the answer says of that; nothing where it does not.
inline std::optional<std::string> source_of(std::string_view message) {
  auto reader = MessageReader::open(message);
  while (const auto record = reader ? reader->next() : std::nullopt) {
    if (record->type != RecordType::kOpt) continue;
    for (std::string_view data = record->data; data.size() >= 4;) {
      const std::size_t size = word_at(data, 2);
      if (static_cast<EdnsOption>(word_at(data, 0)) == EdnsOption::kSource)
        return std::string(data.substr(4, size));
      data.remove_prefix(4 + size);
    }
  }
  return std::nullopt;
}

/// A message as text: its rcode and flags, then a line for each record but OPT.
inline std::string text_of(std::string_view message) {
  auto reader = MessageReader::open(message);
  if (!reader) return "no message";
  std::string text = to_string(reader->header().rcode);
  if (reader->header().authoritative) text += " aa";
  if (reader->header().truncated) text += " tc";
  constexpr const char* kMarks[] = {"", "auth ", "add "};
  while (const auto record = reader->next()) {
    if (record->type == RecordType::kOpt) continue;
    text += "\n";
    text += kMarks[static_cast<unsigned>(record->section)] + to_text(message, *record);
  }
  return reader->is_whole() ? text : text + "\nbroken";
}

}  // namespace weft::dns::test
