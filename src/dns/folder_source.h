// folder_source.h: keeps the cluster's names up with a folder of manifests (store/object_folder.h):
// Services, EndpointSlices and Namespaces, which need not be there for their Services' sake.
#pragma once

#include <memory>
#include <string>

#include "dns/plugin_options.h"
#include "dns/zone_publisher.h"
#include "dns/zone_source.h"
#include "store/object_folder.h"

namespace weft::dns {

class FolderSource : public ZoneSource {
 public:
  /// Selectors by labels are an API server's business: an Error where the options have one.
  /// `zones` must outlive it.
  static Result<std::unique_ptr<FolderSource>> open(const std::string& folder,
                                                    const KubernetesOptions& options,
                                                    const SnapshotPlace& kept,
                                                    Published<ClusterZone>& zones);
  ~FolderSource() override;
  FolderSource(const FolderSource&) = delete;
  FolderSource& operator=(const FolderSource&) = delete;

  Status health() const override { return folder_->health(); }
  bool is_complete() const override { return publisher_.is_complete(); }

 private:
  class Sink;
  FolderSource(const std::string& folder, const KubernetesOptions& options,
               const SnapshotPlace& kept, Published<ClusterZone>& zones);
  bool everything_is_read() const;

  ZonePublisher publisher_;
  // Before the folder, whose thread uses them.
  std::unique_ptr<Sink> services_;
  std::unique_ptr<Sink> slices_;
  std::unique_ptr<Sink> namespaces_;
  std::unique_ptr<ObjectFolder> folder_;
};

}  // namespace weft::dns
