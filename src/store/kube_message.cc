#include "store/kube_message.h"

#include <algorithm>
#include <cerrno>

#include "base/json.h"
#include "base/protobuf.h"
#include "cluster/kube_fields.h"

namespace weft {
namespace {

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

// What a metav1.Status says.
struct Refusal {
  int status = 500;
  std::string message = {};
};

Failure refusal(const std::string& tried, Refusal refused) {
  std::string& words = refused.message;
  // Others' words in a log line.
  for (char& c : words)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  words.resize(std::min<std::size_t>(words.size(), 300));
  if (words.empty()) words = "status " + std::to_string(refused.status);
  if (refused.status == 401) words += " (the credentials are not accepted)";
  return Failure(Error{.what = tried + ": " + words,
                       .next = next_step(refused.status),
                       .number = number_of(refused.status)});
}

Result<Refusal> read_status(std::string_view message) {
  Refusal refused;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::status::kMessage) refused.message = field.text();
    // Anything else than a number of HTTP is no reason.
    if (field.number == kube::status::kCode && field.integer >= 400 && field.integer < 600)
      refused.status = static_cast<int>(field.integer);
    return {};
  }));
  return refused;
}

Result<std::string_view> object_in(std::string_view body) {
  if (!body.starts_with(kKubeMagic)) return fail("no object of Kubernetes: " + shown(body));
  std::string_view object;
  RETURN_IF_ERROR(
      read_protobuf(body.substr(kKubeMagic.size()), [&](const ProtobufField& field) -> Status {
        if (field.number == kube::unknown::kRaw) object = field.bytes;
        return {};
      }));
  return object;
}

// The words of a Status; empty where the body is none.
std::string message_in(const HttpAnswer& answer) {
  if (is_media_type(answer.content_type, kKubeProtobuf)) {
    const auto object = object_in(answer.body);
    const auto refused = object ? read_status(*object) : Failure(object.error());
    return refused ? refused->message : "";
  }
  std::string message;
  if (const auto json = parse_json(answer.body); json && json->is_object())
    ObjectReader(*json, "a Status").read("message", message);
  return message;
}

}  // namespace

Failure kube_refusal(const std::string& tried, const HttpAnswer& answer) {
  return refusal(tried, {.status = answer.status, .message = message_in(answer)});
}

Failure kube_watch_error(std::string_view status) {
  constexpr char kTried[] = "the watch was ended";
  auto refused = read_status(status);
  if (!refused) return because(kTried, std::move(refused).error());
  return refusal(kTried, *std::move(refused));
}

Result<KubeMeta> read_kube_meta(std::string_view object) {
  KubeMeta meta;
  const auto read_member = [&](const ProtobufField& field) -> Status {
    if (field.number == kube::object_meta::kName) meta.name = field.text();
    if (field.number == kube::object_meta::kNamespace) meta.ns = field.text();
    if (field.number == kube::object_meta::kResourceVersion) meta.version = field.text();
    return {};
  };
  RETURN_IF_ERROR(read_protobuf(object, [&](const ProtobufField& field) -> Status {
    if (field.number != kube::object::kMetadata) return {};
    return read_protobuf(field.bytes, read_member);
  }));
  return meta;
}

Result<std::string> read_kube_kind(std::string_view type_meta) {
  std::string kind;
  RETURN_IF_ERROR(read_protobuf(type_meta, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::type_meta::kKind) kind = field.text();
    return {};
  }));
  return kind;
}

Result<KubeWatchEvent> parse_kube_watch_event(std::string_view frame) {
  using Type = KubeWatchEvent::Type;
  std::string_view type;
  std::string_view body;
  const auto read_extension = [&](const ProtobufField& field) -> Status {
    if (field.number == kube::raw_extension::kRaw) body = field.bytes;
    return {};
  };
  Status read = read_protobuf(frame, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::watch_event::kType) type = field.bytes;
    if (field.number != kube::watch_event::kObject) return {};
    return read_protobuf(field.bytes, read_extension);
  });
  if (!read) return because("a watch event that cannot be read", std::move(read).error());
  auto object = object_in(body);
  if (!object) return because("a watch event without an object", std::move(object).error());
  if (type == "ADDED" || type == "MODIFIED") return KubeWatchEvent{Type::kPut, *object};
  if (type == "DELETED") return KubeWatchEvent{Type::kRemoved, *object};
  if (type == "BOOKMARK") return KubeWatchEvent{Type::kBookmark, *object};
  if (type == "ERROR") return KubeWatchEvent{Type::kError, *object};
  return fail("a watch event of the type " + shown(type));
}

}  // namespace weft
