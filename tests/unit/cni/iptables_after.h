// iptables_after.h: what edits make of chains, without a kernel.
#pragma once

#include "net/iptables_plan.h"

namespace weft::test {

/// For rules that are understood.
inline PresentChains after(const IptablesEdits& edits, PresentChains chains) {
  for (const auto& edit : edits) {
    if (const auto* put = std::get_if<PutIptablesChain>(&edit)) chains[put->chain];
    if (const auto* added = std::get_if<AddIptablesRule>(&edit)) {
      auto& rules = chains[added->chain];
      rules.insert(added->in_front ? rules.begin() : rules.end(),
                   {.words = added->rule.words(), .owner = added->owner});
    }
    if (const auto* gone = std::get_if<DropIptablesRule>(&edit))
      std::erase(chains[gone->chain], gone->rule);
    if (const auto* dropped = std::get_if<DropIptablesChain>(&edit)) chains.erase(dropped->chain);
  }
  return chains;
}

}  // namespace weft::test
