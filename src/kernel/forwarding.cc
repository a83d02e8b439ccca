#include "kernel/forwarding.h"

#include <algorithm>
#include <utility>

namespace weft::kernel {
namespace {

using Action = EditOutcome::Action;

// Requests are built and sent in portions: 15,000 of them at once would take megabytes.
constexpr std::size_t kPortion = 512;

class Applier {
 public:
  explicit Applier(Rtnetlink& rtnetlink) : rtnetlink_(rtnetlink) {}

  template <class Puts, class Encode>
  void put_all(const Puts& puts, Encode encode) {
    for (const auto& put : puts)
      add(encode(put.value), describe(put.key), put.replaces ? Action::kReplaced : Action::kPut);
    flush();
  }

  template <class Keys, class Encode>
  void remove_all(const Keys& keys, Encode encode) {
    for (const auto& key : keys) add(encode(key), describe(key), Action::kRemoved);
    flush();
  }

  std::vector<EditOutcome> take() { return std::move(outcomes_); }

 private:
  void add(Request request, std::string object, Action action) {
    requests_.push_back(std::move(request));
    outcomes_.push_back({.object = std::move(object), .action = action});
    if (requests_.size() == kPortion) flush();
  }

  void flush() {
    std::vector<Status> results = rtnetlink_.request_all(requests_);
    auto outcome = outcomes_.end() - static_cast<std::ptrdiff_t>(requests_.size());
    for (auto& result : results) {
      if (outcome->action == Action::kRemoved) {
        result = ignore_errno(std::move(result), ESRCH);
        result = ignore_errno(std::move(result), ENOENT);
      }
      outcome->status = std::move(result);
      ++outcome;
    }
    requests_.clear();
  }

  Rtnetlink& rtnetlink_;
  std::vector<Request> requests_;
  std::vector<EditOutcome> outcomes_;
};

}  // namespace

std::vector<EditOutcome> apply(Rtnetlink& rtnetlink, const ForwardingEdits& edits,
                               const ForwardingTables& actual) {
  Applier applier(rtnetlink);
  applier.put_all(edits.fdb.put, encode_fdb_entry);
  applier.put_all(edits.neighbours.put, encode_neighbour);
  applier.put_all(edits.routes.put,
                  [](const Route& route) { return encode_route(route, RouteWrite::kReplace); });
  applier.remove_all(edits.routes.drop, [&](const RouteKey& key) {
    return encode_delete_route(actual.routes.at(key));
  });
  applier.remove_all(edits.neighbours.drop, encode_delete_neighbour);
  applier.remove_all(edits.fdb.drop, [&](const FdbKey& key) {
    return encode_delete_fdb_entry(actual.fdb.at(key));
  });
  return applier.take();
}

}  // namespace weft::kernel
