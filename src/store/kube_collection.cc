#include "store/kube_collection.h"

#include <algorithm>
#include <utility>

#include "base/thread_name.h"

namespace weft {

KubeCollection::KubeCollection(const KubeClient& client, const KubeListWatchOptions& options,
                               unsigned expected, std::chrono::milliseconds patience)
    : selection_(options.selection),
      expected_(expected),
      patience_(patience),
      watch_(client, options, *this, [this] { tell_all(); }) {}

KubeCollection::~KubeCollection() {
  const std::lock_guard lock(mutex_);
  ends_ = true;
  gathered_.notify_all();
}

void KubeCollection::add(KubeFollower& follower) {
  const std::lock_guard lock(mutex_);
  is_mixed_ = is_mixed_ || follower.selection_ != selection_;
  followers_.push_back(&follower);
  gathered_.notify_all();
  if (is_mixed_) watch_.select({});
  if (has_begun_) watch_.read_anew();
  if (!std::exchange(is_started_, true)) watch_.start();
}

void KubeCollection::remove(KubeFollower& follower) {
  const std::lock_guard lock(mutex_);
  std::erase(followers_, &follower);
}

template <class May, class Use>
void KubeCollection::for_each(May may, Use use) {
  const std::lock_guard lock(mutex_);
  for (KubeFollower* follower : followers_) {
    if (!may(*follower)) continue;
    if (speaks_as_ != follower->thread_name_) {
      speaks_as_ = follower->thread_name_;
      set_thread_name(speaks_as_);
    }
    use(*follower);
  }
}

void KubeCollection::begin() {
  std::unique_lock lock(mutex_);
  if (!has_begun_)
    gathered_.wait_for(lock, patience_, [this] { return followers_.size() >= expected_ || ends_; });
  has_begun_ = true;
  for (KubeFollower* follower : followers_) {
    follower->in_list_ = true;
    follower->sink_.begin();
  }
}

bool KubeCollection::wants(const KubeFollower& follower, const KubeObject& object) const {
  return !is_mixed_ || follower.selector_->matches(object);
}

void KubeCollection::list_item(const KubeObject& object) {
  for_each([&](const KubeFollower& each) { return each.in_list_ && wants(each, object); },
           [&](KubeFollower& each) { each.sink_.list_item(object); });
}

void KubeCollection::commit() {
  for_each([](const KubeFollower& each) { return each.in_list_; },
           [](KubeFollower& each) {
             each.sink_.commit();
             each.listed_ = true;
           });
}

// What does not match any more is gone, as the server would say it.
bool KubeCollection::put(const KubeObject& object) {
  for_each([](const KubeFollower& each) { return each.listed_.load(); },
           [&](KubeFollower& each) {
             const bool is_news =
                 wants(each, object) ? each.sink_.put(object) : each.sink_.remove(object.meta());
             if (is_news) each.changed_();
           });
  return false;
}

bool KubeCollection::remove(const KubeMeta& meta) {
  for_each([](const KubeFollower& each) { return each.listed_.load(); },
           [&](KubeFollower& each) {
             if (each.sink_.remove(meta)) each.changed_();
           });
  return false;
}

void KubeCollection::tell_all() {
  for_each([](const KubeFollower&) { return true; }, [](KubeFollower& each) { each.changed_(); });
}

}  // namespace weft
