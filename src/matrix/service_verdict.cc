#include "matrix/service_verdict.h"

#include <algorithm>
#include <set>
#include <string>

namespace weft::matrix {
namespace {

template <class Value>
bool holds(const std::vector<Value>& values, const Value& wanted) {
  return std::find(values.begin(), values.end(), wanted) != values.end();
}

Verdict wrong(std::string reason) {
  return {.mark = Mark::kWrong, .reason = std::move(reason)};
}

// What is wrong with whom an endpoint saw; empty when it is right.
std::string wrong_source(const Place& from, const Place& from_node, const Place& service,
                         const std::vector<IpAddress>& nodes, const Answer& answer) {
  const std::string saw = answer.name + " saw " + answer.source.to_string() + " instead of ";
  if (from.kind == PlaceKind::kOutside) {
    const bool keeps_source = service.only_local && service.style == ProxyStyle::kRewritten;
    if (keeps_source)
      return holds(from.own, answer.source)
                 ? ""
                 : saw + "the client's own address, which externalTrafficPolicy Local keeps";
    return holds(nodes, answer.source) ? "" : saw + "a node's address: its answer may go astray";
  }
  const bool by_node = from.kind == PlaceKind::kNode || service.style == ProxyStyle::kProxied ||
                       answer.name == from.name;
  if (by_node)
    return holds(from_node.own, answer.source) ? "" : saw + "an address of " + from_node.name;
  if (holds(from.addresses, answer.source)) return {};
  return saw + "the pod's own address: it is masqueraded inside the pod network";
}

Verdict judge_spread(const Place& service, const ProbeResult& result) {
  std::set<std::string> names;
  for (const auto& answer : result.answers) names.insert(answer.name);
  if (service.sticky && names.size() > 1)
    return wrong(std::to_string(names.size()) +
                 " endpoints answered one client, in spite of sessionAffinity ClientIP");
  const bool one_for_all = names.size() == 1 && service.endpoints.size() > 1 && !service.sticky;
  if (one_for_all && !service.only_local && result.answered >= kServiceProbes)
    return {.mark = Mark::kWarning,
            .reason = *names.begin() + " answered all " + std::to_string(result.answered) +
                      " probes, of " + std::to_string(service.endpoints.size()) + " endpoints"};
  return {};
}

}  // namespace

Verdict judge_service(const Place& from, const Place& from_node, const Place& service,
                      const std::vector<IpAddress>& nodes, const ProbeResult& result) {
  if (result.answered == 0 && service.endpoints.empty())
    return {.mark = Mark::kWarning, .reason = "the service has no ready endpoint"};
  if (result.answered == 0) return wrong(result.refusal.empty() ? "no answer" : result.refusal);
  for (const auto& answer : result.answers) {
    if (!holds(service.endpoints, answer.name))
      return wrong(answer.name + " answered, which is no ready endpoint of the service");
    if (std::string reason = wrong_source(from, from_node, service, nodes, answer); !reason.empty())
      return wrong(std::move(reason));
  }
  if (result.answered < result.sent) return some_lost(result);
  return judge_spread(service, result);
}

}  // namespace weft::matrix
