// sbr_plan.h: source based routing of one device: which rules and routes it takes. Pure.
//
// Source: containernetworking/plugins, plugins/meta/sbr.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cni/plugin.h"
#include "net/route.h"

namespace weft::cni {

/// The first table that an address may get.
inline constexpr std::uint32_t kFirstSbrTable = 100;

struct SbrConfig {
  std::optional<RouteTable> table = {};  ///< whose routes are somebody else's business
  std::optional<IpAddress> gateway_v4 = {};
  std::optional<IpAddress> gateway_v6 = {};
  bool source_hints = false;
};

CniResult<SbrConfig> read_sbr_config(const Call& call);

/// The addresses of a result that belong to `ifname` or to nobody. Fails where a result has none.
CniResult<std::vector<ResultIp>> addresses_on(const AddResult& result, const std::string& ifname);

/// The device in its namespace.
struct SbrFacts {
  LinkIndex link = LinkIndex::kNone;
  std::vector<Route> routes = {};         ///< of the device, in the main table
  std::set<RouteTable> used_tables = {};  ///< that a rule or route refers to
};

/// In this order. Nothing is removed from the main table before the others have their routes:
/// gateways are found by it.
struct SbrPlan {
  std::vector<PolicyRule> rules = {};
  std::vector<Route> puts = {};
  std::vector<Route> removals = {};
  std::vector<Route> hints = {};  ///< of the main table, with the source address to prefer
};

/// Every address gets a table of its own, the first free one, in which are a default
/// route and the device's routes that go with the address.
SbrPlan plan_sbr(const SbrConfig& config, const std::vector<ResultIp>& addresses,
                 const SbrFacts& facts);

/// Among the routes that an ADD has put into an address's table, as far as configuration and result
/// tell of them, the first that is not in `present`. A default route may have another gateway: the
/// device's own wins over the configuration's.
std::optional<Prefix> missing_route(const SbrConfig& config, const ResultIp& ip,
                                    const AddResult& result, const std::vector<Route>& present);

/// The rules of an attachment: those for one source address that is among `addresses`, and of the
/// configuration's table if it names one.
std::vector<PolicyRule> rules_from(const SbrConfig& config, const std::vector<PolicyRule>& rules,
                                   const std::vector<IpAddress>& addresses);

}  // namespace weft::cni
