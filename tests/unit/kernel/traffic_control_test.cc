#include "kernel/traffic_control.h"

#include <gtest/gtest.h>

namespace weft::kernel {
namespace {

// What the kernel says about an object is laid out as the request that makes it.
Message message_of(std::string_view bytes) {
  Message message;
  EXPECT_TRUE(take_message(bytes, message));
  return message;
}

TEST(TrafficControlCodec, QdiscsAndRedirectsRoundTrip) {
  for (const std::uint64_t rate : {1ULL, 4294967295ULL, 4294967296ULL, 12500000000ULL}) {
    const Qdisc qdisc{.link = LinkIndex{7},
                      .handle = TcHandle::kFirst,
                      .kind = "tbf",
                      .token_bucket = TokenBucket{.rate = rate, .limit = 2, .buffer = 3}};
    EXPECT_EQ(decode_qdisc(message_of(encode_new_qdisc(qdisc).message())), qdisc);
  }
  const RedirectFilter filter{.link = LinkIndex{7}, .target = LinkIndex{9}};
  EXPECT_EQ(decode_redirect(message_of(encode_redirect(filter).message())), filter);
}

// Cut anywhere, a message is read as less or as nothing, but never past its end.
TEST(TrafficControlCodec, TruncatedMessagesAreReadWithinTheirBounds) {
  const Request requests[] = {
      encode_new_qdisc({.link = LinkIndex{7}, .kind = "tbf", .token_bucket = TokenBucket{}}),
      encode_redirect({.link = LinkIndex{7}, .target = LinkIndex{9}})};
  for (const Request& request : requests) {
    const Message whole = message_of(request.message());
    for (std::size_t length = 0; length < whole.payload.size(); ++length) {
      const std::string payload(whole.payload.substr(0, length));
      const Message cut{.header = whole.header, .payload = payload};
      const auto qdisc = decode_qdisc(cut);
      EXPECT_TRUE(!qdisc || !qdisc->token_bucket);
      EXPECT_FALSE(decode_redirect(cut));
    }
  }
}

}  // namespace
}  // namespace weft::kernel
