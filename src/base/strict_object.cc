#include "base/strict_object.h"

#include <algorithm>

#include "base/text.h"

namespace weft {
namespace {

const Json* present(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Failure wrong_type(const std::string& where, const std::string& key, const char* wanted) {
  return fail(where + ": \"" + key + "\" must be " + wanted);
}

}  // namespace

Status check_keys(const Json& object, const std::vector<std::string>& allowed,
                  const std::string& where) {
  if (!object.is_object()) return fail(where + " must be a map of keys and values");
  for (const auto& [key, value] : object.items()) {
    if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    const auto meant = nearest(key, allowed);
    std::string known;
    for (const auto& name : allowed) known += (known.empty() ? "" : ", ") + name;
    return fail(where + ": unknown key \"" + key + "\"",
                meant ? "did you mean \"" + *meant + "\"?" : "the keys here are " + known);
  }
  return {};
}

Result<std::optional<std::string>> text_member(const Json& object, const std::string& key,
                                               const std::string& where) {
  const Json* member = present(object, key);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) return wrong_type(where, key, "a text");
  return member->get<std::string>();
}

Result<std::vector<std::string>> texts_member(const Json& object, const std::string& key,
                                              const std::string& where) {
  const Json* member = present(object, key);
  if (member == nullptr) return std::vector<std::string>();
  if (member->is_string()) return std::vector<std::string>{member->get<std::string>()};
  if (!member->is_array()) return wrong_type(where, key, "a text or a list of texts");
  std::vector<std::string> texts;
  for (const auto& element : *member) {
    if (!element.is_string()) return wrong_type(where, key, "a text or a list of texts");
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

Result<std::optional<std::int64_t>> number_member(const Json& object, const std::string& key,
                                                  std::int64_t least, std::int64_t most,
                                                  const std::string& where) {
  const Json* member = present(object, key);
  if (member == nullptr) return std::nullopt;
  const bool fits = member->is_number_integer() && member->get<std::int64_t>() >= least &&
                    member->get<std::int64_t>() <= most;
  if (!fits)
    return wrong_type(
        where, key,
        ("a number from " + std::to_string(least) + " to " + std::to_string(most)).c_str());
  return member->get<std::int64_t>();
}

Result<std::optional<bool>> bool_member(const Json& object, const std::string& key,
                                        const std::string& where) {
  const Json* member = present(object, key);
  if (member == nullptr) return std::nullopt;
  if (!member->is_boolean()) return wrong_type(where, key, "true or false");
  return member->get<bool>();
}

}  // namespace weft
