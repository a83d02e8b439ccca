// A watch stream of a hostile etcd. The first byte says where the stream is cut in two: whole
// or in pieces, it has to give the same messages or the same refusal.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "store/etcd_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t cut = data[0] % (stream.size() + 1);
  EtcdWatchDecoder whole;
  const auto expected = whole.feed(stream);
  EtcdWatchDecoder pieces;
  auto first = pieces.feed(stream.substr(0, cut));
  if (!first) {
    CHECK(!expected);
    return 0;
  }
  const auto second = pieces.feed(stream.substr(cut));
  CHECK(second.has_value() == expected.has_value());
  if (!expected) return 0;
  first->insert(first->end(), second->begin(), second->end());
  CHECK(*first == *expected);
  return 0;
}
