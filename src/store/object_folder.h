// object_folder.h: Kubernetes objects as manifest files in a folder: the directory store.
//
//     DIR/anything.yaml, .yml or .json    one object or several, as kubectl takes them
//
// A person can write the files, and programs can; they count as soon as they are closed or renamed
// into place. A file that cannot be read counts as what it was before, and a folder that is gone
// as what it held: neither is an empty cluster.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/health.h"
#include "store/folder_follower.h"
#include "store/object_catalog.h"

namespace weft {

/// Where the objects of one kind go. Called on the folder's thread.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  /// All objects follow, each with put(), and then end(): what was there and is not among them is
  /// gone.
  virtual void begin() = 0;
  virtual void end() = 0;
  virtual void put(const ObjectKey& key, const Json& object) = 0;
  virtual void remove(const ObjectKey& key) = 0;
};

class ObjectFolder : private FolderFollower::Reader {
 public:
  /// By kind: "Service", "EndpointSlice", ...; objects of other kinds are passed over. The sinks
  /// must outlive it. `changed` is called after the sinks or the health have changed, on the
  /// folder's thread; it must return soon.
  using Sinks = std::map<std::string, ObjectSink*>;
  ObjectFolder(std::string folder, Sinks sinks, std::function<void()> changed);

  /// What keeps the objects from being what the files say, or success. Callable from any thread.
  Status health() const { return health_.get(); }

 private:
  Status read_everything() override;
  Status apply(const FolderEvents::Batch& batch) override;
  void report(Status health) override;
  /// Into the catalog; what changed by that. A file that makes no sense changes nothing; an Error
  /// where the folder itself is gone.
  Result<std::vector<ObjectCatalog::Change>> read(const std::string& file);
  ObjectSink* sink_of(const ObjectKey& key) const;
  void report_faults();

  const std::string folder_;
  const Sinks sinks_;
  const std::function<void()> changed_;
  Health health_;
  // Of the thread alone:
  ObjectCatalog catalog_;
  std::map<std::string, std::string> faults_;  // by file
  FolderFollower follower_;  // last, so that its thread is joined before the rest is gone
};

}  // namespace weft
