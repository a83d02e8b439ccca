// kube_stream.h: the API's lists and watch streams, cut into single objects as they come in.
//
// A list of 5,000 Nodes is 75 MB of JSON. Here one object at a time is in memory, as text; a
// decoder of its kind takes from it what is wanted (base/json_cursor.h). Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft {

/// The members of metadata that any object has.
struct KubeMeta {
  std::string ns = {};  ///< its namespace; empty for a Node
  std::string name = {};
  std::string version = {};
  bool operator==(const KubeMeta&) const = default;
};
/// Of an object whose brackets have been checked: nothing behind its metadata is read. An Error
/// where there is no object.
Result<KubeMeta> read_kube_meta(std::string_view object);

/// Cuts one list into its items. Whole only when finish() says so.
class KubeListDecoder {
 public:
  using Item = std::function<Status(std::string_view object)>;

  /// `item` gets the text of each item, checked for its brackets only; its Error ends the
  /// reading.
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
  Status take(char c);
  std::size_t take_run(std::string_view bytes);
  std::string& target() { return depth_ >= 3 ? object_ : shell_; }

  Item item_;
  std::string shell_;   // the list without its items
  std::string object_;  // the beginning of an item
  int depth_ = 0;
  bool in_items_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
};

struct KubeWatchEvent {
  enum class Type { kPut, kRemoved, kBookmark, kError };
  Type type = Type::kPut;
  std::string_view object = {};
};
/// One line of a watch stream. The event refers to the line.
Result<KubeWatchEvent> parse_kube_watch_event(std::string_view line);

/// A refusal in words: from the Status object in the body, or from the HTTP status alone. For its
/// number see KubeClient::call().
Failure kube_refusal(const std::string& tried, int status, std::string_view body);

/// What an event of type ERROR says; its number is ESTALE when the version is too old (410).
Failure kube_watch_error(std::string_view status_object);

/// Cuts a watch stream into its lines.
class KubeLines {
 public:
  /// Calls `line` for each line that is complete now; its Error ends the reading.
  Status feed(std::string_view bytes, const std::function<Status(std::string_view)>& line);

 private:
  std::string rest_;
};

}  // namespace weft
