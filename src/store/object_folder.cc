#include "store/object_folder.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/files.h"

namespace weft {
namespace {

bool is_manifest(std::string_view name) {
  constexpr std::array<std::string_view, 3> kEndings{".yaml", ".yml", ".json"};
  return !name.starts_with('.') &&
         std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace

ObjectFolder::ObjectFolder(std::string folder, Sinks sinks, std::function<void()> changed)
    : folder_(std::move(folder)),
      sinks_(std::move(sinks)),
      changed_(std::move(changed)),
      health_(Error{.what = "the folder " + folder_ + " has not been read yet"}),
      follower_(folder_, "the objects", *this) {}

ObjectSink* ObjectFolder::sink_of(const ObjectKey& key) const {
  const auto sink = sinks_.find(key.kind);
  return sink == sinks_.end() ? nullptr : sink->second;
}

Result<std::vector<ObjectCatalog::Change>> ObjectFolder::read(const std::string& file) {
  auto text = read_file(folder_ + "/" + file);
  if (!text && text.error().number == ENOENT) {
    // Without its folder the file has not gone by itself.
    if (::access(folder_.c_str(), F_OK) != 0) return fail_errno("reading " + folder_);
    faults_.erase(file);
    return catalog_.set_file(file, {});
  }
  auto objects = text ? read_manifests(*text) : Failure(text.error());
  if (!objects) {
    faults_[file] = objects.error().text();
    return std::vector<ObjectCatalog::Change>();
  }
  faults_.erase(file);
  return catalog_.set_file(file, *std::move(objects));
}

Status ObjectFolder::read_everything() {
  ASSIGN_OR_RETURN(const auto names, list_directory(folder_));
  std::set<std::string> files = catalog_.files();
  std::copy_if(names.begin(), names.end(), std::inserter(files, files.end()), is_manifest);
  for (const auto& file : files) RETURN_IF_ERROR(read(file));
  for (const auto& [kind, sink] : sinks_) sink->begin();
  catalog_.for_each([&](const ObjectKey& key, const Json& object) {
    if (ObjectSink* sink = sink_of(key)) sink->put(key, object);
  });
  for (const auto& [kind, sink] : sinks_) sink->end();
  report_faults();
  if (changed_) changed_();
  return {};
}

Status ObjectFolder::apply(const FolderEvents::Batch& batch) {
  std::set<std::string> names = batch.put;
  names.insert(batch.gone.begin(), batch.gone.end());
  for (const auto& name : names) {
    if (!is_manifest(name)) continue;
    ASSIGN_OR_RETURN(const auto changes, read(name));
    for (const auto& change : changes) {
      ObjectSink* sink = sink_of(change.key);
      if (sink == nullptr) continue;
      if (change.now)
        sink->put(change.key, *change.now);
      else
        sink->remove(change.key);
    }
  }
  report_faults();
  if (changed_) changed_();
  return {};
}

void ObjectFolder::report_faults() {
  std::vector<std::string> sentences = catalog_.doubles();
  for (const auto& [file, fault] : faults_)
    sentences.push_back(folder_ + "/" + file + ": " + fault);
  if (sentences.empty()) {
    report({});
    return;
  }
  const std::string more =
      sentences.size() == 1 ? "" : " (and " + std::to_string(sentences.size() - 1) + " more)";
  report(fail(sentences.back() + more, "what could be read counts; correct the file"));
}

void ObjectFolder::report(Status health) {
  if (health_.set(std::move(health)) && changed_) changed_();
}

}  // namespace weft
