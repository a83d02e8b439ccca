// rewrite.h: the plugin `rewrite`: a question that stands for another one. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/pattern.h"
#include "dns/lookup_name.h"
#include "dns/name.h"
#include "dns/protocol.h"

namespace weft::dns {

/// One line of it. Texts are in small letters; names end with a dot.
struct RewriteRule {
  enum class Kind : std::uint8_t { kExact, kPrefix, kSuffix, kSubstring, kRegex, kType };
  Kind kind = Kind::kExact;
  std::string from = {};
  std::string to = {};                  ///< of kRegex with {1} for its first group
  std::optional<Pattern> pattern = {};  ///< of kRegex
  RecordType from_type = RecordType::kNone;
  RecordType to_type = RecordType::kNone;
  bool goes_on = false;          ///< `continue`: the rules that follow see what has come of it
  bool restores_answer = false;  ///< records of the new name are shown as the old one's
};

struct RewrittenQuestion {
  Name name = {};
  RecordType type = RecordType::kNone;
  bool restores_answer = false;
};

/// What is asked instead; nothing where it stays as it is. A rule that would make something that is
/// no name does nothing.
std::optional<RewrittenQuestion> rewrite(const std::vector<RewriteRule>& rules,
                                         const LookupName& name, RecordType type);

}  // namespace weft::dns
