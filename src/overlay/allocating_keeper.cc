#include "overlay/allocating_keeper.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/loop.h"

namespace weft::overlay {
namespace {

using std::chrono::milliseconds;

constexpr int kTries = 10;
constexpr milliseconds kLongest = std::chrono::hours(1);

std::size_t roll(std::size_t sides) {
  std::random_device device;
  return std::uniform_int_distribution<std::size_t>(0, sides - 1)(device);
}

std::string public_address(const Lease& lease) {
  const LeaseAttributes& attributes = lease.attributes;
  return (attributes.public_ipv4 ? attributes.public_ipv4 : attributes.public_ipv6)->to_string();
}

}  // namespace

AllocatingKeeper::AllocatingKeeper(LeaseStore& store, const NetConf& conf, LeaseTimes times,
                                   Hooks hooks)
    : LeaseKeeper(std::move(hooks)), store_(store), conf_(conf), times_(times) {}

void AllocatingKeeper::take_over(Lease lease, const std::string& how) {
  const auto before = this->lease();
  if (!before || before->key != lease.key)
    spdlog::info(
        "lease {}: {} (public address {}, {})", lease.key.describe(), how, public_address(lease),
        lease.reserved ? "reserved"
                       : "expires in " + std::to_string(times_.ttl.count()) + " s unless renewed");
  hold(std::move(lease));
}

Result<bool> AllocatingKeeper::replace(const Lease& seen) {
  // A reservation has no time to live, and loses none of that by being rewritten.
  const auto ttl = seen.reserved ? std::nullopt : std::optional(times_.ttl);
  ASSIGN_OR_RETURN(auto written, store_.replace(seen, hooks_.attributes(seen), ttl));
  if (!written) return false;
  take_over(*std::move(written), "taken again");
  return true;
}

Status AllocatingKeeper::rewrite(const Lease& seen) {
  ASSIGN_OR_RETURN(const bool written, replace(seen));
  if (!written) return fail("lease " + seen.key.describe() + " was changed by somebody else");
  return {};
}

Result<bool> AllocatingKeeper::try_to_take(const Allocation& allocation) {
  for (const auto& stale : allocation.stale) {
    RETURN_IF_ERROR(store_.remove(stale));
    spdlog::info("lease {}: removed (it does not fit the network any more)", stale.key.describe());
  }
  if (allocation.own) return replace(*allocation.own);
  ASSIGN_OR_RETURN(auto created,
                   store_.create(allocation.key, hooks_.attributes(std::nullopt), times_.ttl));
  if (!created) return false;
  ASSIGN_OR_RETURN(const bool kept, keep_unless_shared(*created));
  if (kept) take_over(*std::move(created), "taken");
  return kept;
}

// Both of two nodes may find the other and step back; the dice part them then.
Result<bool> AllocatingKeeper::keep_unless_shared(const Lease& created) {
  if (conf_.networks.size() == 1) return true;
  const auto leases = store_.list();
  const Lease* other = leases ? find_overlapping(*leases, created.key) : nullptr;
  if (leases && other == nullptr) return true;
  RETURN_IF_ERROR(store_.remove(created));
  if (!leases) return Failure(leases.error());
  spdlog::info("lease {}: given back, for a part of it is in {}", created.key.describe(),
               other->describe());
  return false;
}

// A view serves the first try as well as a fresh list: every change is conditional on what was
// seen, so an old view loses the race and costs a second try.
Status AllocatingKeeper::acquire(std::shared_ptr<const LeaseView> view) {
  for (int i = 0; i < kTries; ++i) {
    if (i != 0 || view == nullptr) {
      ASSIGN_OR_RETURN(LeaseView listed, store_.list());
      view = std::make_shared<const LeaseView>(std::move(listed));
    }
    AllocationFacts facts = hooks_.facts();
    if (const auto held = lease()) facts.previous = held->key;
    ASSIGN_OR_RETURN(const Allocation allocation, choose_subnet(conf_, *view, facts, roll));
    ASSIGN_OR_RETURN(const bool taken, try_to_take(allocation));
    if (taken) return {};
    spdlog::debug("lease {}: another node was faster", allocation.key.describe());
  }
  return fail("another node was faster " + std::to_string(kTries) + " times");
}

bool AllocatingKeeper::suspicious(const LeaseView& view, const Lease& lease) const {
  const auto found = view.leases.find(lease.key);
  return found == view.leases.end() || found->second.version != lease.version;
}

Result<bool> AllocatingKeeper::still_ours(const Lease& lease) {
  ASSIGN_OR_RETURN(const LeaseView leases, store_.list());
  const auto found = leases.leases.find(lease.key);
  if (found == leases.leases.end()) return false;
  const Lease& present = found->second;
  if (present.version == lease.version) return true;
  if (present.attributes.public_ipv4 != lease.attributes.public_ipv4 ||
      present.attributes.public_ipv6 != lease.attributes.public_ipv6)
    return false;
  if (present.attributes == lease.attributes) {
    RETURN_IF_ERROR(share(present));
  } else {
    // A person, or something that is no agent of this node. Write it as it is.
    RETURN_IF_ERROR(rewrite(present));
  }
  return true;
}

// Only an agent writes so, and this one did not: another node has our public address, and so our
// subnet. Neither can know which of the two should go. Each says so, and rewrites the lease once so
// that the other hears of it, too; both then keep what they have, or they would answer each other
// for ever.
Status AllocatingKeeper::share(Lease present) {
  if (answers_.allows("")) {
    spdlog::error(
        "lease {}: written in this node's name by somebody else: another node, or a second daemon "
        "of this one, has the public address {} and gives pods the same addresses; give each node "
        "its own --public-ip",
        present.key.describe(), public_address(present));
    return rewrite(present);
  }
  ASSIGN_OR_RETURN(present.expiry, store_.expiry(present));
  hold(std::move(present));
  return {};
}

milliseconds AllocatingKeeper::step(const std::shared_ptr<const LeaseView>& view,
                                    std::chrono::system_clock::time_point now) {
  const auto held = lease();
  const bool wrong_text = held && held->attributes != hooks_.attributes(*held);
  const bool due = held && held->expiry && now + times_.renew_margin >= *held->expiry;
  Status status;
  if (!held) {
    status = acquire(view);
  } else if (view && suspicious(*view, *held)) {
    auto ours = still_ours(*held);
    status = !ours ? Status(Failure(ours.error())) : *ours ? Status() : acquire(nullptr);
  } else if (wrong_text || due) {
    status = rewrite(*held);
    if (status && due) spdlog::debug("lease {}: renewed", held->key.describe());
  }
  const auto again = settle(
      status, held ? "keeping the lease " + held->key.describe() : "getting a lease", kLongest);
  if (!status) return again;
  const auto lease_now = lease();
  if (!lease_now->expiry) return kLongest;
  const auto left =
      std::chrono::duration_cast<milliseconds>(*lease_now->expiry - times_.renew_margin - now);
  return std::clamp(left, milliseconds(1000), kLongest);
}

}  // namespace weft::overlay
