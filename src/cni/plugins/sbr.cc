#include "cni/plugins/sbr.h"

#include <algorithm>
#include <iterator>

#include "cni/interface.h"
#include "cni/plugins/sbr_plan.h"

namespace weft::cni {
namespace {

using kernel::Request;
using kernel::RouteWrite;
using kernel::Rtnetlink;

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

CniResult<std::vector<PolicyRule>> all_rules(Rtnetlink& inside) {
  std::vector<PolicyRule> rules;
  for (const Family family : kFamilies) {
    ASSIGN_OR_RETURN(const auto some, inside.rules(family));
    rules.insert(rules.end(), some.begin(), some.end());
  }
  return rules;
}

CniResult<bool> has_routes(Rtnetlink& inside, RouteTable table, Family family) {
  ASSIGN_OR_RETURN(const auto routes, inside.routes(family, table));
  return !routes.empty();
}

bool leaves_by(const Route& route, LinkIndex link) {
  return !route.hops.empty() &&
         std::all_of(route.hops.begin(), route.hops.end(),
                     [link](const NextHop& hop) { return hop.link == link; });
}

/// Looks at as many tables as the plan may need.
CniResult<SbrFacts> read_facts(Rtnetlink& inside, LinkIndex link, std::size_t tables) {
  SbrFacts facts{.link = link};
  ASSIGN_OR_RETURN(const auto rules, all_rules(inside));
  for (const auto& rule : rules) facts.used_tables.insert(rule.table);
  for (std::uint32_t number = kFirstSbrTable; tables > 0; ++number) {
    const RouteTable table{number};
    if (facts.used_tables.contains(table)) continue;
    ASSIGN_OR_RETURN(const bool used_by_v4, has_routes(inside, table, Family::kIpv4));
    ASSIGN_OR_RETURN(const bool used_by_v6, has_routes(inside, table, Family::kIpv6));
    if (used_by_v4 || used_by_v6)
      facts.used_tables.insert(table);
    else
      --tables;
  }
  for (const Family family : kFamilies) {
    ASSIGN_OR_RETURN(const auto routes, inside.routes(family));
    std::copy_if(routes.begin(), routes.end(), std::back_inserter(facts.routes),
                 [link](const Route& route) { return leaves_by(route, link); });
  }
  return facts;
}

/// A step with its opposite.
struct Step {
  Request request;
  Request undo;
  std::string tried;
};

std::vector<Step> steps_of(const SbrPlan& plan) {
  std::vector<Step> steps;
  for (const auto& rule : plan.rules)
    steps.push_back(
        {kernel::encode_rule(rule), kernel::encode_delete_rule(rule), "Failed to add rule"});
  for (const auto& route : plan.puts)
    steps.push_back({kernel::encode_route(route, RouteWrite::kReplace),
                     kernel::encode_delete_route(route),
                     "Failed to add the route " + describe(route, "")});
  for (const auto& route : plan.removals)
    steps.push_back({kernel::encode_delete_route(route),
                     kernel::encode_route(route, RouteWrite::kAppend),
                     "Failed to delete the route " + describe(route, "")});
  for (const auto& route : plan.hints)
    steps.push_back({kernel::encode_route(route, RouteWrite::kReplace),
                     kernel::encode_delete_route(route),
                     "Failed to replace the route " + describe(route, "")});
  return steps;
}

CniStatus carry_out(Rtnetlink& inside, const SbrPlan& plan) {
  std::vector<Step> steps = steps_of(plan);
  std::vector<Request> undo;  // the last step first
  for (auto& step : steps) {
    std::vector<Request> request;
    request.push_back(std::move(step.request));
    const Status done = inside.request_all(request).front();
    if (!done) {
      (void)inside.request_all(undo);
      return because(step.tried, CniError(done.error()));
    }
    undo.insert(undo.begin(), std::move(step.undo));
  }
  return {};
}

CniResult<AddResult> add(const Call& call) {
  const std::string& ifname = call.environment.ifname;
  ASSIGN_OR_RETURN(const SbrConfig config, read_sbr_config(call));
  ASSIGN_OR_RETURN(auto result, previous_result(call.config, call.version));
  if (!result) return refuse("This plugin must be called as chained plugin");
  ASSIGN_OR_RETURN(const auto addresses, addresses_on(*result, ifname));
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  RETURN_IF_ERROR(lock_netns(container));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto link, inside.link(ifname));
  if (!link) return refuse("Cannot find network interface " + ifname + ": Link not found");
  ASSIGN_OR_RETURN(const SbrFacts facts,
                   read_facts(inside, link->index, config.table ? 0 : addresses.size()));
  RETURN_IF_ERROR(carry_out(inside, plan_sbr(config, addresses, facts)));
  return *std::move(result);
}

// Those on the device; where it is gone, those that the result tells of.
CniResult<std::vector<IpAddress>> addresses_to_forget(Rtnetlink& inside, const Call& call) {
  std::vector<IpAddress> addresses;
  ASSIGN_OR_RETURN(const auto link, inside.link(call.environment.ifname));
  if (link) {
    ASSIGN_OR_RETURN(const auto held, inside.addresses(link->index));
    for (const auto& address : held) addresses.push_back(address.key.address.address);
    return addresses;
  }
  const auto result = previous_result(call.config, call.version);
  if (!result || !*result) return addresses;
  if (const auto ips = addresses_on(**result, call.environment.ifname))
    for (const auto& ip : *ips) addresses.push_back(ip.address.address);
  return addresses;
}

// The routes go with the device, which is another plugin's.
CniStatus del(const Call& call) {
  ASSIGN_OR_RETURN(const auto container, open_netns_if_there(call.environment.netns));
  if (!container) return {};
  const SbrConfig config = read_sbr_config(call).value_or(SbrConfig{});
  RETURN_IF_ERROR(lock_netns(*container));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(*container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto addresses, addresses_to_forget(inside, call));
  ASSIGN_OR_RETURN(const auto rules, all_rules(inside));
  std::vector<Request> requests;
  for (const auto& rule : rules_from(config, rules, addresses))
    requests.push_back(kernel::encode_delete_rule(rule));
  for (const auto& verdict : inside.request_all(requests))
    if (const Status gone = kernel::ignore_errno(verdict, ENOENT); !gone)
      return because("Failed to delete rule", CniError(gone.error()));
  return {};
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const SbrConfig config, read_sbr_config(call));
  ASSIGN_OR_RETURN(const auto result, previous_result(call.config, call.version));
  if (!result) return refuse("This plugin must be called as chained plugin");
  ASSIGN_OR_RETURN(const auto addresses, addresses_on(*result, call.environment.ifname));
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto rules, all_rules(inside));
  for (const auto& ip : addresses) {
    const auto found = rules_from(config, rules, {ip.address.address});
    if (found.empty())
      return refuse("there is no rule for packets from " + ip.address.address.to_string());
    if (config.table) continue;
    const RouteTable table = found.front().table;
    ASSIGN_OR_RETURN(const auto routes, inside.routes(ip.address.address.family(), table));
    const auto words = [&](const std::string& what) {
      return refuse("table " + std::to_string(static_cast<std::uint32_t>(table)) + " has no " +
                    what + " for packets from " + ip.address.address.to_string());
    };
    if (routes.empty()) return words("routes");
    if (const auto missing = missing_route(config, ip, *result, routes))
      return words("route to " + missing->to_string());
  }
  return {};
}

}  // namespace

const Plugin kSbr{.name = "sbr",
                  .add = add,
                  .del = del,
                  .check = check,
                  .status = nullptr,
                  .gc = nullptr,
                  .kind = Kind::kMeta};

}  // namespace weft::cni
