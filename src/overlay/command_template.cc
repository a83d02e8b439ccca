#include "overlay/command_template.h"

#include <cctype>
#include <optional>
#include <utility>

namespace weft::overlay {
namespace {

bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool is_name_character(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

struct Reference {
  std::string name;
  std::size_t length = 0;  // of what was written, the dollar sign included
};

// The variable that `text` begins with: "$NAME" or "${NAME}".
std::optional<Reference> reference_at(std::string_view text) {
  if (text.size() < 2 || text[0] != '$') return std::nullopt;
  const bool braced = text[1] == '{';
  std::size_t end = braced ? 2 : 1;
  const std::size_t begin = end;
  while (end < text.size() && is_name_character(text[end])) ++end;
  if (end == begin || std::isdigit(static_cast<unsigned char>(text[begin])) != 0)
    return std::nullopt;
  const std::string name(text.substr(begin, end - begin));
  if (!braced) return Reference{name, end};
  if (end == text.size() || text[end] != '}') return std::nullopt;
  return Reference{name, end + 1};
}

Failure needs_shell(std::string_view what) {
  return fail("\"" + std::string(what) + "\" means something only to a shell, and none is run",
              R"(name one yourself: ["sh", "-c", "..."])");
}

}  // namespace

// Walks over one text and collects words.
class CommandTemplate::Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Result<std::vector<Word>> run() {
    for (; at_ < text_.size(); ++at_) RETURN_IF_ERROR(step());
    if (quote_ != 0) return fail(std::string("the quote ") + quote_ + " is not closed");
    end_word();
    return std::move(words_);
  }

  /// Cuts one word into text and variables, whatever characters it has.
  static Word pieces_of(std::string_view text) {
    Splitter splitter(text);
    for (; splitter.at_ < text.size(); ++splitter.at_)
      if (!splitter.take_variable()) splitter.put(text[splitter.at_]);
    return std::move(splitter.word_);
  }

 private:
  Status step() {
    const char c = text_[at_];
    if (c == '\\' && quote_ != '\'' && at_ + 1 < text_.size()) {
      put(text_[++at_]);
    } else if (quote_ != 0 ? c == quote_ : c == '\'' || c == '"') {
      quote_ = quote_ != 0 ? '\0' : c;
      in_word_ = true;
    } else if (quote_ == 0 && is_blank(c)) {
      end_word();
    } else if (quote_ != '\'' && (c == '`' || text_.substr(at_, 2) == "$(")) {
      return needs_shell(text_.substr(at_, c == '`' ? 1 : 2));
    } else if (quote_ == 0 && std::string_view(";&|<>").find(c) != std::string_view::npos) {
      return needs_shell(text_.substr(at_, 1));
    } else if (quote_ == '\'' || !take_variable()) {
      put(c);
    }
    return {};
  }

  // Takes a variable that begins here and stands on its last character then.
  bool take_variable() {
    const auto reference = reference_at(text_.substr(at_));
    if (!reference) return false;
    word_.push_back({std::string(text_.substr(at_, reference->length)), reference->name});
    in_word_ = true;
    at_ += reference->length - 1;
    return true;
  }

  void put(char c) {
    if (word_.empty() || !word_.back().variable.empty()) word_.push_back({"", ""});
    word_.back().text += c;
    in_word_ = true;
  }

  void end_word() {
    if (in_word_) words_.push_back(std::move(word_));
    word_.clear();
    in_word_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  char quote_ = 0;
  bool in_word_ = false;  // also for a word of nothing but quotes
  Word word_;
  std::vector<Word> words_;
};

Result<CommandTemplate> CommandTemplate::parse(std::string_view text) {
  CommandTemplate command;
  ASSIGN_OR_RETURN(command.words_, Splitter(text).run());
  return command;
}

Result<CommandTemplate> CommandTemplate::of_words(const std::vector<std::string>& words) {
  CommandTemplate command;
  command.literal_ = true;
  for (const auto& word : words) {
    if (word.find('\0') != std::string::npos) return fail("a word holds a NUL byte");
    command.words_.push_back(Splitter::pieces_of(word));
  }
  return command;
}

std::vector<std::string> CommandTemplate::expand(const Variables& set,
                                                 const Variables& inherited) const {
  const auto value = [&](const Piece& piece) -> std::string {
    if (piece.variable.empty()) return piece.text;
    if (const auto found = set.find(piece.variable); found != set.end()) return found->second;
    if (literal_) return piece.text;
    const auto found = inherited.find(piece.variable);
    return found == inherited.end() ? "" : found->second;
  };
  std::vector<std::string> argv;
  for (const auto& word : words_) {
    std::string& argument = argv.emplace_back();
    for (const auto& piece : word) argument += value(piece);
  }
  return argv;
}

}  // namespace weft::overlay
