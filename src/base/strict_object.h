// strict_object.h: objects that a person wrote: keys match exactly, and one that nobody asked
// for is an error that names the nearest right one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft {

/// Refuses a value that is no object or has a key beyond `allowed`. `where` names it in errors.
Status check_keys(const Json& object, const std::vector<std::string>& allowed,
                  const std::string& where);

/// The member as text; nothing when absent or null, an error for another type.
Result<std::optional<std::string>> text_member(const Json& object, const std::string& key,
                                               const std::string& where);

/// The member as a list of texts: one text is a list of one. Empty when absent or null.
Result<std::vector<std::string>> texts_member(const Json& object, const std::string& key,
                                              const std::string& where);

/// The member as a whole number between the limits; nothing when absent or null.
Result<std::optional<std::int64_t>> number_member(const Json& object, const std::string& key,
                                                  std::int64_t least, std::int64_t most,
                                                  const std::string& where);

/// The member as a truth value; nothing when absent or null.
Result<std::optional<bool>> bool_member(const Json& object, const std::string& key,
                                        const std::string& where);

}  // namespace weft
