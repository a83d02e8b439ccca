#include "store/kube_stream.h"

#include <cerrno>

#include "base/json.h"
#include "base/json_cursor.h"
#include "base/text.h"

namespace weft {
namespace {

// etcd refuses objects of more than 1.5 MB.
constexpr std::size_t kLargestObject = 8U << 20U;
constexpr std::size_t kLargestShell = 1U << 20U;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int number_of(int status) {
  switch (status) {
    case 401:
      return EACCES;
    case 403:
      return EPERM;
    case 404:
      return ENOENT;
    case 409:
      return EEXIST;
    case 410:
      return ESTALE;
    case 429:
      return EAGAIN;
    default:
      return 0;
  }
}

std::string next_step(int status) {
  if (status == 401) return "check that the token or the client certificate is valid and renewed";
  if (status == 403) return "check the ClusterRole and its binding";
  return "";
}

std::string message_of(std::string_view body) {
  std::string message;
  JsonCursor json(body);
  json.object([&](std::string_view name) {
    if (name == "message")
      message = json.string().value_or("");
    else
      json.skip();
  });
  // Others' words in a log line.
  for (char& c : message)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return json.at_end() ? message.substr(0, 300) : "";
}

}  // namespace

Failure kube_refusal(const std::string& tried, int status, std::string_view body) {
  std::string words = message_of(body);
  if (words.empty()) words = "status " + std::to_string(status);
  if (status == 401) words += " (the credentials are not accepted)";
  return Failure(
      Error{.what = tried + ": " + words, .next = next_step(status), .number = number_of(status)});
}

Result<KubeMeta> read_kube_meta(std::string_view object) {
  KubeMeta meta;
  JsonCursor json(object);
  json.object([&](std::string_view name) {
    if (name != "metadata") return (void)json.skip();
    json.object([&](std::string_view member) {
      if (member == "namespace")
        meta.ns = json.string().value_or("");
      else if (member == "name")
        meta.name = json.string().value_or("");
      else if (member == "resourceVersion")
        meta.version = json.string().value_or("");
      else
        json.skip();
    });
    if (json.ok()) json.leave();
  });
  if (!json.at_end()) return fail("an object that is no JSON: " + shown(object));
  return meta;
}

// Up to the next character that means something: most of a list is inside of strings.
std::size_t KubeListDecoder::take_run(std::string_view bytes) {
  static constexpr CharacterSet kInString("\"\\");
  static constexpr CharacterSet kOutside("\"{}[], \t\r\n");
  const auto stop = (in_string_ ? kInString : kOutside).find_in(bytes);
  const auto length = stop == std::string_view::npos ? bytes.size() : stop;
  target().append(bytes.substr(0, length));
  return length;
}

Status KubeListDecoder::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!escaped_) bytes.remove_prefix(take_run(bytes));
    if (object_.size() > kLargestObject) return fail("a list with an item of more than 8 MB");
    if (shell_.size() > kLargestShell)
      return fail("an answer that is no list of objects: " + shown(shell_));
    if (bytes.empty()) break;
    RETURN_IF_ERROR(take(bytes[0]));
    bytes.remove_prefix(1);
  }
  return {};
}

// One character that may mean something.
Status KubeListDecoder::take(char c) {
  if (in_string_) {
    target().push_back(c);
    if (c == '"' && !escaped_) in_string_ = false;
    escaped_ = c == '\\' && !escaped_;
    return {};
  }
  if (is_blank(c)) return {};
  if (in_items_ && depth_ == 2 && c == ',') return {};
  if (in_items_ && depth_ == 2 && c != '{' && c != ']')
    return fail("a list with an item that is no object");
  if (c == '{' || c == '[') ++depth_;
  target().push_back(c);
  if (c == '"') in_string_ = true;
  if (c == '[' && depth_ == 2)
    in_items_ = shell_.ends_with("{\"items\":[") || shell_.ends_with(",\"items\":[");
  if (c != '}' && c != ']') return {};
  if (--depth_ < 0) return fail("a list with a bracket too many");
  if (!in_items_ || depth_ > 2) return {};
  if (depth_ < 2) {
    in_items_ = false;
    return {};
  }
  const Status taken = item_(object_);
  object_.clear();
  return taken;
}

Result<KubeListDecoder::End> KubeListDecoder::finish() const {
  const auto list = parse_json(shell_);
  if (!list || !list->is_object())
    return fail("an answer that is no list of objects: " + shown(shell_));
  std::string kind;
  End end;
  ObjectReader reader(*list, "a list");
  reader.read("kind", kind);
  const Json* metadata = reader.object("metadata");
  const Json* items = reader.array("items");
  // An empty list may say null.
  const bool has_items = items != nullptr || find_member(*list, "items") != nullptr;
  RETURN_IF_ERROR(reader.finish());
  // Every object was taken out of it.
  if (items != nullptr && !items->empty()) return fail("a list with an item that is no object");
  if (!kind.ends_with("List") || metadata == nullptr || !has_items)
    return fail("an answer that is no list but of the kind " + shown(kind));
  ObjectReader metadata_reader(*metadata, "a list's metadata");
  metadata_reader.read("resourceVersion", end.version);
  metadata_reader.read("continue", end.continuation);
  RETURN_IF_ERROR(metadata_reader.finish());
  if (end.version.empty()) return fail("a list without a resourceVersion");
  return end;
}

Result<KubeWatchEvent> parse_kube_watch_event(std::string_view line) {
  KubeWatchEvent event;
  std::string type;
  JsonCursor json(line);
  json.object([&](std::string_view name) {
    if (name == "type")
      type = json.string().value_or("");
    else if (name == "object")
      event.object = json.skip();
    else
      json.skip();
  });
  if (!json.at_end() || event.object.empty())
    return fail("a watch event that cannot be read: " + shown(line));
  if (type == "ADDED" || type == "MODIFIED")
    event.type = KubeWatchEvent::Type::kPut;
  else if (type == "DELETED")
    event.type = KubeWatchEvent::Type::kRemoved;
  else if (type == "BOOKMARK")
    event.type = KubeWatchEvent::Type::kBookmark;
  else if (type == "ERROR")
    event.type = KubeWatchEvent::Type::kError;
  else
    return fail("a watch event of the type " + shown(type));
  return event;
}

Failure kube_watch_error(std::string_view status_object) {
  int code = 0;
  JsonCursor json(status_object);
  json.object([&](std::string_view name) {
    const auto value = json.skip();
    if (name == "code") code = value == "410" ? 410 : 500;
  });
  return kube_refusal("the watch was ended", code, status_object);
}

Status KubeLines::feed(std::string_view bytes,
                       const std::function<Status(std::string_view)>& line) {
  for (;;) {
    const auto end = bytes.find('\n');
    if (rest_.size() + std::min(end, bytes.size()) > kLargestObject)
      return fail("a watch event of more than 8 MB");
    if (end == std::string_view::npos) break;
    std::string_view whole = bytes.substr(0, end);
    if (!rest_.empty()) whole = rest_.append(whole);
    if (whole.find_first_not_of(" \t\r") != std::string_view::npos) RETURN_IF_ERROR(line(whole));
    rest_.clear();
    bytes.remove_prefix(end + 1);
  }
  rest_.append(bytes);
  return {};
}

}  // namespace weft
