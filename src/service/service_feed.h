// service_feed.h: where stores put Services and EndpointSlices, and from where the proxy takes what
// has changed.
//
// The same for the Kubernetes API and for a folder of manifests: both see a sink a kind. What makes
// no sense in an object is logged once and left out; an object that cannot be read at all counts
// as what it was. Every member may be called from any thread, each sink from one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/lock_guarded.h"
#include "service/planned_service.h"
#include "service/service_status.h"
#include "store/kube_list_watch.h"
#include "store/object_folder.h"

namespace weft::service {

/// What the proxy has to plan, and how much of what came in that is.
struct TakenServices {
  std::vector<PlannedService> services = {};
  BoardNews news = {};
};

class ServiceFeed {
 public:
  /// `misfit` is called with each sentence of misfits(), once; on a thread of a sink's.
  using Misfit = std::function<void(const ServiceName& service, const std::string& sentence)>;
  explicit ServiceFeed(NodeFacts node, Misfit misfit = {});
  ~ServiceFeed();

  // They live as long as the feed.
  KubeSink& kube_services();
  KubeSink& kube_slices();
  ObjectSink& services();  ///< manifests
  ObjectSink& slices();

  /// Whether both kinds have been listed. Before that nothing may be programmed.
  bool complete() const;
  /// All that there is, and what is gone since it was last taken; nothing of it is a change any
  /// more.
  TakenServices take_all(const std::vector<Family>& families, const PlanOptions& options);
  /// What has changed since it was last taken.
  TakenServices take_changed(const std::vector<Family>& families, const PlanOptions& options);
  /// All that was taken is in the kernel now.
  void note_written();
  /// See service_status.h. `most` at once: the feed stands still meanwhile.
  StatusPage status(const std::optional<ServiceName>& after, std::size_t most,
                    const std::vector<Family>& families, const PlanOptions& options) const;
  /// What has come in and was not taken yet.
  BoardNews waiting() const;

  /// The node is another one now, or in another zone: what is put from here on is weighed by that.
  void set_node(NodeFacts node);

 private:
  template <class Kind>
  class Sink;
  struct Services;
  struct Slices;

  /// Logs what it has not told yet, and returns that.
  std::vector<std::string> tell(const std::string& object, const std::vector<std::string>& faults);
  void look_at(const std::string& title, const Service& service);
  void look_at(const std::string& /*title*/, const EndpointSlice& /*slice*/) {}

  const Misfit misfit_;
  LockGuarded<ServiceBoard> board_;
  LockGuarded<std::set<std::string>> told_;  // faults, so that each is logged once
  std::unique_ptr<Sink<Services>> services_;
  std::unique_ptr<Sink<Slices>> slices_;
};

}  // namespace weft::service
