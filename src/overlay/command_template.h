// command_template.h: a command of net-conf.json with variables in it, as words and never as a
// text for a shell.
//
// Two forms. flannel's is one text: split at blanks, with $NAME and ${NAME} replaced within each
// word, so that a value never becomes two words (pkg/backend/extension, since 0.28.2). Quotes
// group as its documentation writes them, where flannel's own code takes them for part of the
// word. The other form is an array of words, for what the first cannot say: an operator who
// wants a shell names it, ["sh", "-c", "..."].
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::overlay {

class CommandTemplate {
 public:
  using Variables = std::map<std::string, std::string>;

  CommandTemplate() = default;

  /// Splits flannel's form. Refused: an open quote, and the operators of a shell (; & | < > ` and
  /// "$("), which would reach the program as words.
  static Result<CommandTemplate> parse(std::string_view text);
  /// Takes words as they are. Only the variables that the backend sets are replaced in them;
  /// every other $NAME is left to the program, which may be a shell.
  static Result<CommandTemplate> of_words(const std::vector<std::string>& words);

  bool empty() const { return words_.empty(); }

  /// The argument vector. A variable that is neither in `set` nor in `inherited` is empty.
  std::vector<std::string> expand(const Variables& set, const Variables& inherited) const;

  bool operator==(const CommandTemplate&) const = default;

 private:
  struct Piece {
    std::string text;
    std::string variable;  ///< its name; `text` is then what was written: "${NAME}"
    bool operator==(const Piece&) const = default;
  };
  using Word = std::vector<Piece>;
  class Splitter;

  std::vector<Word> words_;
  bool literal_ = false;  ///< of_words(): unknown variables stay as they are written
};

}  // namespace weft::overlay
