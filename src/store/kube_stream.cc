#include "store/kube_stream.h"

#include "base/json.h"
#include "cluster/kube_fields.h"

namespace weft {
namespace {

constexpr std::size_t kShortestPrefix = 2;
constexpr std::size_t kFrameLength = 4;

// Moves bytes until `waiting` has `wanted` of them; whether it has.
bool fill(std::string& waiting, std::size_t wanted, std::string_view& bytes) {
  if (waiting.size() < wanted) {
    const auto piece = bytes.substr(0, wanted - waiting.size());
    waiting.reserve(wanted);
    waiting.append(piece);
    bytes.remove_prefix(piece.size());
  }
  return waiting.size() >= wanted;
}

Status check_size(const std::string& what, std::uint64_t size) {
  if (size <= kLargestKubeObject) return {};
  return fail(what + " of " + std::to_string(size) + " bytes, more than 8 MB");
}

}  // namespace

Status KubeListDecoder::feed(std::string_view bytes) {
  while (!bytes.empty())
    if (fill(waiting_, wanted_, bytes)) RETURN_IF_ERROR(take());
  return {};
}

// The step to which the waiting bytes suffice: the magic bytes, a prefix, or a whole field.
Status KubeListDecoder::take() {
  if (!begun_) return take_magic();
  ASSIGN_OR_RETURN(const auto prefix, read_protobuf_prefix(waiting_));
  if (!prefix) {
    ++wanted_;
    return {};
  }
  if (!in_list() && prefix->number == kube::unknown::kRaw) return begin_list(prefix->length);
  RETURN_IF_ERROR(check_size("a list with an item", prefix->length));
  wanted_ = prefix->size + static_cast<std::size_t>(prefix->length);
  if (in_list() && wanted_ > *list_left_) return fail("a list with an item that is longer than it");
  if (waiting_.size() < wanted_) return {};
  const auto value = std::string_view(waiting_).substr(prefix->size);
  if (in_list()) {
    *list_left_ -= wanted_;
    RETURN_IF_ERROR(take_of_list(prefix->number, value));
  } else {
    RETURN_IF_ERROR(take_around_list(prefix->number, value));
  }
  next_field();
  return {};
}

void KubeListDecoder::next_field() {
  waiting_.clear();
  wanted_ = kShortestPrefix;
}

Status KubeListDecoder::take_magic() {
  if (waiting_ != kKubeMagic)
    return fail("an answer that is no object of Kubernetes but begins with " + shown(waiting_));
  begun_ = true;
  next_field();
  return {};
}

Status KubeListDecoder::begin_list(std::uint64_t size) {
  if (list_left_) return fail("an answer with two lists");
  if (!kind_.ends_with("List"))
    return fail("an answer that is no list but of the kind " + shown(kind_));
  list_left_ = size;
  next_field();
  return {};
}

Status KubeListDecoder::take_around_list(std::uint32_t number, std::string_view value) {
  if (number == kube::unknown::kTypeMeta) {
    ASSIGN_OR_RETURN(kind_, read_kube_kind(value));
  }
  return {};
}

Status KubeListDecoder::take_of_list(std::uint32_t number, std::string_view value) {
  if (number == kube::list::kItems) return item_(value);
  if (number != kube::list::kMetadata) return {};
  return read_protobuf(value, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::list_meta::kResourceVersion) end_.version = field.text();
    if (field.number == kube::list_meta::kContinue) end_.continuation = field.text();
    return {};
  });
}

Result<KubeListDecoder::End> KubeListDecoder::finish() const {
  if (!list_left_) return fail("an answer that is no list, or ends before it");
  if (*list_left_ != 0 || !waiting_.empty()) return fail("an answer that ends within its list");
  if (end_.version.empty()) return fail("a list without a resourceVersion");
  return end_;
}

Status KubeFrames::feed(std::string_view bytes,
                        const std::function<Status(std::string_view)>& frame) {
  while (fill(waiting_, kFrameLength, bytes)) {
    std::uint64_t length = 0;
    for (const char c : std::string_view(waiting_).substr(0, kFrameLength))
      length = length << 8U | static_cast<unsigned char>(c);
    RETURN_IF_ERROR(check_size("a watch event", length));
    if (!fill(waiting_, kFrameLength + static_cast<std::size_t>(length), bytes)) return {};
    RETURN_IF_ERROR(frame(std::string_view(waiting_).substr(kFrameLength)));
    waiting_.clear();
  }
  return {};
}

}  // namespace weft
