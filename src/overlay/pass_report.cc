#include "overlay/pass_report.h"

#include <algorithm>
#include <utility>

namespace weft::overlay {
namespace {

constexpr std::size_t kNamedSingly = 3;

std::string_view heading(PassCause cause) {
  switch (cause) {
    case PassCause::kStart:
      return "set up: ";
    case PassCause::kPeers:
      return "peers changed: ";
    case PassCause::kDrift:
      break;
  }
  return "repaired: ";
}

}  // namespace

void PassReport::edit(std::string_view kind, std::string object, std::string found,
                      std::string done) {
  edits_.push_back({std::string(kind), std::move(object), std::move(found), std::move(done)});
}

void PassReport::failure(std::string what) {
  failures_.push_back(std::move(what));
}

void PassReport::refusal(std::string what) {
  refusals_.push_back(std::move(what));
}

std::map<std::string, std::size_t> PassReport::edits_by_kind() const {
  std::map<std::string, std::size_t> counts;
  for (const auto& edit : edits_) ++counts[edit.kind];
  return counts;
}

std::string PassReport::line(PassCause cause) const {
  if (edits_.empty()) return "";
  // Groups of one kind and one fate, in the order in which they first came up.
  std::vector<std::vector<const Edit*>> groups;
  for (const auto& edit : edits_) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return group[0]->kind == edit.kind && group[0]->found == edit.found &&
             group[0]->done == edit.done;
    });
    if (same == groups.end())
      groups.push_back({&edit});
    else
      same->push_back(&edit);
  }
  std::string text;
  for (const auto& group : groups) {
    if (!text.empty()) text += "; ";
    if (group.size() > kNamedSingly) {
      text += std::to_string(group.size()) + " " + group[0]->kind;
    } else {
      for (std::size_t i = 0; i < group.size(); ++i)
        text += (i == 0 ? "" : ", ") + group[i]->object;
    }
    text += " " + group[0]->found + ": " + group[0]->done;
  }
  return std::string(heading(cause)) + text;
}

}  // namespace weft::overlay
