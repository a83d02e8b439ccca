#include "store/etcd_message.h"

#include <charconv>

#include "base/base64.h"
#include "base/text.h"

namespace weft {
namespace {

// etcd refuses requests of more than 1.5 MiB; one message may hold a thousand events of small
// values.
constexpr std::size_t kLongestLine = 64U << 20U;

Result<std::string> read_bytes(const Json& object, std::string_view key) {
  std::string text;
  ObjectReader reader(object, "etcd's answer");
  reader.read(key, text);
  RETURN_IF_ERROR(reader.finish());
  auto bytes = from_base64(text);
  if (!bytes) return fail("etcd's answer: " + std::string(key) + " is no base64");
  return *std::move(bytes);
}

Result<EtcdKeyValue> parse_key_value(const Json& object) {
  EtcdKeyValue kv;
  ASSIGN_OR_RETURN(kv.key, read_bytes(object, "key"));
  ASSIGN_OR_RETURN(kv.value, read_bytes(object, "value"));
  ASSIGN_OR_RETURN(kv.mod_revision, read_int64(object, "mod_revision"));
  ASSIGN_OR_RETURN(kv.lease, read_int64(object, "lease"));
  if (kv.key.empty()) return fail("etcd's answer: an entry without a key");
  return kv;
}

Result<EtcdEvent> parse_event(const Json& object) {
  EtcdEvent event;
  std::string type = "PUT";
  ObjectReader reader(object, "etcd's event");
  reader.read("type", type);
  const Json* kv = reader.object("kv");
  RETURN_IF_ERROR(reader.finish());
  if (type != "PUT" && type != "DELETE") return fail("etcd's event: unknown type");
  if (kv == nullptr) return fail("etcd's event: no kv");
  event.removed = type == "DELETE";
  ASSIGN_OR_RETURN(event.kv, parse_key_value(*kv));
  return event;
}

Result<std::int64_t> read_revision(const Json& answer) {
  ObjectReader reader(answer, "etcd's answer");
  const Json* header = reader.object("header");
  RETURN_IF_ERROR(reader.finish());
  if (header == nullptr) return fail("etcd's answer: no header");
  return read_int64(*header, "revision");
}

}  // namespace

Result<std::int64_t> read_int64(const Json& object, std::string_view key, std::int64_t fallback) {
  const Json* member = find_member(object, key);
  if (member == nullptr || member->is_null()) return fallback;
  const std::string text = member->is_string() ? member->get<std::string>() : member->dump();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail("etcd's answer: " + std::string(key) + " is no number");
  return number;
}

Result<EtcdPage> parse_etcd_page(const Json& answer) {
  EtcdPage page;
  ASSIGN_OR_RETURN(page.revision, read_revision(answer));
  ObjectReader reader(answer, "etcd's answer");
  const Json* kvs = reader.array("kvs");
  reader.read("more", page.more);
  RETURN_IF_ERROR(reader.finish());
  if (kvs == nullptr) return page;
  page.kvs.reserve(kvs->size());
  for (const auto& object : *kvs) {
    ASSIGN_OR_RETURN(auto kv, parse_key_value(object));
    page.kvs.push_back(std::move(kv));
  }
  return page;
}

Result<EtcdWatchMessage> parse_etcd_watch_message(std::string_view line) {
  ASSIGN_OR_RETURN(const Json answer, parse_json(line));
  const Json* result = find_member(answer, "result");
  if (result == nullptr || !result->is_object()) {
    const std::string words = etcd_error_words(line);
    return fail(words.empty() ? "etcd's watch sent no result" : words);
  }
  EtcdWatchMessage message;
  ASSIGN_OR_RETURN(message.revision, read_revision(*result));
  ASSIGN_OR_RETURN(message.compact_revision, read_int64(*result, "compact_revision"));
  ObjectReader reader(*result, "etcd's watch");
  reader.read("created", message.created);
  reader.read("canceled", message.canceled);
  reader.read("cancel_reason", message.cancel_reason);
  const Json* events = reader.array("events");
  RETURN_IF_ERROR(reader.finish());
  if (events == nullptr) return message;
  for (const auto& object : *events) {
    ASSIGN_OR_RETURN(auto event, parse_event(object));
    message.events.push_back(std::move(event));
  }
  return message;
}

std::string etcd_error_words(std::string_view body) {
  const auto answer = parse_json(body);
  if (!answer) return {};
  // In a stream the words are one level deeper.
  const Json* error = find_member(*answer, "error");
  const Json& holder = error != nullptr && error->is_object() ? *error : *answer;
  for (const auto* name : {"message", "error"})
    if (const Json* words = find_member(holder, name); words != nullptr && words->is_string())
      return words->get<std::string>().substr(0, 300);
  return {};
}

Result<std::vector<EtcdWatchMessage>> EtcdWatchDecoder::feed(std::string_view bytes) {
  std::vector<EtcdWatchMessage> messages;
  for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    rest_.append(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    if (!trim(rest_).empty()) {
      ASSIGN_OR_RETURN(auto message, parse_etcd_watch_message(rest_));
      messages.push_back(std::move(message));
    }
    rest_.clear();
  }
  if (rest_.size() + bytes.size() > kLongestLine) return fail("etcd's watch sent an endless line");
  rest_.append(bytes);
  return messages;
}

}  // namespace weft
