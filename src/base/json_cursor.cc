#include "base/json_cursor.h"

#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace weft {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr CharacterSet kBrackets("\"{}[]");

void append_utf8(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { text.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0U | code >> 6U);
    byte(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    byte(0xe0U | code >> 12U);
    byte(0x80U | (code >> 6U & 0x3fU));
    byte(0x80U | (code & 0x3fU));
  } else {
    byte(0xf0U | code >> 18U);
    byte(0x80U | (code >> 12U & 0x3fU));
    byte(0x80U | (code >> 6U & 0x3fU));
    byte(0x80U | (code & 0x3fU));
  }
}

std::optional<std::uint32_t> four_hex(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const auto digit = c >= '0' && c <= '9'   ? c - '0'
                       : c >= 'a' && c <= 'f' ? c - 'a' + 10
                       : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                              : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4U | static_cast<std::uint32_t>(digit);
  }
  return value;
}

// What stands behind "\u" at the front of `rest`; takes it away. A half of a surrogate pair
// that stands alone becomes U+FFFD, as in Go.
std::optional<std::uint32_t> take_code(std::string_view& rest) {
  constexpr std::uint32_t kReplacement = 0xfffd;
  const auto high = four_hex(rest);
  if (!high) return std::nullopt;
  rest.remove_prefix(4);
  if (*high < 0xd800 || *high > 0xdfff) return high;
  const auto low = rest.substr(0, 2) == "\\u" ? four_hex(rest.substr(2)) : std::nullopt;
  if (*high > 0xdbff || !low || *low < 0xdc00 || *low > 0xdfff) return kReplacement;
  rest.remove_prefix(6);
  return 0x10000 + ((*high - 0xd800) << 10U) + (*low - 0xdc00);
}

std::optional<std::string> unescape(std::string_view raw) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  std::string text;
  text.reserve(raw.size());
  while (!raw.empty()) {
    const auto backslash = raw.find('\\');
    text.append(raw.substr(0, backslash));
    if (backslash == kNone) break;
    raw.remove_prefix(backslash + 1);
    if (raw.empty()) return std::nullopt;
    const char letter = raw[0];
    raw.remove_prefix(1);
    if (letter == 'u') {
      const auto code = take_code(raw);
      if (!code) return std::nullopt;
      append_utf8(text, *code);
    } else {
      const auto which = kLetters.find(letter);
      if (which == kNone) return std::nullopt;
      text.push_back(kMeanings[which]);
    }
  }
  return text;
}

}  // namespace

std::size_t end_of_json_string(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const auto quote = text.find('"', at);
    if (quote == kNone) return kNone;
    std::size_t backslashes = 0;
    while (quote - backslashes > at && text[quote - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return quote;
    at = quote + 1;
  }
  return kNone;
}

void JsonCursor::skip_blanks() {
  while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr && text_[at_] != '\0')
    ++at_;
}

bool JsonCursor::enter(char open, char close) {
  skip_blanks();
  if (next() != open) {
    skip();
    return false;
  }
  ++at_;
  skip_blanks();
  if (next() != close) return true;
  ++at_;
  return false;
}

// After an element: whether one more follows.
bool JsonCursor::another(char close) {
  skip_blanks();
  if (left_) return false;
  const char c = next();
  if (failed_ || (c != ',' && c != close)) return fail(), false;
  ++at_;
  return c == ',';
}

void JsonCursor::expect(char wanted) {
  skip_blanks();
  if (next() != wanted) return fail();
  ++at_;
}

std::string_view JsonCursor::raw_string() {
  expect('"');
  const auto end = failed_ ? kNone : end_of_json_string(text_, at_);
  if (end == kNone) return fail(), std::string_view();
  const auto raw = text_.substr(at_, end - at_);
  at_ = end + 1;
  return raw;
}

std::optional<std::string> JsonCursor::string() {
  skip_blanks();
  if (next() != '"') return skip(), std::nullopt;
  auto text = unescape(raw_string());
  if (!text) fail();
  return failed_ ? std::nullopt : text;
}

void JsonCursor::skip_container() {
  // The brackets that are open, as bits: 1 for an object. Deeper than this is nobody's data.
  constexpr int kDeepest = 64;
  std::uint64_t objects = 0;
  int depth = 0;
  do {
    const auto stop = kBrackets.find_in(text_, at_);
    if (stop == kNone) return fail();
    at_ = stop + 1;
    switch (text_[stop]) {
      case '"': {
        const auto end = end_of_json_string(text_, at_);
        if (end == kNone) return fail();
        at_ = end + 1;
        break;
      }
      case '{':
      case '[':
        if (++depth > kDeepest) return fail();
        objects = objects << 1U | (text_[stop] == '{' ? 1U : 0U);
        break;
      default:
        if ((objects & 1U) != (text_[stop] == '}' ? 1U : 0U)) return fail();
        objects >>= 1U;
        --depth;
    }
  } while (depth > 0);
}

std::string_view JsonCursor::skip() {
  skip_blanks();
  const auto from = at_;
  const char c = next();
  if (c == '"') {
    raw_string();
  } else if (c == '{' || c == '[') {
    skip_container();
  } else {
    while (at_ < text_.size() && std::strchr(",]} \t\r\n", text_[at_]) == nullptr) ++at_;
    const auto word = text_.substr(from, at_ - from);
    const bool number = !word.empty() && word.find_first_not_of("+-.0123456789eE") == kNone;
    if (!number && word != "true" && word != "false" && word != "null") fail();
  }
  return failed_ ? std::string_view() : text_.substr(from, at_ - from);
}

bool JsonCursor::at_end() {
  skip_blanks();
  return ok() && at_ == text_.size();
}

}  // namespace weft
