#include "cni/plugins/host_local.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/files.h"
#include "cni/attachments.h"
#include "cni/plugins/address_store.h"
#include "cni/plugins/host_local_config.h"

namespace weft::cni {
namespace {

constexpr std::chrono::milliseconds kPatience{20'000};
bool is_before(const timespec& a, const timespec& b) {
  return std::pair(a.tv_sec, a.tv_nsec) < std::pair(b.tv_sec, b.tv_nsec);
}

// So many candidates are simply tried before the table of what is held is looked at.
constexpr int kQuickTries = 32;
// An exhausted pool names so many of its holders.
constexpr std::size_t kHoldersShown = 3;

CniResult<AddressStore> open_store(const HostLocalPlace& place, const Call& call) {
  return AddressStore::open(
      place.data_dir, call.network, kPatience,
      place.release_after_reboot ? FormerBoots::kReleased : FormerBoots::kStay);
}

AddressOwner owner_of(const Call& call) {
  return {.container_id = call.environment.container_id, .ifname = call.environment.ifname};
}

// Not strftime(3): time zones would come in with it, a tenth of the program.
std::string shown(std::time_t time) {
  using namespace std::chrono;
  const sys_seconds moment{seconds(time)};
  const auto day = floor<days>(moment);
  const year_month_day date(day);
  const hh_mm_ss clock(moment - day);
  char text[64];
  std::snprintf(text, sizeof text, "%d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

CniFailure exhausted(AddressStore& store, const RangeSet& set) {
  std::string text = "no IP addresses available in range set: " + to_string(set);
  auto all = store.reservations();
  if (!all) return refuse(text);
  std::erase_if(*all, [&](const Reservation& held) { return !range_of(set, held.address); });
  if (all->empty()) return refuse(text);
  std::sort(all->begin(), all->end(),
            [](const Reservation& a, const Reservation& b) { return is_before(a.since, b.since); });
  text += "; " + std::to_string(all->size()) + " are held, the longest by";
  for (std::size_t i = 0; i < std::min(kHoldersShown, all->size()); ++i) {
    const Reservation& held = (*all)[i];
    text += (i == 0 ? " " : ", ") + held.owner.container_id +
            (held.owner.ifname.empty() ? "" : " (" + held.owner.ifname + ")") + " since " +
            shown(held.since.tv_sec);
  }
  return refuse(Code::kInternal, text,
                "containers that no longer run keep their address until the runtime calls DEL or "
                "GC for them");
}

ResultIp as_result(const IpAddress& address, const AddressRange& range) {
  return {.address = {.address = address, .length = range.subnet.length()},
          .gateway = range.gateway};
}

CniResult<ResultIp> take_requested(AddressStore& store, const AddressOwner& owner,
                                   const RangeSet& set, const IpAddress& wanted,
                                   std::size_t index) {
  const AddressRange& range = *range_of(set, wanted);
  if (wanted == range.gateway)
    return refuse("requested ip " + wanted.to_string() + " is subnet's gateway");
  ASSIGN_OR_RETURN(const bool reserved, store.reserve(owner, wanted, index));
  if (!reserved)
    return refuse("requested IP address " + wanted.to_string() + " is not available in range set " +
                  to_string(set));
  return as_result(wanted, range);
}

CniStatus refuse_second_address(AddressStore& store, const AddressOwner& owner,
                                const RangeSet& set) {
  ASSIGN_OR_RETURN(const auto addresses, store.held_by(owner));
  for (const auto& address : addresses) {
    if (!range_of(set, address)) continue;
    ASSIGN_OR_RETURN(const bool reclaimed, store.reclaim(address));
    if (!reclaimed)
      return refuse(address.to_string() + " has been allocated to " + owner.container_id +
                    ", duplicate allocation is not allowed");
  }
  return {};
}

// Once round; nothing when all are held.
CniResult<std::optional<ResultIp>> find_free(AddressStore& store, const AddressOwner& owner,
                                             const RangeSet& set, std::size_t index) {
  RoundRobin candidates(set, store.last_reserved(index));
  std::vector<IpAddress> held;
  for (int tries = 0;; ++tries) {
    const auto candidate = candidates.next();
    if (!candidate) return std::nullopt;
    if (tries == kQuickTries) {
      ASSIGN_OR_RETURN(held, store.held());
    }
    if (std::binary_search(held.begin(), held.end(), candidate->address)) continue;
    ASSIGN_OR_RETURN(const bool reserved, store.reserve(owner, candidate->address, index));
    if (reserved) return as_result(candidate->address, *candidate->range);
  }
}

CniResult<ResultIp> take_next(AddressStore& store, const AddressOwner& owner, const RangeSet& set,
                              std::size_t index) {
  RETURN_IF_ERROR(refuse_second_address(store, owner, set));
  ASSIGN_OR_RETURN(auto found, find_free(store, owner, set, index));
  if (found) return *found;
  ASSIGN_OR_RETURN(const std::size_t reclaimed, store.reclaim());
  if (reclaimed == 0) return exhausted(store, set);
  ASSIGN_OR_RETURN(found, find_free(store, owner, set, index));
  return found ? CniResult<ResultIp>(*found) : exhausted(store, set);
}

// One address of each set, the wished ones where they fit.
CniStatus allocate(AddressStore& store, const HostLocalConfig& config, const AddressOwner& owner,
                   std::vector<ResultIp>& taken) {
  std::vector<IpAddress> wanted = config.requested;
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (std::size_t i = 0; i < config.sets.size(); ++i) {
    const RangeSet& set = config.sets[i];
    const auto fit = std::find_if(wanted.begin(), wanted.end(), [&](const IpAddress& address) {
      return range_of(set, address) != nullptr;
    });
    auto ip = fit != wanted.end() ? take_requested(store, owner, set, *fit, i)
                                  : take_next(store, owner, set, i);
    if (fit != wanted.end()) wanted.erase(fit);
    if (!ip)
      return because("failed to allocate for range " + std::to_string(i), std::move(ip).error());
    taken.push_back(*ip);
  }
  if (wanted.empty()) return {};
  std::string text = "failed to allocate all requested IPs:";
  for (const auto& address : wanted) text += " " + address.to_string();
  return refuse(text);
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const HostLocalConfig config, read_host_local_config(call));
  AddResult result{.routes = config.routes};
  if (!config.resolv_conf.empty()) {
    ASSIGN_OR_RETURN(const std::string text, read_file(config.resolv_conf));
    result.dns = parse_resolv_conf(text);
  }
  ASSIGN_OR_RETURN(AddressStore store, open_store(config.place, call));
  const auto allocated = allocate(store, config, owner_of(call), result.ips);
  if (allocated) return result;
  // Only what this call took: the container may hold addresses of an earlier ADD.
  for (const auto& ip : result.ips) (void)store.release(ip.address.address);
  return CniFailure(allocated.error());
}

// Nothing is made for a DEL: a network without a folder holds nothing.
bool has_folder(const Call& call) {
  const std::string folder = host_local_place(call.config).data_dir + "/" + call.network;
  return ::access(folder.c_str(), F_OK) == 0;
}

CniStatus del(const Call& call) {
  if (!has_folder(call)) return {};
  ASSIGN_OR_RETURN(AddressStore store, open_store(host_local_place(call.config), call));
  return store.release(owner_of(call));
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const HostLocalConfig config, read_host_local_config(call));
  if (has_folder(call)) {
    ASSIGN_OR_RETURN(AddressStore store, open_store(config.place, call));
    ASSIGN_OR_RETURN(const auto addresses, store.held_by(owner_of(call)));
    if (!addresses.empty()) return {};
  }
  return refuse("host-local: Failed to find address added by container " +
                call.environment.container_id);
}

// A full pool is no reason: the node would be taken for broken and its containers moved.
CniStatus status(const Call& call) {
  const auto config = read_host_local_config(call);
  if (!config) return refuse(Code::kNotAvailable, config.error().message);
  const auto made = make_directories(config->place.data_dir, 0755);
  if (!made) return refuse(Code::kNotAvailable, made.error().text());
  if (::access(config->place.data_dir.c_str(), W_OK) != 0)
    return refuse(Code::kNotAvailable,
                  "cannot write to " + config->place.data_dir + ": " + go_words(errno));
  return {};
}

// What is younger than this call is not on the runtime's list and yet in use: an ADD may have been
// quicker to the lock.
CniStatus gc(const Call& call) {
  timespec began{};
  ::clock_gettime(CLOCK_REALTIME, &began);
  ASSIGN_OR_RETURN(const auto attachments, valid_attachments(call.config));
  if (!has_folder(call)) return {};
  ASSIGN_OR_RETURN(AddressStore store, open_store(host_local_place(call.config), call));
  RETURN_IF_ERROR(store.reclaim());
  ASSIGN_OR_RETURN(const auto all, store.reservations());
  CniStatus first;
  for (const auto& held : all) {
    if (is_before(began, held.since) ||
        is_valid(attachments, held.owner.container_id, held.owner.ifname))
      continue;
    const auto released = store.release(held.address);
    if (!released && first) first = released;
  }
  return first;
}

}  // namespace

const Plugin kHostLocal{.name = "host-local",
                        .add = add,
                        .del = del,
                        .check = check,
                        .status = status,
                        .gc = gc,
                        .kind = Kind::kIpam};

}  // namespace weft::cni
