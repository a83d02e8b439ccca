#include "dns/acl_plugin.h"

#include <algorithm>

namespace weft::dns {
namespace {

bool fits(const AclRule& rule, const Exchange& exchange) {
  const bool is_type = rule.types.empty() || std::find(rule.types.begin(), rule.types.end(),
                                                       exchange.query.type) != rule.types.end();
  return is_type && (rule.sources.empty() ||
                     std::any_of(rule.sources.begin(), rule.sources.end(), [&](const Prefix& each) {
                       return each.contains(exchange.client.address);
                     }));
}

}  // namespace

Step AclPlugin::serve(Exchange& exchange) {
  if (!is_below(exchange.name, options_.zones)) return Step::kNext;
  const auto rule = std::find_if(options_.rules.begin(), options_.rules.end(),
                                 [&](const AclRule& each) { return fits(each, exchange); });
  if (rule == options_.rules.end()) return Step::kNext;
  switch (rule->action) {
    case AclRule::Action::kAllow:
      return Step::kNext;
    case AclRule::Action::kBlock:
      exchange.fail(Rcode::kRefused, ExtendedError::kBlocked, "not for this client (acl)");
      return Step::kReply;
    case AclRule::Action::kFilter:
      exchange.fail(Rcode::kNoError, ExtendedError::kFiltered, "not for this client (acl)");
      return Step::kReply;
    case AclRule::Action::kDrop:
      return Step::kDrop;
  }
  return Step::kNext;
}

}  // namespace weft::dns
