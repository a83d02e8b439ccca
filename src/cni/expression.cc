#include "cni/expression.h"

#include <cstdint>
#include <optional>

#include "base/text.h"

namespace weft::cni {

namespace {

constexpr std::size_t kLongestProgram = 4096;  // instructions; {1000} of a long group is more
constexpr int kDeepest = 50;                   // groups in groups
constexpr std::uint64_t kMostRepetitions = 1000;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool holds(char assertion, std::string_view text, std::size_t at) {
  const bool before = at > 0 && is_word(text[at - 1]);
  const bool after = at < text.size() && is_word(text[at]);
  switch (assertion) {
    case '^':
      return at == 0;
    case '$':
      return at == text.size();
    case 'b':
      return before != after;
    default:
      return before == after;
  }
}

}  // namespace

// Writes the program while it reads the text, one function a level of precedence. A part is
// what lies between a place in the program and its end; to repeat it, it is copied.
class ExpressionCompiler {
 public:
  using Instruction = Expression::Instruction;
  using Program = std::vector<Instruction>;
  using Bytes = Expression::Bytes;
  using Step = Expression::Step;

  explicit ExpressionCompiler(std::string_view text) : text_(text) {}

  Result<Expression> compile() {
    Expression expression;
    ASSIGN_OR_RETURN(expression.program_, alternatives(0));
    if (at_ != text_.size()) return fail("there is a ) too many");
    expression.program_.push_back({.step = Step::kMatch});
    return expression;
  }

 private:
  bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  // Parts are placed by moving the numbers of their instructions.
  static void append(Program& program, const Program& part) {
    const std::size_t offset = program.size();
    for (Instruction instruction : part) {
      instruction.next += offset;
      instruction.other += offset;
      program.push_back(instruction);
    }
  }
  static void append(Program& program, Instruction instruction) {
    instruction.next = program.size() + 1;
    program.push_back(instruction);
  }
  static void fork(Program& program, std::size_t next, std::size_t other) {
    program.push_back({.step = Step::kFork, .next = next, .other = other});
  }

  Result<Program> alternatives(int depth) {
    if (depth > kDeepest) return fail("its groups are too deep");
    ASSIGN_OR_RETURN(Program left, sequence(depth));
    while (take("|")) {
      ASSIGN_OR_RETURN(const Program right, sequence(depth));
      Program both;
      fork(both, 1, left.size() + 2);
      append(both, left);
      both.push_back({.step = Step::kGo, .next = both.size() + 1 + right.size()});
      append(both, right);
      left = std::move(both);
      if (left.size() > kLongestProgram) return fail("it is too long");
    }
    return left;
  }

  Result<Program> sequence(int depth) {
    Program whole;
    while (at_ < text_.size() && !at('|') && !at(')')) {
      ASSIGN_OR_RETURN(const Program part, repeated(depth));
      append(whole, part);
      if (whole.size() > kLongestProgram) return fail("it is too long");
    }
    return whole;
  }

  Result<Program> repeated(int depth) {
    ASSIGN_OR_RETURN(Program part, atom(depth));
    struct Repetition {
      std::uint64_t least;
      std::optional<std::uint64_t> most;
    };
    std::optional<Repetition> times;
    if (take("*")) times = Repetition{0, std::nullopt};
    if (!times && take("+")) times = Repetition{1, std::nullopt};
    if (!times && take("?")) times = Repetition{0, 1};
    if (!times && at('{')) {
      const auto end = text_.find('}', at_);
      if (end == std::string_view::npos) return fail("a { is not closed");
      const auto bounds = split(text_.substr(at_ + 1, end - at_ - 1), ',');
      at_ = end + 1;
      const auto least = parse_number(bounds[0]);
      const auto most = bounds.size() == 2 ? parse_number(bounds[1]) : least;
      const bool open = bounds.size() == 2 && bounds[1].empty();
      if (!least || bounds.size() > 2 || (!most && !open) || *least > kMostRepetitions ||
          (most && (*most < *least || *most > kMostRepetitions)))
        return fail("the numbers in { } cannot be understood");
      times = Repetition{*least, most};
    }
    if (!times) return part;
    take("?");  // which of several matches is found makes no difference here
    if (at('*') || at('+') || at('?')) return fail("something is repeated twice");
    return repeat(part, times->least, times->most);
  }

  static Result<Program> repeat(const Program& part, std::uint64_t least,
                                std::optional<std::uint64_t> most) {
    const std::uint64_t copies = most.value_or(least + 1);
    if ((part.size() + 2) * copies > kLongestProgram) return fail("it is too long");
    Program whole;
    for (std::uint64_t i = 0; i < least; ++i) append(whole, part);
    if (!most) {
      const std::size_t start = whole.size();
      fork(whole, start + 1, start + part.size() + 2);
      append(whole, part);
      whole.push_back({.step = Step::kGo, .next = start});
      return whole;
    }
    for (std::uint64_t i = least; i < *most; ++i) {
      fork(whole, whole.size() + 1, whole.size() + 1 + part.size());
      append(whole, part);
    }
    return whole;
  }

