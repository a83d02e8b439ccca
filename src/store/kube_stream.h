// kube_stream.h: the API's lists and watch streams, cut into single objects as they come in.
//
// A list of 5,000 Nodes is 57 MB. Here one object at a time is in memory, as a message; a decoder
// of its kind takes from it what is wanted (base/protobuf.h). Pure.
//
// Source: kubernetes.io/docs/reference/using-api/api-concepts (Kubernetes Protobuf encoding);
// k8s.io/apimachinery/pkg/util/framer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/protobuf.h"
#include "base/result.h"
#include "store/kube_message.h"

namespace weft {

/// etcd refuses objects of more than 1.5 MB; more than this is none.
constexpr std::size_t kLargestKubeObject = 8U << 20U;

/// Cuts one list into its items. Whole only when finish() says so.
class KubeListDecoder {
 public:
  using Item = std::function<Status(std::string_view object)>;

  /// `item` gets the message of each item, which is not looked into; its Error ends the reading.
  explicit KubeListDecoder(Item item) : item_(std::move(item)) {}

  /// Takes the next piece. After an Error the decoder is not to be used again.
  Status feed(std::string_view bytes);

  struct End {
    std::string version;       ///< resourceVersion of the list: where a watch goes on
    std::string continuation;  ///< how to ask for the next page; empty after the last
    bool operator==(const End&) const = default;
  };
  /// REQUIRES that everything was fed. An Error when it was no list or half of one.
  Result<End> finish() const;

 private:
  bool in_list() const { return list_left_.value_or(0) != 0; }
  void next_field();
  Status take();
  Status take_magic();
  Status begin_list(std::uint64_t size);
  Status take_around_list(std::uint32_t number, std::string_view value);
  Status take_of_list(std::uint32_t number, std::string_view value);

  Item item_;
  std::string waiting_;                     // what is there of the next field
  std::size_t wanted_ = kKubeMagic.size();  // so much of it must be there for the next step
  bool begun_ = false;                      // the magic bytes are there
  std::optional<std::uint64_t> list_left_;  // what the list has yet to bring, once it has begun
  std::string kind_;
  End end_;
};

/// Cuts a watch stream into its frames: four bytes with the length, the highest first, and that
/// many bytes.
class KubeFrames {
 public:
  /// Calls `frame` for each frame that is complete now; its Error ends the reading.
  Status feed(std::string_view bytes, const std::function<Status(std::string_view)>& frame);

 private:
  std::string waiting_;
};

}  // namespace weft
