#include "kernel/iptables_save.h"

#include <optional>
#include <utility>

#include "base/text.h"
#include "net/iptables_words.h"

namespace weft::kernel {
namespace {

// "[12:3456]": packets and bytes.
bool is_counters(std::string_view text) {
  if (text.size() < 5 || text.front() != '[' || text.back() != ']') return false;
  const std::string_view inside = text.substr(1, text.size() - 2);
  const auto colon = inside.find(':');
  return colon != std::string_view::npos && parse_number(inside.substr(0, colon)) &&
         parse_number(inside.substr(colon + 1));
}

// Takes the first word off.
std::string_view take_word(std::string_view& text) {
  const auto end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

class Parser {
 public:
  // What is wrong with the line, or nothing.
  std::optional<std::string> line(std::string_view text) {
    if (text.empty()) return std::nullopt;
    switch (text.front()) {
      case '#':
        return comment(text);
      case '*':
        return table(text.substr(1));
      case ':':
        return chain(text.substr(1));
      default:
        return text == "COMMIT" ? commit() : rule(text);
    }
  }

  bool in_table() const { return open_ != nullptr; }
  IptablesTables take() { return std::move(tables_); }

 private:
  // iptables-nft tells in a comment that rules of others are beyond it; without them the table
  // would look empty.
  static std::optional<std::string> comment(std::string_view text) {
    if (text.find("is incompatible, use 'nft' tool") == std::string_view::npos) return std::nullopt;
    return std::string(trim(text.substr(1)));
  }

  std::optional<std::string> table(std::string_view name) {
    if (in_table()) return "a table begins inside another";
    if (name.empty() || name.find(' ') != std::string_view::npos) return "no table name";
    const auto [place, added] = tables_.try_emplace(std::string(name));
    if (!added) return "table " + std::string(name) + " comes twice";
    open_ = &place->second;
    return std::nullopt;
  }

  std::optional<std::string> chain(std::string_view text) {
    if (!in_table()) return "a chain outside a table";
    const std::string name(take_word(text));
    const std::string_view policy = take_word(text);
    if (name.empty() || policy.empty() || (!text.empty() && !is_counters(text)))
      return "not a chain's name, policy and counters";
    const auto [place, added] = open_->chains.try_emplace(name);
    if (!added) return "chain " + name + " comes twice";
    if (policy != "-") place->second.policy = std::string(policy);
    return std::nullopt;
  }

  std::optional<std::string> rule(std::string_view text) {
    if (!in_table()) return "a rule outside a table";
    std::string_view command = take_word(text);
    if (is_counters(command)) command = take_word(text);
    if (command != "-A") return "neither a table, a chain, a rule nor COMMIT";
    const std::string name(take_word(text));
    const auto chain = open_->chains.find(name);
    if (chain == open_->chains.end()) return "a rule of chain " + name + ", which was not named";
    if (const auto words = iptables_words(text); !words) return words.error().what;
    chain->second.rules.emplace_back(text);
    return std::nullopt;
  }

  std::optional<std::string> commit() {
    if (!in_table()) return "COMMIT outside a table";
    open_ = nullptr;
    return std::nullopt;
  }

  IptablesTables tables_;
  IptablesTable* open_ = nullptr;
};

}  // namespace

Result<IptablesTables> parse_iptables_save(std::string_view text) {
  Parser parser;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    if (const auto wrong = parser.line(text.substr(0, end)))
      return fail("line " + std::to_string(number) + " of iptables-save: " + *wrong);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (parser.in_table())
    return fail("the output of iptables-save ends in a table, behind line " +
                std::to_string(number));
  return parser.take();
}

}  // namespace weft::kernel
