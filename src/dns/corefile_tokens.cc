#include "dns/corefile_tokens.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/json.h"

namespace weft::dns {
namespace {

// A file that imports itself ends here.
constexpr unsigned kDeepestImport = 10;
constexpr std::size_t kMostTokens = 100'000;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Cuts a text into words.
class Splitter {
 public:
  explicit Splitter(const CorefileSources::File& file) : file_(file), left_(file.text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (left_.starts_with(kByteOrderMark)) left_.remove_prefix(kByteOrderMark.size());
  }

  Result<CorefileTokens> split() {
    CorefileTokens tokens;
    for (skip(); !left_.empty(); skip()) {
      CorefileToken token{.file = file_.name, .line = line_, .begins_line = begins_line_};
      begins_line_ = false;
      token.is_quoted = left_[0] == '"';
      if (token.is_quoted) {
        if (!take_quoted(token.text))
          return weft::fail(token.place() + ": a quote begins here and has no end");
      } else {
        take_word(token.text);
      }
      tokens.push_back(std::move(token));
      if (tokens.size() > kMostTokens)
        return weft::fail(file_.name + " is too long to be a Corefile");
    }
    return tokens;
  }

 private:
  char take() {
    const char c = left_[0];
    left_.remove_prefix(1);
    if (c == '\n') {
      ++line_;
      begins_line_ = true;
    }
    return c;
  }
  void skip() {
    while (!left_.empty() && (is_blank(left_[0]) || left_[0] == '#')) {
      if (left_[0] == '#') left_.remove_prefix(std::min(left_.find('\n'), left_.size()));
      if (!left_.empty()) take();
    }
  }
  void take_word(std::string& text) {
    while (!left_.empty() && !is_blank(left_[0])) text += take();
  }
  bool take_quoted(std::string& text) {
    for (take(); !left_.empty();) {
      const char c = take();
      if (c == '"') return true;
      if (c == '\\' && !left_.empty() && left_[0] == '"') {
        text += take();
        continue;
      }
      text += c;
    }
    return false;
  }

  const CorefileSources::File& file_;
  std::string_view left_;
  unsigned line_ = 1;
  bool begins_line_ = true;
};

// Replaces what stands between `open` and `close` by the environment's value, or by nothing.
void put_environment(std::string& text, std::string_view open, std::string_view close,
                     const CorefileSources& sources) {
  for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    const std::size_t end = text.find(close, at + open.size());
    if (end == std::string::npos) return;
    const std::string name = text.substr(at + open.size(), end - at - open.size());
    const std::string value = sources.environment(name).value_or("");
    text.replace(at, end + close.size() - at, value);
    at += value.size();  // a value is not looked into
  }
}

// "(name)" in front of a block is the definition of a snippet.
bool is_snippet_name(const CorefileToken& token) {
  return token.begins_line && !token.is_quoted && token.text.size() > 2 &&
         token.text.front() == '(' && token.text.back() == ')';
}

class Importer {
 public:
  explicit Importer(const CorefileSources& sources) : sources_(sources) {}

  Result<CorefileTokens> expand(const CorefileTokens& tokens, unsigned depth) {
    CorefileTokens result;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (is_snippet_name(tokens[i])) {
        RETURN_IF_ERROR(take_snippet(tokens, i));
        continue;
      }
      if (!tokens[i].begins_line || tokens[i].is_quoted || tokens[i].text != "import") {
        result.push_back(tokens[i]);
        continue;
      }
      if (i + 1 == tokens.size() || tokens[i + 1].begins_line)
        return weft::fail(tokens[i].place() + ": import names neither a snippet nor a file");
      ASSIGN_OR_RETURN(CorefileTokens imported, import(tokens[++i], depth));
      std::move(imported.begin(), imported.end(), std::back_inserter(result));
      if (result.size() > kMostTokens)
        return weft::fail(tokens[i].place() + ": import makes the Corefile too long");
    }
    return result;
  }

 private:
  // Leaves `i` at the snippet's closing brace.
  Status take_snippet(const CorefileTokens& tokens, std::size_t& i) {
    const CorefileToken& name = tokens[i];
    if (i + 1 == tokens.size() || !tokens[i + 1].is_open_brace())
      return weft::fail(name.place() + ": the snippet " + shown(name.text) + " has no block");
    CorefileTokens& body = snippets_[name.text.substr(1, name.text.size() - 2)];
    body.clear();
    unsigned open = 1;
    for (i += 2; i < tokens.size(); ++i) {
      if (tokens[i].is_open_brace()) ++open;
      if (tokens[i].is_close_brace() && --open == 0) return {};
      body.push_back(tokens[i]);
    }
    return weft::fail(name.place() + ": the snippet " + shown(name.text) + " has no closing brace");
  }

  Result<CorefileTokens> import(const CorefileToken& what, unsigned depth) {
    if (depth == kDeepestImport)
      return weft::fail(what.place() + ": import of " + shown(what.text) +
                        " leads deeper than any Corefile should: does it import itself?");
    if (const auto snippet = snippets_.find(what.text); snippet != snippets_.end())
      return expand(CorefileTokens(snippet->second), depth + 1);
    auto files = sources_.import(what.text);
    if (!files) return because(what.place() + ": import", files.error());
    const bool is_pattern = what.text.find_first_of("*?[") != std::string::npos;
    if (files->empty() && !is_pattern)
      return weft::fail(what.place() + ": import: there is no snippet and no file " +
                        shown(what.text));
    CorefileTokens result;
    for (const auto& file : *files) {
      ASSIGN_OR_RETURN(const CorefileTokens tokens, split_corefile(file, sources_));
      ASSIGN_OR_RETURN(CorefileTokens expanded, expand(tokens, depth + 1));
      std::move(expanded.begin(), expanded.end(), std::back_inserter(result));
    }
    return result;
  }

  const CorefileSources& sources_;
  std::map<std::string, CorefileTokens> snippets_;
};

}  // namespace

Result<CorefileTokens> split_corefile(const CorefileSources::File& file,
                                      const CorefileSources& sources) {
  ASSIGN_OR_RETURN(CorefileTokens tokens, Splitter(file).split());
  for (CorefileToken& token : tokens) {
    put_environment(token.text, "{$", "}", sources);
    put_environment(token.text, "{%", "%}", sources);
  }
  return tokens;
}

Result<CorefileTokens> expand_imports(const CorefileTokens& tokens,
                                      const CorefileSources& sources) {
  return Importer(sources).expand(tokens, 0);
}

}  // namespace weft::dns
