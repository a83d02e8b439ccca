// plain_terminate.cc: what an uncaught exception, which is a bug, prints before the abort.
//
// libstdc++'s own handler names the exception's type, and for that brings its demangler along:
// 50 KB of a program that is loaded anew for every call. The linker takes this one in its place.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string_view>

namespace __gnu_cxx {

void __verbose_terminate_handler() {
  std::string_view what = "an exception without a text";
  try {
    if (const auto exception = std::current_exception()) std::rethrow_exception(exception);
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
  }
  for (const std::string_view part : {std::string_view("terminated by a bug: "), what, {"\n", 1}})
    if (::write(STDERR_FILENO, part.data(), part.size()) < 0) break;
  std::abort();
}

}  // namespace __gnu_cxx
