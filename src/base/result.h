// result.h: what a call that may fail gives back.
//
// A failure is a sentence for the person who has to act on it: what was tried, on which
// object, what the system answered, and what can be done. Each layer may put one clause in
// front; only main() turns an Error into an exit code.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace weft {

struct Error {
  std::string what = {};  ///< the failure as one line without a final full stop
  std::string next = {};  ///< what the operator can do about it; may be empty
  int number = 0;         ///< the errno behind it, or 0

  /// The whole as one line: "WHAT; NEXT".
  std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;
using Failure = tl::unexpected<Error>;

/// A failure in words.
Failure fail(std::string what, std::string next = {});

/// A failure of a system call: `tried` and the system's words for `number`.
Failure fail_errno(std::string_view tried, int number = errno, std::string next = {});

/// The same failure with one clause in front: "CLAUSE: WHAT".
Failure because(std::string_view clause, Error error);

}  // namespace weft

#define WEFT_CONCAT_INNER(a, b) a##b
#define WEFT_CONCAT(a, b) WEFT_CONCAT_INNER(a, b)

/// Hands a failure up, or goes on. The caller's error type is Error or is made from one.
#define RETURN_IF_ERROR(expression)                             \
  do {                                                          \
    if (auto status_ = (expression); !status_)                  \
      return ::tl::make_unexpected(std::move(status_).error()); \
  } while (false)

/// Hands a failure up, or declares `declaration` with the value.
#define ASSIGN_OR_RETURN(declaration, expression)                                    \
  auto WEFT_CONCAT(result_, __LINE__) = (expression);                                \
  if (!WEFT_CONCAT(result_, __LINE__))                                               \
    return ::tl::make_unexpected(std::move(WEFT_CONCAT(result_, __LINE__)).error()); \
  declaration = *std::move(WEFT_CONCAT(result_, __LINE__))
