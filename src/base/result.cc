#include "base/result.h"

#include <cstring>

namespace weft {

std::string Error::text() const {
  return next.empty() ? what : what + "; " + next;
}

Failure fail(std::string what, std::string next) {
  return Failure(Error{.what = std::move(what), .next = std::move(next)});
}

Failure fail_errno(std::string_view tried, int number, std::string next) {
  // strerror_r and not strerror: watchers fail on threads of their own.
  char buffer[128];
  std::string what(tried);
  what += ": ";
  what += strerror_r(number, buffer, sizeof buffer);
  return Failure(Error{.what = std::move(what), .next = std::move(next), .number = number});
}

Failure because(std::string_view clause, Error error) {
  error.what = std::string(clause) + ": " + error.what;
  return Failure(std::move(error));
}

}  // namespace weft