  Result<Program> atom(int depth) {
    Program part;
    if (take("(")) {
      if (!take("?:") && at('?')) return fail("flags and names of groups are not known here");
      ASSIGN_OR_RETURN(part, alternatives(depth + 1));
      if (!take(")")) return fail("a ( is not closed");
      return part;
    }
    if (at('*') || at('+') || at('?') || at('{')) return fail("there is nothing to repeat");
    if (at('^') || at('$')) {
      append(part, {.step = Step::kAssert, .assertion = text_[at_++]});
      return part;
    }
    for (const auto& [word, assertion] : kAssertions)
      if (take(word)) {
        append(part, {.step = Step::kAssert, .assertion = assertion});
        return part;
      }
    Bytes bytes;
    if (take(".")) {
      bytes.set();
      bytes.reset('\n');
    } else if (take("[")) {
      ASSIGN_OR_RETURN(bytes, set());
    } else {
      ASSIGN_OR_RETURN(bytes, character());
    }
    append(part, {.step = Step::kByte, .bytes = bytes});
    return part;
  }

  Result<Bytes> set() {
    const bool inverted = take("^");
    Bytes bytes;
    for (bool first = true; first || !at(']'); first = false) {
      if (at_ >= text_.size()) return fail("a [ is not closed");
      if (text_.substr(at_).starts_with("[:")) return fail("[: :] is not known here");
      const std::size_t start = at_;
      ASSIGN_OR_RETURN(Bytes some, character());
      const bool range = at('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      if (range && some.count() == 1) {
        ++at_;
        ASSIGN_OR_RETURN(const Bytes last, character());
        if (last.count() != 1 || number(last) < number(some))
          return fail("the range " + std::string(text_.substr(start, at_ - start)) + " is none");
        for (std::size_t c = number(some); c <= number(last); ++c) bytes.set(c);
      }
      bytes |= some;
    }
    ++at_;
    return inverted ? ~bytes : bytes;
  }

  static std::size_t number(const Bytes& one) {
    std::size_t c = 0;
    while (!one.test(c)) ++c;
    return c;
  }

  // One byte, or one of the classes that are written with a backslash.
  Result<Bytes> character() {
    Bytes bytes;
    const char c = text_[at_++];
    if (c != '\\') return bytes.set(static_cast<unsigned char>(c));
    if (at_ >= text_.size()) return fail("it ends with a backslash");
    const char escaped = text_[at_++];
    if (!is_word(escaped) || escaped == '_') return bytes.set(static_cast<unsigned char>(escaped));
    for (const char kind : {'d', 'w', 's'}) {
      if ((escaped | 0x20) != kind) continue;
      for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = in_class(kind, static_cast<char>(i));
      return escaped == kind ? bytes : ~bytes;
    }
    return fail(std::string("\\") + escaped + " is not known here");
  }

  static bool in_class(char kind, char c) {
    if (kind == 'd') return c >= '0' && c <= '9';
    if (kind == 'w') return is_word(c);
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
  }

  struct Assertion {
    std::string_view word;
    char assertion;
  };
  static constexpr Assertion kAssertions[] = {
      {"\\A", '^'}, {"\\z", '$'}, {"\\b", 'b'}, {"\\B", 'B'}};

  std::string_view text_;
  std::size_t at_ = 0;
};

// The places in the program at which a match may stand, all at once (Thompson's construction).
class Expression::Threads {
 public:
  explicit Threads(const std::vector<Instruction>& program)
      : program_(&program), seen_(program.size(), false) {}

  void add(std::size_t place, std::string_view text, std::size_t at) {
    std::vector<std::size_t> open = {place};
    while (!open.empty()) {
      const std::size_t next = open.back();
      open.pop_back();
      if (seen_[next]) continue;
      seen_[next] = true;
      const Instruction& instruction = (*program_)[next];
      if (instruction.step == Step::kMatch) matched_ = true;
      if (instruction.step == Step::kByte) waiting_.push_back(next);
      if (instruction.step == Step::kGo || instruction.step == Step::kFork ||
          (instruction.step == Step::kAssert && holds(instruction.assertion, text, at)))
        open.push_back(instruction.next);
      if (instruction.step == Step::kFork) open.push_back(instruction.other);
    }
  }
  const std::vector<std::size_t>& waiting() const { return waiting_; }
  bool matched() const { return matched_; }

 private:
  const std::vector<Instruction>* program_;
  std::vector<bool> seen_;
  std::vector<std::size_t> waiting_;
  bool matched_ = false;
};

Result<Expression> Expression::parse(std::string_view text) {
  return ExpressionCompiler(text).compile();
}

bool Expression::matches(std::string_view text) const {
  Threads now(program_);
  for (std::size_t at = 0;; ++at) {
    now.add(0, text, at);
    if (now.matched()) return true;
    if (at == text.size()) return false;
    Threads next(program_);
    const auto byte = static_cast<unsigned char>(text[at]);
    for (const std::size_t place : now.waiting())
      if (program_[place].bytes.test(byte)) next.add(program_[place].next, text, at + 1);
    now = std::move(next);
  }
}

}  // namespace weft::cni
