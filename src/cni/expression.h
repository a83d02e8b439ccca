// expression.h: regular expressions as Go writes them, in a few kilobytes.
//
// The C library's have another syntax and with their locales are 80 KB of a program that is loaded
// for every call; RE2 is 300. This has what RE2 documents for one byte at a time: literals, ".",
// classes, groups without names, "|", repetition, "^ $ \A \z \b \B" and the classes \d \w \s. What
// it does not know (flags, names, Unicode classes) it refuses. Time grows with the length of the
// text times that of the expression, whatever they hold.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::cni {

class Expression {
 public:
  static Result<Expression> parse(std::string_view text);

  /// Whether any part of `text` matches.
  bool matches(std::string_view text) const;

 private:
  friend class ExpressionCompiler;

  using Bytes = std::bitset<256>;
  enum class Step { kByte, kAssert, kFork, kGo, kMatch };
  /// One instruction; `next` and `other` are places in the program.
  struct Instruction {
    Step step = Step::kMatch;
    Bytes bytes = {};      ///< kByte
    char assertion = '^';  ///< kAssert: ^ $ b B
    std::size_t next = 0;
    std::size_t other = 0;  ///< kFork
  };
  class Threads;

  std::vector<Instruction> program_ = {};
};

}  // namespace weft::cni
