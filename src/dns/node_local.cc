#include "dns/node_local.h"

#include <cerrno>
#include <utility>

#include "base/log.h"

namespace weft::dns {
namespace {

using kernel::Topic;
using std::chrono::milliseconds;

constexpr const char* kLoopback = "lo";
constexpr milliseconds kAtRest{std::chrono::hours(24)};
// Where somebody undoes each repair, we are not the ones who keep the kernel busy.
constexpr milliseconds kAfterRepair{100};

void say(std::string& words, const std::string& more) {
  words += (words.empty() ? "" : "; ") + more;
}

}  // namespace

Result<std::unique_ptr<NodeLocal>> NodeLocal::open(const NodeLocalAim& aim) {
  ASSIGN_OR_RETURN(auto rtnetlink, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(auto nftables, kernel::Nftables::open());
  std::unique_ptr<NodeLocal> made(new NodeLocal(aim, std::move(rtnetlink), std::move(nftables)));
  // What is there already may be in use: it is another process's until somebody listens here.
  ASSIGN_OR_RETURN(made->is_left_, made->nftables_.has_table(node_local_table()));
  ASSIGN_OR_RETURN(const std::string done, made->settle());
  if (!done.empty()) spdlog::info("node-local: {}", done);
  return made;
}

NodeLocal::NodeLocal(const NodeLocalAim& aim, kernel::Rtnetlink rtnetlink,
                     kernel::Nftables nftables)
    : aim_(aim),
      rtnetlink_(std::move(rtnetlink)),
      nftables_(std::move(nftables)),
      loop_([this] { return repair(); }) {}

NodeLocal::~NodeLocal() {
  release();
  if (is_left_) return;
  aim_.addresses.clear();
  const auto settled = settle();
  const Status gone =
      settled ? nftables_.remove_table(node_local_table()) : Failure(settled.error());
  if (!gone) spdlog::error("node-local: {}", gone.error().text());
}

Status NodeLocal::capture() {
  aim_.captures = true;
  is_left_ = false;
  // The kernel is listened to before it is read: nothing that changes in between is missed. What
  // this one does itself makes a pass that finds all right.
  ASSIGN_OR_RETURN(monitor_,
                   kernel::Monitor::start({Topic::kAddress, Topic::kNftables},
                                          [this](const auto& event) { on_event(event); }));
  ASSIGN_OR_RETURN(const std::string done, settle());
  if (!done.empty()) spdlog::info("node-local: {}", done);
  loop_.start();
  return {};
}

void NodeLocal::release() {
  monitor_.reset();
  loop_.stop();
  if (is_left_ || !std::exchange(aim_.captures, false)) return;
  const Status gone = nftables_.change(
      node_local_table(),
      [](const std::optional<nft::TableContents>& table, kernel::Transaction& transaction) {
        if (!table) return;
        for (const auto& [chain, rules] : table->rules)
          transaction.flush_chain(table->table.id, chain);
      });
  if (!gone) spdlog::error("node-local: {}", gone.error().text());
}

void NodeLocal::leave() {
  is_left_ = true;
}

Result<NodeLocalFacts> NodeLocal::read() {
  NodeLocalFacts facts;
  ASSIGN_OR_RETURN(const auto link, rtnetlink_.link(kLoopback));
  if (!link) return fail("there is no device lo");
  facts.loopback = link->index;
  loopback_ = link->index;
  ASSIGN_OR_RETURN(const auto addresses, rtnetlink_.addresses(link->index));
  for (const LinkAddress& each : addresses) facts.present.insert(each.key.address);
  ASSIGN_OR_RETURN(facts.table, nftables_.read(node_local_table()));
  return facts;
}

Result<std::string> NodeLocal::settle() {
  ASSIGN_OR_RETURN(const NodeLocalFacts facts, read());
  const NodeLocalPlan plan = plan_node_local(aim_, facts);
  std::string words;
  // Removed while the former sets still name them, put when the new ones do.
  for (const LinkAddressKey& each : plan.remove) {
    const Status removed = rtnetlink_.remove(each);
    if (!removed && removed.error().number != EADDRNOTAVAIL) return Failure(removed.error());
    say(words, "address " + each.address.to_string() + ": removed");
  }
  ASSIGN_OR_RETURN(const auto edits, nftables_.apply(plan.table));
  for (const std::string& edit : edits) say(words, edit);
  for (const LinkAddress& each : plan.add) {
    const Status added = rtnetlink_.add(each);
    if (!added && added.error().number != EEXIST) return Failure(added.error());
    say(words, "address " + each.key.address.to_string() + ": put (missing)");
  }
  return words;
}

Rest NodeLocal::repair() {
  const auto settled = settle();
  if (!settled) {
    if (failures_++ == 0) spdlog::error("node-local: {}", settled.error().text());
    return backoff(failures_, kAtRest);
  }
  failures_ = 0;
  if (settled->empty()) return kAtRest;
  spdlog::info("repaired: {}", *settled);
  return {kAtRest, kAfterRepair};
}

void NodeLocal::on_event(const kernel::KernelEvent& event) {
  const bool concerns = event.topic == Topic::kLost ||
                        (event.topic == Topic::kAddress && event.link == loopback_.load()) ||
                        (event.topic == Topic::kNftables && event.name == node_local_table().name);
  if (concerns) loop_.nudge();
}

}  // namespace weft::dns
