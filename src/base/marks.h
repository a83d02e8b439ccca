// marks.h: the mark at the start of a line that a person reads.
#pragma once

#include <string>
#include <string_view>

namespace weft {

enum class Mark { kFine, kWarning, kWrong, kNothing };

/// How lines for people look: `✓ ! ✗ –` or, where that cannot be shown, `+ ! x -`; in colour or
/// plain.
struct LineStyle {
  bool unicode = false;
  bool colour = false;

  std::string mark(Mark mark) const;
  auto operator<=>(const LineStyle&) const = default;
};

/// The style for a file descriptor: colour on a terminal only and never with NO_COLOR set,
/// Unicode when the locale's character set is UTF-8.
LineStyle line_style(int fd);

}  // namespace weft
