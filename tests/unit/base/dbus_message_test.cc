#include "base/dbus_message.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

// What dbus-daemon answered to NameHasOwner: a boolean, with the sender's and our names.
std::string answer() {
  constexpr unsigned char kBytes[] = {
      'l', 2,   1,   1,   4,   0,   0,   0,   3,   0,   0,   0,   61,  0,   0,   0,    // header
      6,   1,   's', 0,   6,   0,   0,   0,   ':', '1', '.', '1', '0', '4', 0,   0,    // to us
      5,   1,   'u', 0,   7,   0,   0,   0,                                            // serial 7
      8,   1,   'g', 0,   1,   'b', 0,   0,                                            // signature
      7,   1,   's', 0,   20,  0,   0,   0,   'o', 'r', 'g', '.', 'f', 'r', 'e', 'e',  // sender
      'd', 'e', 's', 'k', 't', 'o', 'p', '.', 'D', 'B', 'u', 's', 0,   0,   0,   0,    // padding
      1,   0,   0,   0,                                                                // true
  };
  return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};
}

TEST(DbusMessage, AnAnswerIsRead) {
  EXPECT_EQ(dbus_message_size(answer()), answer().size());
  EXPECT_EQ(decode_dbus_message(answer()),
            (DbusMessage{.type = DbusMessage::Type::kReturn, .reply_serial = 7, .truth = true}));
}

TEST(DbusMessage, NothingThatIsCutOffIsRead) {
  const std::string whole = answer();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(decode_dbus_message(whole.substr(0, size)), std::nullopt) << size;
  EXPECT_EQ(dbus_message_size(whole.substr(0, 15)), std::nullopt);
}

TEST(DbusMessage, OtherOrdersVersionsAndSizesAreNoMessage) {
  for (const auto& [at, value] : {std::pair{0, 'B'}, {3, '\2'}, {7, '\1'}, {15, '\1'}}) {
    std::string bytes = answer();
    bytes[static_cast<std::size_t>(at)] = value;
    EXPECT_EQ(dbus_message_size(bytes), 0U) << at;
  }
}

TEST(DbusMessage, ACallIsOneWholeMessage) {
  const std::string call = encode_dbus_call({.destination = "org.example",
                                             .path = "/org/example",
                                             .interface = "org.example.zone",
                                             .member = "addSource",
                                             .arguments = {"trusted", "10.1.2.3/32"}},
                                            9);
  EXPECT_EQ(dbus_message_size(call), call.size());
  const auto read = decode_dbus_message(call);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, DbusMessage::Type::kCall);
  EXPECT_EQ(read->text, "trusted");
}

}  // namespace
}  // namespace weft
