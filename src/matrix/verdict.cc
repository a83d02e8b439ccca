#include "matrix/verdict.h"

#include <algorithm>

namespace weft::matrix {
namespace {

bool holds(const std::vector<IpAddress>& addresses, const IpAddress& wanted) {
  return std::find(addresses.begin(), addresses.end(), wanted) != addresses.end();
}

std::string first_of_family(const std::vector<IpAddress>& addresses, Family family) {
  for (const auto& address : addresses)
    if (address.family() == family) return address.to_string();
  return "none";
}

// What is wrong with the source that the target saw; empty when it is the right one.
std::string wrong_source(PathClass path_class, const Place& from, const Place& from_node,
                         const IpAddress& seen) {
  const bool is_pod = holds(from.addresses, seen);
  const bool is_node = holds(from_node.own, seen);
  const std::string saw = "the target saw " + seen.to_string() + " instead of ";
  const std::string pod = first_of_family(from.addresses, seen.family());
  switch (path_class) {
    case PathClass::kPodToPodSameNode:
    case PathClass::kPodToPodOtherNode:
    case PathClass::kPodToOwnNode:
      if (is_pod) return {};
      return saw + "the pod's " + pod + ": its source is rewritten on the way" +
             (is_node ? ", masqueraded inside the pod network" : "");
    case PathClass::kPodToOtherNode:
      if (is_pod || is_node) return {};
      return saw + "the pod's or its node's address: its source is rewritten on the way";
    case PathClass::kNodeToPod:
      if (is_node) return {};
      return saw + "an address of the node: its source is rewritten on the way";
    case PathClass::kPodToOutside:
      if (holds(from_node.addresses, seen)) return {};
      if (is_pod) return saw + "the node's address: it is not masqueraded";
      return saw + "the node's " + first_of_family(from_node.addresses, seen.family());
    case PathClass::kPodToClusterAddress:
    case PathClass::kNodeToClusterAddress:
    case PathClass::kPodToOwnService:
    case PathClass::kOutsideToNodePort:
    case PathClass::kOutsideToExternalAddress:
    case PathClass::kPodToClusterName:
    case PathClass::kPodToHeadlessName:
    case PathClass::kPodToOutsideName:
      break;  // judge_service(), judge_name()
  }
  return {};
}

std::string percent(unsigned part, unsigned whole) {
  return std::to_string(part * 100 / whole) + "%";
}

}  // namespace

Verdict judge(PathClass path_class, const Place& from, const Place& from_node,
              const IpAddress& target, const ProbeResult& result) {
  if (result.answered == 0) {
    const std::string why = result.refusal.empty() ? "no answer" : result.refusal;
    return {.mark = Mark::kWrong, .reason = why};
  }
  if (result.source_seen) {
    const std::string wrong = wrong_source(path_class, from, from_node, *result.source_seen);
    if (!wrong.empty()) return {.mark = Mark::kWrong, .reason = wrong};
  }
  const bool black_hole = result.device_mtu && result.mtu.value_or(0) < *result.device_mtu;
  if (black_hole)
    return {.mark = Mark::kWrong,
            .reason = "packets of " + std::to_string(*result.device_mtu) + " bytes to " +
                      target.to_string() + " are lost without a word" +
                      (result.mtu ? ", " + std::to_string(*result.mtu) + " bytes pass" : "")};
  if (result.answered < result.sent) return some_lost(result);
  return {};
}

Verdict some_lost(const ProbeResult& result) {
  return {.mark = Mark::kWarning,
          .reason = percent(result.sent - result.answered, result.sent) + " of " +
                    std::to_string(result.sent) + " probes lost"};
}

Totals count(const std::vector<Cell>& cells) {
  Totals totals;
  for (const auto& cell : cells) {
    if (cell.verdict.mark == Mark::kWrong)
      ++totals.failed;
    else if (cell.verdict.mark == Mark::kWarning)
      ++totals.warnings;
    else
      ++totals.fine;
  }
  return totals;
}

ExitCode exit_code(const Totals& totals) {
  if (totals.failed > 0) return ExitCode::kWrong;
  if (totals.warnings > 0) return ExitCode::kWarnings;
  return totals.fine > 0 ? ExitCode::kFine : ExitCode::kUsage;
}

}  // namespace weft::matrix
