#include "store/kube_stream.h"

#include <gtest/gtest.h>

#include "support/kube_messages.h"

namespace weft {
namespace {

using namespace std::string_literals;
using test::kube_body;
using test::kube_list;

// The empty fields behind the list itself.
constexpr std::size_t kBehind = 4;

std::string two_items() {
  return kube_list({"one", std::string(300, 'x')}, "12", "x==");
}

struct Read {
  Status fed;
  Result<KubeListDecoder::End> end;
  std::vector<std::string> items;
};

Read read(std::string_view text, std::size_t step) {
  Read result{.fed = {}, .end = KubeListDecoder::End{}, .items = {}};
  KubeListDecoder decoder([&](std::string_view item) -> Status {
    result.items.emplace_back(item);
    return {};
  });
  for (std::size_t at = 0; at < text.size() && result.fed; at += step)
    result.fed = decoder.feed(text.substr(at, step));
  result.end = decoder.finish();
  return result;
}

// "items", or what is wrong.
std::string outcome(std::string_view text) {
  const Read list = read(text, 1000);
  if (!list.fed) return list.fed.error().what;
  if (!list.end) return list.end.error().what;
  return std::to_string(list.items.size()) + " items";
}

TEST(KubeListDecoder, CutsAListInPiecesOfAnySize) {
  const std::string whole = two_items();
  for (std::size_t step = 1; step <= whole.size(); ++step) {
    const Read list = read(whole, step);
    ASSERT_TRUE(list.fed && list.end) << step;
    EXPECT_EQ(*list.end, (KubeListDecoder::End{"12", "x=="}));
    EXPECT_EQ(list.items, (std::vector<std::string>{"one", std::string(300, 'x')}));
  }
}

TEST(KubeListDecoder, EveryHalfOfAListIsAnError) {
  const std::string whole = two_items();
  for (std::size_t size = 0; size < whole.size() - kBehind; ++size) {
    const Read list = read(std::string_view(whole).substr(0, size), 7);
    EXPECT_FALSE(list.fed && list.end) << size;
  }
}

TEST(KubeListDecoder, WhatIsNoListIsAnError) {
  const std::string empty = kube_list({}, "1");
  EXPECT_EQ(outcome(empty), "0 items");
  const std::string magic(kKubeMagic);
  struct Case {
    std::string text;
    const char* because;
  };
  for (const auto& [text, because] : std::vector<Case>{
           {"", "no list"},
           {"<html><body>502 Bad Gateway</body></html>", "begins with \"<htm\""},
           {R"({"kind":"NodeList"})", "begins with"},
           {magic, "no list"},
           {magic + "<html>", "no protobuf message"},
           {kube_body("Status", test::kube_status(500, "no")), "of the kind \"Status\""},
           {kube_body("Node", "x"), "of the kind \"Node\""},
           {magic + "\x12\x02\x0a\x00"s, "of the kind \"\""},
           {kube_body("NodeList", ""), "without a resourceVersion"},
           {kube_list({}, ""), "without a resourceVersion"},
           {kube_list({"x"}, ""), "without a resourceVersion"},
           {kube_body("NodeList", "\x10\x01"s), "another type than expected"},
           {kube_body("NodeList", "\x12\x05one"s), "longer than it"},
           {kube_body("NodeList", "\x0a\x03\x12\x05x"s), "no protobuf message"},
           {empty + "x", "within its list"},
           {empty + empty.substr(magic.size()), "two lists"}})
    EXPECT_NE(outcome(text).find(because), std::string::npos) << because << ": " << outcome(text);
}

TEST(KubeListDecoder, AnAbsurdLengthIsRefusedBeforeItsBytesCome) {
  for (const std::string& length : {"\x81\x80\x80\x04"s, "\xff\xff\xff\xff\x0f"s,
                                    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s}) {
    // The list itself may be of any length.
    const std::string list = std::string(kKubeMagic) + "\x0a\x0b" + test::kube_pair("v1", "XList") +
                             "\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + "\x12" + length;
    EXPECT_NE(outcome(list).find("more than 8 MB"), std::string::npos) << outcome(list);
  }
}

TEST(KubeListDecoder, AnErrorOfTheReceiverEndsTheReading) {
  KubeListDecoder decoder([](std::string_view) -> Status { return fail("enough"); });
  const Status fed = decoder.feed(two_items());
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().what, "enough");
}

TEST(KubeFrames, GivesWholeFramesOnly) {
  const std::string text = test::kube_frame("one") + test::kube_frame("") +
                           test::kube_frame(std::string(300, 'x')) +
                           test::kube_frame("four").substr(0, 6);
  for (std::size_t step = 1; step <= text.size(); ++step) {
    KubeFrames frames;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < text.size(); at += step)
      ASSERT_TRUE(frames.feed(std::string_view(text).substr(at, step),
                              [&](std::string_view frame) -> Status {
                                got.emplace_back(frame);
                                return {};
                              }));
    EXPECT_EQ(got, (std::vector<std::string>{"one", "", std::string(300, 'x')})) << step;
  }
}

TEST(KubeFrames, AnAbsurdLengthIsRefused) {
  for (const std::string& text : {"\xff\xff\xff\xff"s, "<html>oops</html>"s, "\x00\x80\x00\x01"s}) {
    KubeFrames frames;
    const Status fed = frames.feed(text, [](std::string_view) -> Status { return {}; });
    ASSERT_FALSE(fed);
    EXPECT_NE(fed.error().what.find("more than 8 MB"), std::string::npos) << fed.error().what;
  }
}

}  // namespace
}  // namespace weft
