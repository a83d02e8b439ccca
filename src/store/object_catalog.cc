#include "store/object_catalog.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/yaml.h"

namespace weft {
namespace {

constexpr std::array<std::string_view, 6> kKindsWithoutNamespace{
    "IngressClass", "Namespace", "Node", "PersistentVolume", "ServiceCIDR", "StorageClass"};

bool has_namespace(std::string_view kind) {
  return std::find(kKindsWithoutNamespace.begin(), kKindsWithoutNamespace.end(), kind) ==
         kKindsWithoutNamespace.end();
}

std::string text_of(const Json& object, std::string_view member) {
  const Json* value = find_member(object, member);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

Status append(Json document, std::vector<Manifest>& objects) {
  if (!document.is_object()) return fail("a document is no object");
  const std::string kind = text_of(document, "kind");
  if (kind.empty()) return fail("an object has no kind");
  if (const Json* items = find_member(document, "items");
      kind.ends_with("List") && items != nullptr && items->is_array()) {
    for (const Json& item : *items) RETURN_IF_ERROR(append(item, objects));
    return {};
  }
  const Json* metadata = find_member(document, "metadata");
  const std::string name =
      metadata != nullptr && metadata->is_object() ? text_of(*metadata, "name") : "";
  if (name.empty()) return fail("a " + shown(kind) + " has no metadata.name");
  ObjectKey key{.kind = kind, .ns = text_of(*metadata, "namespace"), .name = name};
  if (!has_namespace(kind)) {
    key.ns.clear();
  } else if (key.ns.empty()) {
    key.ns = "default";
    document["metadata"]["namespace"] = key.ns;
  }
  const bool twice = std::any_of(objects.begin(), objects.end(),
                                 [&](const Manifest& other) { return other.key == key; });
  if (twice) return fail(key.to_string() + " is there twice");
  objects.push_back({std::move(key), std::move(document)});
  return {};
}

}  // namespace

std::string ObjectKey::to_string() const {
  return kind + " " + (ns.empty() ? "" : ns + "/") + name;
}

Result<std::vector<Manifest>> read_manifests(std::string_view text) {
  // JSON is YAML, but YAML's reader is not made for the tabs and escapes of it.
  std::vector<Json> documents;
  if (auto json = parse_json(text)) {
    documents.push_back(*std::move(json));
  } else {
    ASSIGN_OR_RETURN(documents, parse_yaml(text));
  }
  std::vector<Manifest> objects;
  for (Json& document : documents) RETURN_IF_ERROR(append(std::move(document), objects));
  return objects;
}

std::vector<ObjectCatalog::Change> ObjectCatalog::set_file(const std::string& file,
                                                           std::vector<Manifest> objects) {
  // What counted before, of all that may change.
  std::map<ObjectKey, std::optional<Json>> before;
  const auto note = [&](const ObjectKey& key) {
    const auto found = objects_.find(key);
    before.try_emplace(
        key, found == objects_.end() ? std::nullopt : std::optional(found->second.begin()->second));
  };
  for (const ObjectKey& key : keys_of_file_[file]) note(key);
  for (const Manifest& manifest : objects) note(manifest.key);

  for (const ObjectKey& key : keys_of_file_[file]) {
    const auto found = objects_.find(key);
    found->second.erase(file);
    if (found->second.empty()) objects_.erase(found);
  }
  keys_of_file_.erase(file);
  for (Manifest& manifest : objects) {
    keys_of_file_[file].insert(manifest.key);
    objects_[manifest.key][file] = std::move(manifest.object);
  }

  std::vector<Change> changes;
  for (const auto& [key, was] : before) {
    const auto found = objects_.find(key);
    const auto now =
        found == objects_.end() ? std::nullopt : std::optional(found->second.begin()->second);
    if (now != was) changes.push_back({key, now});
  }
  return changes;
}

std::set<std::string> ObjectCatalog::files() const {
  std::set<std::string> names;
  for (const auto& entry : keys_of_file_) names.insert(entry.first);
  return names;
}

std::vector<std::string> ObjectCatalog::doubles() const {
  std::vector<std::string> sentences;
  for (const auto& [key, by_file] : objects_)
    for (auto other = std::next(by_file.begin()); other != by_file.end(); ++other)
      sentences.push_back(key.to_string() + " of " + other->first + " does not count: it is in " +
                          by_file.begin()->first + " as well");
  return sentences;
}

}  // namespace weft
