// What an upstream sends, behind a byte that says how it is handed on: whatever is taken in becomes
// a message that reads well and is no larger than it may be, under its own name and under another.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dns/message_reader.h"
#include "dns/message_writer.h"
#include "dns/query.h"
#include "dns/reply.h"

using namespace weft::dns;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool reads_well(std::string_view message) {
  auto reader = MessageReader::open(message);
  if (!reader) return false;
  while (const auto record = reader->next()) static_cast<void>(to_text(message, *record));
  return reader->is_whole();
}

// The answer to who asks the question that `name` and the reply's type make.
template <class Write>
void hand_on(const Reply& reply, std::string_view question, std::size_t limit, Write write) {
  Query query;
  query.question = question;
  query.name = question.substr(0, question.size() - 4);
  query.type = reply.question_type();
  query.edns = Edns{.udp_size = kUdpSize};
  static std::array<char, kLargestMessage> room;
  MessageWriter writer(room, limit);
  writer.begin(query);
  write(writer);
  const std::size_t size = writer.finish(reply_header(query, reply.rcode()));
  require(size <= limit);
  require(reads_well({room.data(), size}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned how = data[0];
  static Reply reply;
  if (!reply.read({reinterpret_cast<const char*>(data + 1), size - 1})) return 0;
  const std::size_t limit = (how & 1U) != 0 ? kLargestMessage : kPlainUdpSize;
  Reply::Manner manner{.age = how, .least_ttl = how & 2U, .most_ttl = 3600};
  if ((how & 4U) != 0) manner.turn = how;
  hand_on(reply, reply.question(), limit,
          [&](MessageWriter& writer) { reply.write(writer, manner); });
  const std::string other = std::string("\5other\0\0\1\0\1", 11);
  hand_on(reply, other, limit, [&](MessageWriter& writer) {
    reply.write_renamed(writer, manner, reply.question_name(),
                        std::string_view(other).substr(0, 7));
  });
  static_cast<void>(reply.shortest_ttl());
  static_cast<void>(reply.denial_ttl());
  return 0;
}
