#include "service/nftables_mode.h"

#include <utility>

namespace weft::service {
namespace {

using nft::TableEdit;

// The kernel takes about a microsecond for an element, and nobody else can change a table while it
// works on a transaction.
constexpr std::size_t kElementsAtOnce = 10'000;

}  // namespace

Result<NftablesMode> NftablesMode::open(const std::vector<RuleOptions>& families) {
  ASSIGN_OR_RETURN(kernel::Nftables nftables, kernel::Nftables::open());
  return NftablesMode(std::move(nftables), families);
}

Status NftablesMode::start(const std::vector<PlannedService>& planned) {
  services_.clear();
  for (const RuleOptions& options : families_) {
    const Family family = options.family;
    const auto load = [&](const std::optional<nft::TableContents>& former) {
      NftServices services(options, former ? NftInheritance(*former, family) : NftInheritance());
      for (const PlannedService& service : planned) {
        const auto plan = service.plans.find(family);
        if (plan != service.plans.end()) services.load(service.name, service.created, plan->second);
      }
      services.forget_inheritance();
      services_.erase(family);
      return services_.emplace(family, std::move(services)).first->second.whole();
    };
    RETURN_IF_ERROR(settle(family, load));
  }
  return {};
}

Result<std::vector<std::string>> NftablesMode::settle(Family family, const Wish& wish) {
  nft::TableContents desired;
  auto done = nftables_.apply_in_portions(
      service_table(family), kElementsAtOnce,
      [&](const std::optional<nft::TableContents>& former) -> const nft::TableContents& {
        return desired = wish(former);
      });
  if (!done) return because("services of " + std::string(to_string(family)), done.error());
  return done;
}

Status NftablesMode::apply(const std::vector<PlannedService>& changed) {
  Status first_failure;
  for (auto& [family, services] : services_) {
    std::vector<TableEdit> edits;
    const auto write = [&, of = family] {
      const Status done = nftables_.apply_edits(service_table(of), edits);
      edits.clear();
      if (!done && first_failure) first_failure = done;
    };
    for (const PlannedService& service : changed) {
      const auto plan = service.plans.find(family);
      if (plan == service.plans.end())
        services.remove(service.name, edits);
      else
        services.put(service.name, service.created, plan->second, edits);
      if (nft::count_elements(edits) >= kElementsAtOnce) write();
    }
    if (!edits.empty()) write();
  }
  return first_failure;
}

Status NftablesMode::set_options(const std::vector<RuleOptions>& families) {
  families_ = families;
  bool rules_differ = false;
  for (const RuleOptions& options : families) {
    const auto services = services_.find(options.family);
    if (services == services_.end()) continue;
    const auto edits = services->second.set_options(options);
    rules_differ = rules_differ || !edits;
    if (edits && !edits->empty())
      RETURN_IF_ERROR(nftables_.apply_edits(service_table(options.family), *edits));
  }
  if (!rules_differ) return {};
  // Rules have numbers, which only the kernel knows.
  ASSIGN_OR_RETURN(const auto words, repair());
  return {};
}

Result<std::vector<std::string>> NftablesMode::repair() {
  std::vector<std::string> words;
  for (auto& [family, services] : services_) {
    const auto whole = [&of = services](const auto&) { return of.whole(); };
    ASSIGN_OR_RETURN(auto done, settle(family, whole));
    for (auto& word : done)
      words.push_back(service_table(family).to_string() + ": " + std::move(word));
  }
  return words;
}

Status NftablesMode::remove() {
  for (const RuleOptions& options : families_)
    RETURN_IF_ERROR(nftables_.remove_table(service_table(options.family)));
  services_.clear();
  return {};
}

bool NftablesMode::is_concerned(const kernel::KernelEvent& event) const {
  return event.topic == kernel::Topic::kNftables && event.name == service_table(event.family).name;
}

}  // namespace weft::service
