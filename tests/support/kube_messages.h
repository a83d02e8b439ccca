// kube_messages.h: what an API server says in protobuf, for servers and readers under test.
//
// The numbers are those of cluster/kube_fields.h; that they are Kubernetes' own is seen in
// tests/peers, against a real API server.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <protozero/pbf_writer.hpp>

#include "cluster/kube_fields.h"
#include "store/kube_message.h"

namespace weft::test {

/// A message out of its fields: `write(message)` adds them.
template <class Write>
std::string kube_fields(Write write) {
  std::string bytes;
  protozero::pbf_writer message(bytes);
  write(message);
  return bytes;
}

/// A message with these two strings: an entry of a map, an address, a condition.
inline std::string kube_pair(const std::string& first, const std::string& second) {
  return kube_fields([&](auto& pair) {
    pair.add_string(kube::pair::kFirst, first);
    pair.add_string(kube::pair::kSecond, second);
  });
}

/// What is around everything, also the empty fields that the server writes behind it.
inline std::string kube_body(const std::string& kind, const std::string& raw) {
  const std::string type = kube_pair("v1", kind);
  return std::string(kKubeMagic) + kube_fields([&](auto& unknown) {
           unknown.add_message(kube::unknown::kTypeMeta, type);
           unknown.add_message(kube::unknown::kRaw, raw);
           unknown.add_string(3, "");
           unknown.add_string(4, "");
         });
}

/// An object that has its metadata alone.
inline std::string kube_object(const KubeMeta& meta,
                               const std::map<std::string, std::string>& labels = {}) {
  const std::string metadata = kube_fields([&](auto& message) {
    message.add_string(kube::object_meta::kName, meta.name);
    message.add_string(kube::object_meta::kNamespace, meta.ns);
    message.add_string(kube::object_meta::kResourceVersion, meta.version);
    for (const auto& [key, value] : labels)
      message.add_message(kube::object_meta::kLabels, kube_pair(key, value));
  });
  return kube_fields([&](auto& object) { object.add_message(kube::object::kMetadata, metadata); });
}

/// A NodeList as the body of an answer. `version` may be empty.
inline std::string kube_list(const std::vector<std::string>& items, const std::string& version,
                             const std::string& continuation = "") {
  const std::string metadata = kube_fields([&](auto& message) {
    message.add_string(kube::list_meta::kResourceVersion, version);
    message.add_string(kube::list_meta::kContinue, continuation);
  });
  return kube_body("NodeList", kube_fields([&](auto& list) {
                     list.add_message(kube::list::kMetadata, metadata);
                     for (const auto& item : items) list.add_message(kube::list::kItems, item);
                   }));
}

/// A metav1.Status.
inline std::string kube_status(int code, const std::string& message) {
  return kube_fields([&](auto& status) {
    status.add_string(kube::status::kMessage, message);
    status.add_int32(kube::status::kCode, code);
  });
}

/// A WatchEvent whose object is the body `object`.
inline std::string kube_event_of(const std::string& type, const std::string& object) {
  const std::string extension =
      kube_fields([&](auto& message) { message.add_bytes(kube::raw_extension::kRaw, object); });
  return kube_fields([&](auto& event) {
    event.add_string(kube::watch_event::kType, type);
    event.add_message(kube::watch_event::kObject, extension);
  });
}

/// The same of a Node.
inline std::string kube_event(const std::string& type, const std::string& node) {
  return kube_event_of(type, kube_body("Node", node));
}

/// As it stands in a watch stream.
inline std::string kube_frame(const std::string& event) {
  std::string frame;
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(event.size() >> shift);
  return frame + event;
}

}  // namespace weft::test
