// corefile_tokens.h: the words of a Corefile, after snippets and imports have been put in.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dns/corefile.h"

namespace weft::dns {

struct CorefileToken {
  std::string file = {};
  unsigned line = 0;
  std::string text = {};
  bool is_quoted = false;    ///< then it is a word, even if it reads "{"
  bool begins_line = false;  ///< no word stands before it on its line

  bool is_open_brace() const { return !is_quoted && text == "{"; }
  bool is_close_brace() const { return !is_quoted && text == "}"; }
  std::string place() const { return file + ":" + std::to_string(line); }
};
using CorefileTokens = std::vector<CorefileToken>;

/// The words of one file, with the environment put in.
Result<CorefileTokens> split_corefile(const CorefileSources::File& file,
                                      const CorefileSources& sources);

/// Takes the definitions of snippets out and puts in what `import` names, to any depth that makes
/// sense.
Result<CorefileTokens> expand_imports(const CorefileTokens& tokens, const CorefileSources& sources);

}  // namespace weft::dns
