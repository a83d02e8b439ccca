#include "service/range_feed.h"

#include <utility>

#include "base/log.h"
#include "net/ranges.h"

namespace weft::service {

class RangeFeed::Sink : public KubeSink, public ObjectSink {
 public:
  explicit Sink(RangeFeed& feed) : feed_(feed) {}

  // Both of them.
  void begin() override { listed_.clear(); }

  void list_item(const KubeObject& object) override {
    take(object.meta().name, object.as<ServiceCidr>(), listed_);
  }
  void commit() override { show(listed_); }
  bool put(const KubeObject& object) override {
    return put(object.meta().name, object.as<ServiceCidr>());
  }
  bool remove(const KubeMeta& meta) override { return remove(meta.name); }

  void end() override { commit(); }
  void put(const ObjectKey& key, const Json& object) override {
    put(key.name, ServiceCidr::read(object));
  }
  void remove(const ObjectKey& key) override { remove(key.name); }

 private:
  // An object that cannot be read is what it was, if it was anything.
  void take(const std::string& name, const Result<ServiceCidr>& read, Ranges& into) {
    const auto faults = read ? read->faults : std::vector{read.error().text()};
    for (const auto& fault : faults) spdlog::warn("ServiceCIDR {}: {}", name, fault);
    if (read) {
      into[name] = read->ranges;
    } else {
      const Ranges now = feed_.ranges_.copy();
      if (const auto was = now.find(name); was != now.end()) into[name] = was->second;
    }
  }
  bool put(const std::string& name, const Result<ServiceCidr>& read) {
    Ranges next = feed_.ranges_.copy();
    take(name, read, next);
    // A folder lists its objects by this, too.
    if (const auto now = next.find(name); now != next.end())
      listed_.insert_or_assign(name, now->second);
    return show(std::move(next));
  }
  bool remove(const std::string& name) {
    Ranges next = feed_.ranges_.copy();
    next.erase(name);
    return show(std::move(next));
  }
  // Whether anything is different now.
  bool show(Ranges next) {
    return feed_.ranges_.with([&](Ranges& ranges) {
      if (ranges == next) return false;
      ranges = std::move(next);
      return true;
    });
  }

  RangeFeed& feed_;
  Ranges listed_;  // of the list that comes in
};

RangeFeed::RangeFeed() : sink_(std::make_unique<Sink>(*this)) {}

RangeFeed::~RangeFeed() = default;

KubeSink& RangeFeed::kube_ranges() {
  return *sink_;
}
ObjectSink& RangeFeed::ranges() {
  return *sink_;
}

std::vector<Prefix> RangeFeed::all() const {
  std::vector<Prefix> all;
  for (const auto& [name, ranges] : ranges_.copy())
    all.insert(all.end(), ranges.begin(), ranges.end());
  drop_nested(all);
  return all;
}

}  // namespace weft::service
