// What a hostile API server may send as a list or a watch stream, and a hostile node as its Node.
// The first byte says where the bytes are cut in two: whole or in pieces, it has to come to the
// same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "cluster/node.h"
#include "store/kube_stream.h"

namespace {

using namespace weft;

struct Read {
  bool good = false;
  KubeListDecoder::End end;
  std::vector<std::string> items;
  bool operator==(const Read&) const = default;
};

Read read_list(const std::vector<std::string_view>& pieces) {
  Read read;
  KubeListDecoder decoder([&](std::string_view item) -> Status {
    read.items.emplace_back(item);
    return {};
  });
  for (const auto piece : pieces)
    if (!decoder.feed(piece)) return {};
  const auto end = decoder.finish();
  if (!end) return {};
  read.good = true;
  read.end = *end;
  return read;
}

std::vector<std::string> read_watch(const std::vector<std::string_view>& pieces) {
  std::vector<std::string> read;
  KubeFrames frames;
  for (const auto piece : pieces)
    if (!frames.feed(piece, [&](std::string_view frame) -> Status {
          read.emplace_back(frame);
          return {};
        }))
      break;
  return read;
}

void use_object(std::string_view object) {
  (void)read_kube_meta(object);
  const auto node = Node::parse(object, {});
  if (!node) return;
  const auto lease = lease_of_node(*node);
  if (lease && *lease) CHECK((*lease)->attributes.backend_data.size() <= 4096);
  if (!lease) CHECK(lease.error().what.size() < 1000);
  // What is written once is not written again.
  Node written = *node;
  const LeaseAttributes own{.public_ipv4 = IpAddress::v4(0xc0000201), .backend_type = "vxlan"};
  for (const auto& [suffix, text] : annotation_edits(written, own, false))
    written.annotations[suffix] = text;
  CHECK(annotation_edits(written, own, false).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string_view front = std::string_view(text).substr(0, data[0] % (text.size() + 1));
  const std::string_view rest = std::string_view(text).substr(front.size());
  const Read list = read_list({text});
  CHECK(read_list({front, rest}) == list);
  for (const auto& item : list.items) use_object(item);
  const auto frames = read_watch({text});
  CHECK(read_watch({front, rest}) == frames);
  for (const auto& frame : frames) {
    const auto event = parse_kube_watch_event(frame);
    if (!event) continue;
    CHECK(kube_watch_error(event->object).value().what.size() < 1000);
    use_object(event->object);
  }
  use_object(text);
  (void)kube_refusal("fuzz", {.status = 403, .body = text, .content_type = kKubeProtobuf});
  return 0;
}
