#include "cluster/object_meta.h"

#include "base/protobuf.h"
#include "base/text.h"
#include "cluster/kube_fields.h"

namespace weft {
namespace {

void show(const MetaPairs::Show& use, std::string_view key, std::string_view value) {
  if (use && is_utf8(key) && is_utf8(value)) use(key, value);
}

Status show_entry(const MetaPairs::Show& use, std::string_view entry) {
  if (!use) return {};
  ASSIGN_OR_RETURN(const KubePair pair, read_kube_pair(entry));
  show(use, pair.first, pair.second);
  return {};
}

Result<UnixSeconds> read_time(std::string_view message) {
  UnixSeconds time{};
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::time::kSeconds)
      time = UnixSeconds(std::chrono::seconds(field.integer));
    return {};
  }));
  return time;
}

void show_members(ObjectReader& metadata, std::string_view key, const MetaPairs::Show& use) {
  const Json* members = metadata.object(key);
  if (members == nullptr) return;
  for (const auto& [name, value] : members->items())
    if (value.is_string())
      show(use, name, value.get_ref<const std::string&>());
    else if (!value.is_null())
      metadata.reject(key, "its value of " + shown(name) + " is no text");
}

Result<ObjectMeta> read_members(const Json& metadata, const std::string& where,
                                const MetaPairs& pairs) {
  ObjectMeta meta;
  ObjectReader reader(metadata, where);
  reader.read("name", meta.name);
  reader.read("namespace", meta.ns);
  reader.read("uid", meta.uid);
  reader.read("resourceVersion", meta.version);
  std::string created;
  reader.read("creationTimestamp", created);
  if (const auto time = parse_time(created))
    meta.created = *time;
  else if (!created.empty())
    reader.reject("creationTimestamp", "must be a time like 2026-01-31T12:00:00Z");
  show_members(reader, "labels", pairs.label);
  show_members(reader, "annotations", pairs.annotation);
  RETURN_IF_ERROR(reader.finish());
  return meta;
}

}  // namespace

Result<KubePair> read_kube_pair(std::string_view message) {
  KubePair pair;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number == kube::pair::kFirst) pair.first = field.bytes;
    if (field.number == kube::pair::kSecond) pair.second = field.bytes;
    return {};
  }));
  return pair;
}

Result<ObjectMeta> read_object_meta(std::string_view message, const MetaPairs& pairs) {
  ObjectMeta meta;
  RETURN_IF_ERROR(read_protobuf(message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case kube::object_meta::kName:
        meta.name = field.text();
        break;
      case kube::object_meta::kNamespace:
        meta.ns = field.text();
        break;
      case kube::object_meta::kUid:
        meta.uid = field.text();
        break;
      case kube::object_meta::kResourceVersion:
        meta.version = field.text();
        break;
      case kube::object_meta::kCreationTimestamp: {
        ASSIGN_OR_RETURN(meta.created, read_time(field.bytes));
        break;
      }
      case kube::object_meta::kDeletionTimestamp:
        meta.deleting = true;
        break;
      case kube::object_meta::kLabels:
        return show_entry(pairs.label, field.bytes);
      case kube::object_meta::kAnnotations:
        return show_entry(pairs.annotation, field.bytes);
    }
    return {};
  }));
  return meta;
}

Result<ObjectMeta> read_manifest_meta(const Json& manifest, const std::string& what,
                                      const MetaPairs& pairs) {
  const std::string kind = what.substr(what.find(' ') + 1);
  const Json* metadata = ObjectReader(manifest, kind).object("metadata");
  if (metadata == nullptr) return fail(what + " without metadata");
  ASSIGN_OR_RETURN(ObjectMeta meta, read_members(*metadata, kind + ": metadata", pairs));
  if (meta.name.empty()) return fail(what + " without a name");
  if (meta.ns.empty()) meta.ns = "default";
  return meta;
}

}  // namespace weft
