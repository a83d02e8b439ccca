#include "matrix/look_up.h"

#include <algorithm>
#include <array>

namespace weft::matrix {
namespace {

// Extended errors (RFC 8914, section 4) that a person can do something about.
struct Advice {
  std::uint16_t code;
  const char* next;
};
constexpr std::uint16_t kNoReachableAuthority = 22;
constexpr std::uint16_t kStaleAnswer = 3;
constexpr std::array<Advice, 8> kAdvice = {{
    {kStaleAnswer, "no upstream could be asked in time: look at those that the server forwards to"},
    {14, "wait a moment; if it lasts, the server's log says why it cannot read the cluster"},
    {15, "the Corefile's acl forbids it"},
    {17, "the Corefile's acl forbids it"},
    {18, "the server's Corefile does not allow it"},
    {20, "no zone or plugin of the server's Corefile is for this name"},
    {kNoReachableAuthority,
     "give the node's resolv.conf, or the Corefile's forward, a nameserver that pods can reach: "
     "none on a loopback address, and not the cluster's own"},
    {23,
     "see whether the DNS server's pod reaches that upstream: weft matrix tests the way out of the "
     "cluster, and without masquerading (ipMasq) no answer finds back"},
}};

std::string advice_for(const DnsAnswer& answer) {
  const auto found = std::find_if(kAdvice.begin(), kAdvice.end(), [&](const Advice& advice) {
    return answer.why_code == advice.code;
  });
  return found == kAdvice.end() ? "the server's log may say more" : found->next;
}

bool is_denial(const DnsAnswer& answer) {
  return answer.code == "NXDOMAIN" || (answer.code == "NOERROR" && answer.addresses.empty());
}

// Something that the resolver takes for an answer.
bool is_of_use(const Asked& asked) {
  return asked.answer && (!asked.answer->addresses.empty() || is_denial(*asked.answer));
}

bool is_silent(const LookUpStep& step) {
  return std::none_of(step.asked.begin(), step.asked.end(),
                      [](const Asked& asked) { return asked.answer.has_value(); });
}

LookUpStep try_name(const NameToTry& tried, const ResolvConf& file, const AskServer& ask) {
  LookUpStep step{.tried = tried};
  if (tried.is_too_long) return step;
  for (const std::string& text : file.servers) {
    const auto server = IpAddress::parse(text);
    if (!server) continue;
    const auto answers = ask(tried.name, *server);
    step.asked.insert(step.asked.end(), answers.begin(), answers.end());
    if (std::all_of(answers.begin(), answers.end(), is_of_use)) break;
  }
  return step;
}

std::string listed(const std::set<IpAddress>& addresses) {
  std::string text;
  for (const auto& address : addresses) text += (text.empty() ? "" : ", ") + address.to_string();
  return text;
}

template <class Condition>
const Asked* find_asked(const LookUp& looked_up, Condition condition) {
  for (const LookUpStep& step : looked_up.steps)
    for (const Asked& asked : step.asked)
      if (condition(asked)) return &asked;
  return nullptr;
}

bool has_failed(const Asked& asked) {
  return asked.answer && !is_of_use(asked);
}

LookUpVerdict judge_found(const LookUp& looked_up) {
  const std::string& name = looked_up.steps.back().tried.name;
  LookUpVerdict verdict{.sentence = looked_up.name + " is " + listed(looked_up.addresses) +
                                    ": found as " + name + ", name " +
                                    std::to_string(looked_up.steps.size()) + " of " +
                                    std::to_string(looked_up.names)};
  const auto* stale = find_asked(looked_up, [](const Asked& asked) {
    return asked.answer && asked.answer->why_code == kStaleAnswer;
  });
  const auto* failed = find_asked(looked_up, [](const Asked& asked) { return !is_of_use(asked); });
  if (failed == nullptr && stale == nullptr) return verdict;
  verdict.mark = Mark::kWarning;
  if (stale != nullptr) {
    verdict.sentence += "; the answer is stale";
    verdict.next = advice_for(*stale->answer);
  } else if (failed->answer) {
    verdict.sentence +=
        "; before that " + failed->answer->refusal + " from " + failed->server.to_string();
    verdict.next = advice_for(*failed->answer);
  } else {
    verdict.sentence += "; before that " + failed->failure;
    verdict.next = "each look-up waits for this server: take it out, or see why it is silent";
  }
  return verdict;
}

LookUpVerdict judge_failed(const LookUp& looked_up, const Asked& asked) {
  return {.mark = Mark::kWrong,
          .sentence = looked_up.name + " cannot be looked up: " + asked.answer->refusal + " from " +
                      asked.server.to_string(),
          .next = advice_for(*asked.answer),
          .lacks_upstream = asked.answer->why_code == kNoReachableAuthority};
}

}  // namespace

LookUp look_up(const ResolvConf& file, const std::string& name, const AskServer& ask) {
  const auto names = names_to_try(file, name);
  LookUp result{.name = name, .names = names.size()};
  bool was_silent = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (was_silent && i + 1 < names.size()) continue;
    const LookUpStep& step = result.steps.emplace_back(try_name(names[i], file, ask));
    for (const Asked& asked : step.asked)
      if (asked.answer)
        result.addresses.insert(asked.answer->addresses.begin(), asked.answer->addresses.end());
    if (!result.addresses.empty()) break;
    was_silent = !step.tried.is_too_long && is_silent(step);
  }
  return result;
}

LookUpVerdict judge(const LookUp& looked_up) {
  if (!looked_up.addresses.empty()) return judge_found(looked_up);
  const std::string& name = looked_up.name;
  if (find_asked(looked_up, [](const Asked&) { return true; }) == nullptr)
    return {.mark = Mark::kWrong,
            .sentence = "nobody was asked for " + name + ": " +
                        (looked_up.steps.empty() || looked_up.steps.back().tried.is_too_long
                             ? "it is no name"
                             : "the resolv.conf names no server"),
            .next = "see the lines of the resolv.conf above"};
  if (const Asked* failed = find_asked(looked_up, has_failed))
    return judge_failed(looked_up, *failed);
  if (const Asked* silent = find_asked(looked_up, [](const Asked& each) { return !each.answer; }))
    return {.mark = Mark::kWrong,
            .sentence = name + " cannot be looked up: " + silent->failure,
            .next = "weft matrix shows whether the pod reaches it, and where its packets end"};
  if (find_asked(looked_up, [](const Asked& each) { return each.answer->code == "NOERROR"; }))
    return {.mark = Mark::kWrong,
            .sentence = name + " is there, but has no address",
            .next = "ask for another type (dig TYPE), or see what the name's Service has"};
  return {.mark = Mark::kWrong,
          .sentence = "there is no " + name + ": all servers deny each name of the search",
          .next =
              "a Service elsewhere is NAME.NAMESPACE; a headless one has no name without a "
              "ready endpoint"};
}

}  // namespace weft::matrix
