#include "service/mode_choice.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "service/nftables_mode.h"

namespace weft::service {
namespace {

template <class Mode>
Result<std::unique_ptr<ProxyMode>> as_mode(Result<Mode> mode) {
  if (!mode) return Failure(std::move(mode).error());
  return std::make_unique<Mode>(*std::move(mode));
}

}  // namespace

Result<std::string> mode_name(const std::string& word) {
  const std::vector<std::string> names{"nftables", "iptables", "userspace"};
  if (word.empty()) return names.front();
  if (std::find(names.begin(), names.end(), word) != names.end()) return word;
  if (word != "ipvs")
    return fail("there is no mode \"" + word + "\" for services" + did_you_mean(word, names),
                "modes are nftables, iptables and userspace");
  spdlog::warn("services in mode ipvs are done by nftables here: one rule leads to all of them");
  return names.front();
}

Result<std::unique_ptr<ProxyMode>> open_mode(const std::string& name,
                                             const ModeSettings& settings) {
  if (name == "iptables") return as_mode(IptablesMode::open(settings.families, settings.iptables));
  if (name == "userspace")
    return as_mode(UserspaceMode::open(settings.families, settings.userspace));
  return as_mode(NftablesMode::open(settings.families));
}

}  // namespace weft::service
