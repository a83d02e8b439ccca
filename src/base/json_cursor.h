// json_cursor.h: one JSON text read from front to back, without making a tree of it.
//
// For texts of which little is wanted: of the 15 KB of a Node some 300 bytes. What is skipped
// is checked for its brackets and strings only. The first mistake ends the reading: ok() is
// false from then on, and whatever was read before it is not to be used.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

class JsonCursor {
 public:
  /// `text` must outlive the cursor.
  explicit JsonCursor(std::string_view text) : text_(text) {}

  /// Calls `member(name)` for each member of the object that comes next; it reads or skips the
  /// member's value. Anything but an object is skipped, and is no mistake. `name` is as it
  /// stands in the text: a name with escapes matches nothing.
  template <class Member>
  void object(Member member) {
    if (!enter('{', '}')) return;
    do {
      const std::string_view name = raw_string();
      expect(':');
      if (!ok()) return;
      member(name);
    } while (another('}'));
  }

  /// The same for an array; `element()` reads or skips one.
  template <class Element>
  void array(Element element) {
    if (!enter('[', ']')) return;
    do element();
    while (another(']'));
  }

  /// The next value if it is a string; another one is skipped.
  std::optional<std::string> string();

  /// Passes over the next value and returns its text.
  std::string_view skip();

  /// For a member() or element(): what follows is of no interest, not even whether it is right.
  void leave() {
    at_ = text_.size();
    left_ = true;
  }

  /// Nothing but blanks is left, and there was no mistake.
  bool at_end();
  bool ok() const { return !failed_; }

 private:
  bool enter(char open, char close);
  bool another(char close);
  void expect(char wanted);
  void skip_blanks();
  std::string_view raw_string();
  void skip_container();
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void fail() {
    failed_ = true;
    at_ = text_.size();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
  bool left_ = false;
};

/// Where the string ends whose first character, behind its quote, is at `at`: the position of
/// the closing quote, or npos. For reading a text in pieces as well.
std::size_t end_of_json_string(std::string_view text, std::size_t at);

}  // namespace weft
