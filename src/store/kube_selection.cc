#include "store/kube_selection.h"

#include <algorithm>
#include <utility>

#include "base/protobuf.h"
#include "cluster/kube_fields.h"
#include "cluster/object_meta.h"

namespace weft {
namespace {

constexpr std::string_view kName = "metadata.name=";

bool is_of_a_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '/';
}

}  // namespace

// Takes the text from its front.
class KubeSelector::Parser {
 public:
  explicit Parser(std::string_view text) : left_(text) {}

  std::optional<std::vector<Requirement>> all() {
    std::vector<Requirement> requirements;
    for (skip_blanks(); !left_.empty();) {
      if (!requirements.empty() && !take(",")) return std::nullopt;
      auto requirement = one();
      if (!requirement) return std::nullopt;
      requirements.push_back(*std::move(requirement));
    }
    return requirements;
  }

 private:
  std::optional<Requirement> one() {
    const bool absent = take("!");
    Requirement requirement{.key = word(), .negated = absent};
    if (requirement.key.empty()) return std::nullopt;
    if (absent || left_.empty() || left_.front() == ',') return requirement;
    requirement.negated = take("!=");
    if (requirement.negated || take("==") || take("=")) {
      requirement.values = {word()};
      return requirement;
    }
    const std::string relation = word();
    if (relation != "in" && relation != "notin") return std::nullopt;
    requirement.negated = relation == "notin";
    return take("(") && take_values(requirement.values) ? std::optional(requirement) : std::nullopt;
  }

  bool take_values(std::vector<std::string>& values) {
    do {
      values.push_back(word());
    } while (take(","));
    return take(")");
  }

  void skip_blanks() {
    while (!left_.empty() && (left_.front() == ' ' || left_.front() == '\t'))
      left_.remove_prefix(1);
  }
  bool take(std::string_view mark) {
    if (!left_.starts_with(mark)) return false;
    left_.remove_prefix(mark.size());
    skip_blanks();
    return true;
  }
  // May be empty.
  std::string word() {
    const auto end = std::find_if_not(left_.begin(), left_.end(), is_of_a_word);
    std::string text(left_.begin(), end);
    left_.remove_prefix(text.size());
    skip_blanks();
    return text;
  }

  std::string_view left_;
};

std::optional<KubeSelector> KubeSelector::parse(const KubeSelection& selection) {
  KubeSelector selector;
  auto requirements = Parser(selection.labels).all();
  if (!requirements) return std::nullopt;
  selector.requirements_ = *std::move(requirements);
  if (selection.fields.empty()) return selector;
  if (!selection.fields.starts_with(kName)) return std::nullopt;
  selector.name_ = selection.fields.substr(kName.size());
  if (!std::all_of(selector.name_->begin(), selector.name_->end(), is_of_a_word))
    return std::nullopt;
  return selector;
}

KubeSelector::Labels KubeSelector::labels_of(std::string_view message) {
  Labels labels;
  const MetaPairs pairs{
      .label = [&](std::string_view key, std::string_view value) { labels.emplace(key, value); }};
  const Status read = read_protobuf(message, [&](const ProtobufField& field) -> Status {
    if (field.number != kube::object::kMetadata) return {};
    ASSIGN_OR_RETURN(const ObjectMeta ignored, read_object_meta(field.bytes, pairs));
    return {};
  });
  return read ? labels : Labels();
}

// An object without the label passes "!=" and "notin", as the API has it.
bool KubeSelector::holds(const Requirement& requirement, const Labels& labels) {
  const auto label = labels.find(requirement.key);
  const auto& values = requirement.values;
  const bool is_there =
      label != labels.end() &&
      (values.empty() || std::find(values.begin(), values.end(), label->second) != values.end());
  return is_there != requirement.negated;
}

bool KubeSelector::matches(const KubeObject& object) const {
  if (name_ && *name_ != object.meta().name) return false;
  if (requirements_.empty()) return true;
  const Labels labels = labels_of(object.message());
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& requirement) { return holds(requirement, labels); });
}

}  // namespace weft
