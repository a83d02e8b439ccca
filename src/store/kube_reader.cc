#include "store/kube_reader.h"

#include <cerrno>
#include <utility>

#include "base/thread_name.h"
#include "store/kube_collection.h"

namespace weft {

KubeReader::KubeReader(KubeAccess access, KubeGathering gathering)
    : client_(std::move(access)), gathering_(std::move(gathering)) {}

KubeReader::~KubeReader() = default;

std::shared_ptr<KubeCollection> KubeReader::collection(const KubeListWatchOptions& options,
                                                       bool is_shared) {
  const auto make = [&](unsigned expected) {
    return std::make_shared<KubeCollection>(client_, options, expected, gathering_.patience);
  };
  if (!is_shared) return make(1);
  return shared_.with([&](auto& shared) {
    auto known = shared[options.path].lock();
    if (known != nullptr) return known;
    const auto expected = gathering_.followers.find(options.path);
    known = make(expected == gathering_.followers.end() ? 1 : expected->second);
    shared[options.path] = known;
    return known;
  });
}

KubeFollower::KubeFollower(KubeReader& reader, const KubeListWatchOptions& options, KubeSink& sink,
                           std::function<void()> changed)
    : selection_(options.selection),
      selector_(KubeSelector::parse(options.selection)),
      thread_name_(thread_name()),
      sink_(sink),
      changed_(std::move(changed)),
      collection_(reader.collection(options, selector_.has_value())) {
  collection_->add(*this);
}

KubeFollower::~KubeFollower() {
  collection_->remove(*this);
}

Status KubeFollower::health() const {
  RETURN_IF_ERROR(collection_->health());
  if (listed_) return {};
  return Failure(Error{.what = "not everything has been listed yet", .number = EAGAIN});
}

void KubeFollower::reconnect() {
  collection_->reconnect();
}

}  // namespace weft
