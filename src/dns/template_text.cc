#include "dns/template_text.h"

#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace weft::dns {
namespace {

constexpr std::string_view kBegin = "{{";
constexpr std::string_view kEnd = "}}";

}  // namespace

Result<TemplateText> TemplateText::parse(std::string_view text) {
  TemplateText result;
  while (!text.empty()) {
    const std::size_t begin = text.find(kBegin);
    if (begin != 0) {
      result.parts_.push_back({.text = std::string(text.substr(0, begin))});
      text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
      continue;
    }
    const std::size_t end = text.find(kEnd);
    if (end == std::string_view::npos) return fail(shown(text) + " has no }} at its end");
    ASSIGN_OR_RETURN(Part part, field(trim(text.substr(kBegin.size(), end - kBegin.size()))));
    result.parts_.push_back(std::move(part));
    text.remove_prefix(end + kEnd.size());
  }
  return result;
}

Result<TemplateText::Part> TemplateText::field(std::string_view expression) {
  using Kind = Part::Kind;
  const std::pair<std::string_view, Kind> fields[] = {{".Name", Kind::kName},
                                                      {".Zone", Kind::kZone},
                                                      {".Class", Kind::kClass},
                                                      {".Type", Kind::kType},
                                                      {".Remote", Kind::kRemote}};
  for (const auto& [name, kind] : fields)
    if (expression == name) return Part{.kind = kind};
  constexpr std::string_view kGroup = ".Group.";
  if (expression.starts_with(kGroup))
    return Part{.kind = Kind::kGroup, .text = std::string(expression.substr(kGroup.size()))};
  constexpr std::string_view kIndex = "index .Match ";
  const auto index = expression.starts_with(kIndex)
                         ? parse_number(trim(expression.substr(kIndex.size())))
                         : std::nullopt;
  if (index) return Part{.kind = Kind::kIndex, .index = static_cast<std::size_t>(*index)};
  return fail("{{ " + std::string(expression) + " }} is not served",
              "use .Name, .Zone, .Class, .Type, .Remote, .Group.NAME or index .Match NUMBER");
}

std::string TemplateText::value(const Part& part, const TemplateValues& values) {
  using Kind = Part::Kind;
  const auto group = [&](std::size_t index) {
    return index < values.groups.size() ? values.groups[index] : std::string();
  };
  switch (part.kind) {
    case Kind::kText:
      return part.text;
    case Kind::kName:
      return values.name;
    case Kind::kZone:
      return values.zone;
    case Kind::kClass:
      return "IN";
    case Kind::kType:
      return values.type;
    case Kind::kRemote:
      return values.remote;
    case Kind::kIndex:
      return group(part.index);
    case Kind::kGroup: {
      const auto place = values.group_names.find(part.text);
      return place == values.group_names.end() ? std::string()
                                               : group(static_cast<std::size_t>(place->second));
    }
  }
  return {};
}

std::string TemplateText::expand(const TemplateValues& values) const {
  std::string text;
  for (const Part& part : parts_) text += value(part, values);
  return text;
}

}  // namespace weft::dns
