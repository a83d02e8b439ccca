#include "base/json.h"

#include <limits>

#include "base/text.h"

namespace weft {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_in_any_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

// Objects and arrays may be nested this deep: the parser recurses, and its input is hostile.
constexpr int kDeepest = 64;

bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

// Go replaces each byte that is not part of valid UTF-8 with U+FFFD; the parser refuses it.
std::string replace_invalid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_character(text.substr(i));
    if (length != 0) {
      valid.append(text.substr(i, length));
      i += length;
    } else {
      valid.append("\xef\xbf\xbd");
      ++i;
    }
  }
  return valid;
}

// What is wrong with a text: the parser says it by exceptions or to such a reader, and weft-cni is
// built without the former.
struct FirstError : nlohmann::json_sax<Json> {
  std::string words;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    const std::string_view what = error.what();
    const auto end = what.find("] ");
    words = end == std::string_view::npos ? what : what.substr(end + 2);
    return false;
  }
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (too_deep(text)) return fail("not read: nested deeper than " + std::to_string(kDeepest));
  const std::string valid = replace_invalid_utf8(text);
  Json value = Json::parse(valid, nullptr, false);
  if (!value.is_discarded()) return value;
  FirstError error;
  Json::sax_parse(valid, &error);
  return fail(error.words);
}

std::string to_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string shown(std::string_view text) {
  return to_text(Json(text.substr(0, 60)));
}

const Json* find_member(const Json& object, std::string_view key) {
  const Json* found = nullptr;
  if (!object.is_object()) return nullptr;
  for (auto member = object.begin(); member != object.end(); ++member)
    if (equal_in_any_case(member.key(), key)) found = &member.value();
  return found;
}

ObjectReader::ObjectReader(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object_.is_object())
    status_ = fail(where_ + ": expected an object, got " + object_.type_name());
}

const Json* ObjectReader::find(std::string_view key) const {
  const Json* member = find_member(object_, key);
  return member == nullptr || member->is_null() ? nullptr : member;
}

void ObjectReader::reject(std::string_view key, std::string_view reason) {
  if (status_) status_ = fail(where_ + ": " + std::string(key) + ": " + std::string(reason));
}

void ObjectReader::read(std::string_view key, bool& target) {
  const Json* member = find(key);
  if (member == nullptr) return;
  if (!member->is_boolean()) return reject(key, "expected true or false");
  target = member->get<bool>();
}

void ObjectReader::read(std::string_view key, std::string& target) {
  const Json* member = find(key);
  if (member == nullptr) return;
  if (!member->is_string()) return reject(key, "expected a string");
  target = member->get<std::string>();
}

void ObjectReader::read(std::string_view key, std::vector<std::string>& target) {
  const Json* member = array(key);
  if (member == nullptr) return;
  std::vector<std::string> values;
  for (const auto& value : *member) {
    if (!value.is_string()) return reject(key, "expected a list of strings");
    values.push_back(value.get<std::string>());
  }
  target = std::move(values);
}

template <class Integer>
void ObjectReader::read_integer(std::string_view key, Integer& target) {
  const Json* member = find(key);
  if (member == nullptr) return;
  if (!member->is_number_integer()) return reject(key, "expected a whole number");
  if (member->is_number_unsigned() &&
      member->get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<Integer>::max()))
    return reject(key, "the number is too large");
  if (!member->is_number_unsigned() &&
      member->get<std::int64_t>() < static_cast<std::int64_t>(std::numeric_limits<Integer>::min()))
    return reject(key, "the number is too small");
  target = member->get<Integer>();
}

void ObjectReader::read(std::string_view key, int& target) {
  read_integer(key, target);
}
void ObjectReader::read(std::string_view key, std::uint32_t& target) {
  read_integer(key, target);
}
void ObjectReader::read(std::string_view key, std::int64_t& target) {
  read_integer(key, target);
}

const Json* ObjectReader::object(std::string_view key) {
  const Json* member = find(key);
  if (member == nullptr || member->is_object()) return member;
  reject(key, "expected an object");
  return nullptr;
}

const Json* ObjectReader::array(std::string_view key) {
  const Json* member = find(key);
  if (member == nullptr || member->is_array()) return member;
  reject(key, "expected a list");
  return nullptr;
}

}  // namespace weft
