#include "base/marks.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace weft {
namespace {

struct Look {
  const char* unicode;
  const char* ascii;
  const char* colour;
};

Look look_of(Mark mark) {
  switch (mark) {
    case Mark::kFine:
      return {"✓", "+", "\033[32m"};
    case Mark::kWarning:
      return {"!", "!", "\033[33m"};
    case Mark::kWrong:
      return {"✗", "x", "\033[31m"};
    case Mark::kNothing:
      break;
  }
  return {"–", "-", "\033[2m"};
}

// The first of these that is set decides (POSIX, "Internationalization Variables").
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == 0) continue;
    std::string text(value);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return text.find("utf-8") != std::string::npos || text.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

std::string LineStyle::mark(Mark mark) const {
  const Look look = look_of(mark);
  const std::string sign = unicode ? look.unicode : look.ascii;
  return colour ? look.colour + sign + "\033[0m" : sign;
}

LineStyle line_style(int fd) {
  // https://no-color.org: present and not empty, whatever its value.
  const char* no_colour = std::getenv("NO_COLOR");
  const bool plain = no_colour != nullptr && *no_colour != 0;
  return {.unicode = locale_is_utf8(), .colour = !plain && ::isatty(fd) == 1};
}

}  // namespace weft
