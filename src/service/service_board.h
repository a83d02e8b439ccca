// service_board.h: what the stores say of all services, and which of them have changed.
//
// Kept is only what a proxy needs (service_digest.h, slice_digest.h), slices beside the service
// that they are of. A change names the service and no more: whoever is told plans it anew, however
// many objects of it came in meanwhile. Pure; one user at a time.
//
// A list that comes in is taken object by object, so that a cluster is in memory once and not
// twice; what it did not name goes when it has ended, and not before: half a list removes nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "service/service_digest.h"
#include "service/slice_digest.h"

namespace weft::service {

using WallTime = std::chrono::system_clock::time_point;

/// How much has come in: numbers that kube-proxy shows, too.
struct BoardNews {
  std::uint64_t services = 0;  ///< that came, went or are different
  std::uint64_t slices = 0;
  /// When that happened in the cluster of which slices tell (their last-change-trigger-time).
  std::vector<WallTime> triggers = {};
};

class ServiceBoard {
 public:
  /// What slices tell of from before `since` is no news.
  explicit ServiceBoard(NodeFacts node, WallTime since = {})
      : node_(std::move(node)), since_(since) {}

  /// What slices say is weighed by that from now on: those that were put before have to be put
  /// again.
  void set_node(NodeFacts node) { node_ = std::move(node); }

  void put(const Service& service);
  void put(const EndpointSlice& slice);
  void remove_service(const ServiceName& name);
  void remove_slice(std::string_view ns, std::string_view name);
  /// The object is there, but cannot be read: it counts as what it was.
  void keep_service(const ServiceName& name);
  void keep_slice(std::string_view ns, std::string_view name);

  /// All that is put from here on is in the list; a list that has not ended is void.
  void begin_services() { ++services_.epoch; }
  void begin_slices() { ++slices_.epoch; }
  void end_services();
  void end_slices();
  /// Whether both kinds have been listed. Before that nothing may be programmed.
  bool complete() const { return services_.complete && slices_.complete; }

  /// What is known of one service; the pointers hold until the next change.
  struct Entry {
    const ServiceDigest* service = nullptr;
    std::vector<const SliceDigest*> slices = {};
    UnixSeconds in_kernel = {};  ///< when the kernel got it as it is; the epoch: never
    bool waiting = false;        ///< there is a change that the kernel has not got
  };
  /// Nothing when there is no such service; slices without one are waiting for it.
  std::optional<Entry> find(const ServiceName& name) const;

  /// The services that are different from what they were at the last call, each once.
  std::vector<ServiceName> take_changed();
  /// All that was taken is in the kernel now.
  void note_written(UnixSeconds now);

  /// What has come in since take_news().
  const BoardNews& news() const { return news_; }
  BoardNews take_news() { return std::exchange(news_, {}); }

  /// Of all services that there are.
  std::vector<ServiceName> names() const;
  /// At most `most` of those behind `after` in order, or from the first one on.
  std::vector<ServiceName> names_after(const std::optional<ServiceName>& after,
                                       std::size_t most) const;
  std::size_t service_count() const { return service_count_; }

 private:
  struct Listing {
    std::uint32_t epoch = 0;
    bool complete = false;
  };
  struct NamedSlice {
    std::string name;
    SliceDigest digest;
    std::uint32_t epoch;
  };
  struct Record {
    std::optional<ServiceDigest> service = {};
    std::vector<NamedSlice> slices = {};
    std::uint32_t epoch = 0;     // of the service
    bool changed = false;        // and so in changed_
    bool unwritten = false;      // and so in unwritten_
    UnixSeconds in_kernel = {};  // see Entry
  };
  using Records = std::map<ServiceName, Record>;

  void mark(Records::value_type& named);
  void set_service(Records::value_type& named, std::optional<ServiceDigest> service);
  void note_slice(Records::value_type& named, const EndpointSlice* slice = nullptr);
  /// Takes the slice away from the service that it was of.
  void drop_slice(const std::string& key, const std::string& name);

  NodeFacts node_;
  const WallTime since_;
  BoardNews news_;
  // Records without anything stay until take_changed() has told of them.
  Records records_;
  std::unordered_map<std::string, Records::value_type*> slice_owners_;  // by "namespace/name"
  std::vector<ServiceName> changed_;
  std::vector<ServiceName> unwritten_;  // taken since the kernel has last got everything
  Listing services_;
  Listing slices_;
  std::size_t service_count_ = 0;
};

}  // namespace weft::service
