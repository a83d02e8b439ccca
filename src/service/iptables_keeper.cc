#include "service/iptables_keeper.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace weft::service {
namespace {

// iptables-restore keeps others from the tables while it runs, and is given 30 seconds. With the
// nft variant it manages this many in some of them.
constexpr std::size_t kRulesAtOnce = 20'000;

Failure of_family(Family family, const Error& error) {
  return because("services of " + std::string(to_string(family)), error);
}

Result<IptablesTables> read_tables(const kernel::Iptables& programs,
                                   std::initializer_list<const char*> names) {
  IptablesTables tables;
  for (const char* name : names) {
    ASSIGN_OR_RETURN(tables[name], programs.read(name));
  }
  return tables;
}

}  // namespace

Result<IptablesKeeper> IptablesKeeper::open(const IptablesDesign& design,
                                            const std::vector<Family>& families,
                                            const std::string& flavour) {
  IptablesKeeper keeper(design);
  for (const Family family : families) {
    ASSIGN_OR_RETURN(kernel::Iptables programs, kernel::Iptables::find(family, flavour));
    keeper.programs_.emplace(family, std::move(programs));
  }
  if (!keeper.needs_legacy_watch()) {
    ASSIGN_OR_RETURN(keeper.nftables_, kernel::Nftables::open());
  }
  return keeper;
}

bool IptablesKeeper::needs_legacy_watch() const {
  return std::any_of(programs_.begin(), programs_.end(), [](const auto& entry) {
    return entry.second.version().variant == kernel::IptablesVersion::Variant::kLegacy;
  });
}

bool IptablesKeeper::is_concerned(const kernel::KernelEvent& event) const {
  return event.topic == kernel::Topic::kNftables && programs_.contains(event.family) &&
         (event.name == "nat" || event.name == "filter");
}

bool IptablesKeeper::is_untouched() {
  return own_generation_ && generation() == own_generation_;
}

Status IptablesKeeper::apply(const std::map<Family, IptablesUpdate>& updates) {
  const auto before = generation();
  const bool was_own = own_generation_.has_value() && before == own_generation_;
  own_generation_.reset();
  Status first_failure;
  for (const auto& [family, update] : updates) {
    const Status written = write(programs_.at(family), update);
    if (!written && first_failure) first_failure = of_family(family, written.error());
  }
  if (first_failure && was_own) note_own_commits(before);
  return first_failure;
}

Result<std::vector<std::string>> IptablesKeeper::settle(const Wish& wish) {
  own_generation_.reset();
  const auto before = generation();
  std::vector<std::string> words;
  for (const auto& [family, programs] : programs_) {
    auto done = settle_family(programs, wish(family));
    if (!done) return of_family(family, done.error());
    for (auto& word : *done) words.push_back(programs.name() + ": " + std::move(word));
  }
  note_own_commits(before);
  return words;
}

Result<std::vector<std::string>> IptablesKeeper::settle_family(const kernel::Iptables& programs,
                                                               const IptablesContents& wanted) {
  ASSIGN_OR_RETURN(const IptablesTables actual, read_tables(programs, {"filter", "nat"}));
  const IptablesUpdate update = plan_iptables(*design_, wanted, actual);
  RETURN_IF_ERROR(write(programs, update));
  return describe(update);
}

Status IptablesKeeper::write(const kernel::Iptables& programs, const IptablesUpdate& update) {
  for (const std::string& script : restore_scripts(update, kRulesAtOnce)) {
    if (const Status done = programs.restore(script); !done) {
      const std::string blamed = blamed_line(script, done.error().text());
      return blamed.empty() ? done : because("\"" + blamed + "\"", done.error());
    }
    commits_ += commits_of(script);
  }
  return {};
}

std::optional<std::uint32_t> IptablesKeeper::generation() {
  commits_ = 0;
  if (!nftables_) return std::nullopt;
  const auto number = nftables_->generation();
  return number ? std::optional(*number) : std::nullopt;
}

void IptablesKeeper::note_own_commits(std::optional<std::uint32_t> before) {
  const std::uint32_t own = commits_;
  // Others' commits in between make it more.
  if (const auto now = generation(); before && now && *now == *before + own) own_generation_ = now;
}

Status IptablesKeeper::remove() {
  own_generation_.reset();
  for (const auto& [family, programs] : programs_) {
    const auto tables = read_tables(programs, {"filter", "mangle", "nat"});
    if (!tables) return of_family(family, tables.error());
    const Status done = write(programs, plan_iptables_removal(design_->is_own, *tables));
    if (!done) return of_family(family, done.error());
  }
  return {};
}

}  // namespace weft::service
