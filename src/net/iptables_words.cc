#include "net/iptables_words.h"

#include <algorithm>
#include <utility>

namespace weft {
namespace {

// Each option with its own "!" and values, in order of the alphabet. What loads a match is left
// out: its options name it.
std::vector<std::string> options_of(const std::vector<std::string>& words) {
  std::vector<std::string> options;
  bool inverted = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-m" && i + 1 < words.size()) {
      ++i;
    } else if (word == "!") {
      inverted = true;
    } else if (word.starts_with('-') || options.empty()) {
      options.push_back((std::exchange(inverted, false) ? "! " : "") + word);
    } else {
      options.back() += '\n' + word;
    }
  }
  std::sort(options.begin(), options.end());
  return options;
}

}  // namespace

Result<std::vector<std::string>> iptables_words(std::string_view rule) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < rule.size(); ++i) {
    const char c = rule[i];
    if (c == '\\' && i + 1 < rule.size()) {
      word += rule[++i];
      in_word = true;
    } else if (quote != '\0') {
      if (c == quote)
        quote = '\0';
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') return fail("a quote is open at the end");
  if (in_word) words.push_back(std::move(word));
  return words;
}

bool same_rule(std::string_view left, std::string_view right) {
  if (left == right) return true;
  const auto left_words = iptables_words(left);
  const auto right_words = iptables_words(right);
  return left_words && right_words && options_of(*left_words) == options_of(*right_words);
}

}  // namespace weft
