// object_catalog.h: Kubernetes objects out of manifest files, and which file each one comes from.
// Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft {

struct ObjectKey {
  std::string kind = {};
  std::string ns = {};  ///< empty for kinds that have no namespace
  std::string name = {};
  /// "Service shop/web"
  std::string to_string() const;
  auto operator<=>(const ObjectKey&) const = default;
};

struct Manifest {
  ObjectKey key = {};
  Json object = {};
};

/// The objects of a file: documents of YAML or JSON, and of each List its items. One that says no
/// namespace gets "default" as kubectl would give it, unless its kind has none. An Error where a
/// document is no object with a kind and a name, or the same object is there twice.
Result<std::vector<Manifest>> read_manifests(std::string_view text);

/// The objects of a folder's files. Where two files have the same object, that of the first file
/// by name counts.
class ObjectCatalog {
 public:
  /// What the rest of the world sees of a change.
  struct Change {
    ObjectKey key = {};
    std::optional<Json> now = {};  ///< nothing: it is gone
  };

  /// What a file holds from now on; nothing: the file is gone.
  std::vector<Change> set_file(const std::string& file, std::vector<Manifest> objects);

  /// The files that there are.
  std::set<std::string> files() const;
  /// Calls each(key, object) for every object.
  template <class Each>
  void for_each(Each&& each) const {
    for (const auto& [key, by_file] : objects_) each(key, by_file.begin()->second);
  }
  /// Objects that do not count, each as a sentence.
  std::vector<std::string> doubles() const;

 private:
  std::map<ObjectKey, std::map<std::string, Json>> objects_;  // none without a file
  std::map<std::string, std::set<ObjectKey>> keys_of_file_;
};

}  // namespace weft
