// json.h: JSON, and objects read the way Go reads them.
//
// flannel's and CNI's JSON is defined by Go's decoder: keys match in any case and the last
// one in the text wins, `null` leaves the default, unknown keys are ignored, and a value of
// the wrong type is an error. Every reader of a foreign object goes through ObjectReader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace weft {

/// Objects keep the order of the text.
using Json = nlohmann::ordered_json;

/// Parses one JSON value with nothing behind it. Invalid UTF-8 is replaced, as Go does.
Result<Json> parse_json(std::string_view text);

/// The text of a value on one line; bytes that are no UTF-8 are replaced.
std::string to_text(const Json& value);

/// Others' text for a log line or an error: its first 60 bytes in quotes, on one line and without
/// control characters.
std::string shown(std::string_view text);

/// The last member whose name equals `key` in any case; nullptr when there is none.
const Json* find_member(const Json& object, std::string_view key);

/// Reads the members of one object into variables. The first member of a wrong type stops
/// the reading; finish() then says which one. A member that is absent or null leaves its
/// target as it is.
///
///     ObjectReader reader(json, "net-conf.json");
///     reader.read("Network", network);
///     reader.read("SubnetLen", length);
///     RETURN_IF_ERROR(reader.finish());
class ObjectReader {
 public:
  /// `where` names the object in errors. `object` must outlive the reader.
  ObjectReader(const Json& object, std::string where);

  void read(std::string_view key, bool& target);
  void read(std::string_view key, std::string& target);
  void read(std::string_view key, std::vector<std::string>& target);
  /// Refuses fractions and what does not fit.
  void read(std::string_view key, int& target);
  void read(std::string_view key, std::uint32_t& target);
  void read(std::string_view key, std::int64_t& target);
  template <class T>
  void read(std::string_view key, std::optional<T>& target) {
    T value{};
    const Json* member = find(key);
    if (member == nullptr) return;
    read(key, value);
    if (status_) target = std::move(value);
  }

  /// The member, or nullptr when it is absent or null.
  const Json* find(std::string_view key) const;
  /// The member if it is an object or array; another type is the reader's error.
  const Json* object(std::string_view key);
  const Json* array(std::string_view key);

  /// Records a failure of the caller's own checks, unless one is recorded already.
  void reject(std::string_view key, std::string_view reason);

  Status finish() const { return status_; }

 private:
  template <class Integer>
  void read_integer(std::string_view key, Integer& target);

  const Json& object_;
  std::string where_;
  Status status_;
};

}  // namespace weft
