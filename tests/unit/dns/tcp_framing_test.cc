#include "dns/tcp_framing.h"

#include <algorithm>
#include <functional>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

std::string framed(const std::string& message) {
  return test::word(static_cast<unsigned>(message.size())) + message;
}

// The messages out of a stream that arrives in the given pieces.
std::vector<std::string> messages_of(const std::string& stream,
                                     const std::function<std::size_t()>& next_piece,
                                     bool* inside = nullptr) {
  TcpFraming framing;
  std::vector<std::string> messages;
  std::size_t at = 0;
  while (at < stream.size()) {
    const auto room = framing.room();
    EXPECT_FALSE(room.empty());
    const std::size_t size = std::min({next_piece(), room.size(), stream.size() - at});
    std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>(at), size, room.begin());
    framing.filled(size);
    at += size;
    while (const auto message = framing.next()) messages.emplace_back(*message);
  }
  if (inside != nullptr) *inside = framing.is_inside();
  return messages;
}

TEST(TcpFraming, AnyCutGivesTheSameMessages) {
  const std::vector<std::string> messages = {"", "a", std::string(300, 'b'),
                                             std::string(65535, 'c'), "d"};
  std::string stream;
  for (const auto& message : messages) stream += framed(message);
  EXPECT_EQ(messages_of(stream, [] { return 1; }), messages);
  EXPECT_EQ(messages_of(stream, [] { return 100'000; }), messages);
  std::mt19937 random(3);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(messages_of(stream, [&] { return 1 + random() % 5000; }), messages);
}

TEST(TcpFraming, KnowsWhetherAMessageHasBegun) {
  const auto is_inside = [](const std::string& stream) {
    bool inside = false;
    messages_of(
        stream, [] { return 100; }, &inside);
    return inside;
  };
  EXPECT_FALSE(is_inside(framed("abc")));
  EXPECT_TRUE(is_inside(std::string(1, '\0')));
  EXPECT_TRUE(is_inside(framed("abc") + framed("def").substr(0, 4)));
}

}  // namespace
}  // namespace weft::dns
