#include "cni/cni_error.h"

#include <cstring>

namespace weft::cni {

std::string go_words(int number) {
  char buffer[128];
  std::string words = strerror_r(number, buffer, sizeof buffer);
  if (!words.empty() && words[0] >= 'A' && words[0] <= 'Z')
    words[0] = static_cast<char>(words[0] - 'A' + 'a');
  return words;
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + '"';
}

}  // namespace weft::cni
