#include "dns/corefile.h"

#include <map>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "dns/corefile_tokens.h"

namespace weft::dns {
namespace {

// Braces within braces: no plugin has more than two levels.
constexpr unsigned kDeepestBlock = 8;

class Parser {
 public:
  explicit Parser(CorefileTokens tokens) : tokens_(std::move(tokens)) {}

  Result<Corefile> parse() {
    Corefile file;
    while (!at_end()) {
      ASSIGN_OR_RETURN(CorefileBlock block, take_block(file.empty()));
      file.push_back(std::move(block));
    }
    return file;
  }

 private:
  bool at_end() const { return at_ == tokens_.size(); }
  const CorefileToken& here() const { return tokens_[at_]; }

  // Zones up to a brace. Without a brace the rest of the file is the block, which then is the only
  // one.
  Result<CorefileBlock> take_block(bool is_first) {
    CorefileBlock block{.head = {.file = here().file, .number = here().line, .name = here().text}};
    if (here().is_open_brace() || here().is_close_brace())
      return block.head.fault("a server block begins with its zones, not with a brace");
    RETURN_IF_ERROR(take_zones(block));
    const bool has_brace = !at_end() && here().is_open_brace();
    if (has_brace) ++at_;
    if (!has_brace && !is_first) return block.head.fault("the server block has no opening brace");
    while (!at_end() && !here().is_close_brace()) {
      ASSIGN_OR_RETURN(CorefileLine line, take_line(0));
      block.plugins.push_back(std::move(line));
    }
    if (at_end() == has_brace)
      return block.head.fault(has_brace ? "the server block has no closing brace"
                                        : "a closing brace without an opening one in the block");
    if (has_brace) ++at_;
    return block;
  }

  // On one line, or on several that end in a comma.
  Status take_zones(CorefileBlock& block) {
    bool goes_on = true;
    while (!at_end() && !here().is_open_brace() && (goes_on || !here().begins_line)) {
      goes_on = here().text.ends_with(',');
      for (const std::string& text : split(here().text, ',')) {
        if (text.empty()) continue;
        auto zone = parse_corefile_zone(text);
        if (!zone) return because(here().place(), zone.error());
        block.zones.push_back(*std::move(zone));
      }
      ++at_;
    }
    return {};
  }

  Result<CorefileLine> take_line(unsigned depth) {
    CorefileLine line{.file = here().file, .number = here().line, .name = here().text};
    if (here().is_open_brace()) return line.fault("a brace opens here behind nothing");
    if (depth == kDeepestBlock) return line.fault("braces within braces, deeper than any plugin's");
    for (++at_; !at_end() && !here().begins_line && !here().is_open_brace(); ++at_) {
      if (here().is_close_brace()) return line;
      line.words.push_back(here().text);
    }
    if (at_end() || here().begins_line) return line;
    for (++at_; !at_end() && !here().is_close_brace();) {
      ASSIGN_OR_RETURN(CorefileLine inner, take_line(depth + 1));
      line.block.push_back(std::move(inner));
    }
    if (at_end()) return line.fault("the block of " + shown(line.name) + " has no closing brace");
    ++at_;
    return line;
  }

  CorefileTokens tokens_;
  std::size_t at_ = 0;
};

Status check_zones(const Corefile& file, std::uint16_t default_port) {
  std::map<std::pair<std::string, std::uint16_t>, const CorefileBlock*> seen;
  for (const CorefileBlock& block : file)
    for (const CorefileZone& zone : block.zones)
      for (const Name& name : zone.names) {
        const auto key = std::pair(name.to_string(), zone.port.value_or(default_port));
        const auto [entry, is_new] = seen.emplace(key, &block);
        if (!is_new)
          return block.head.fault("the zone " + key.first + " at port " +
                                  std::to_string(key.second) + " has a server block already, at " +
                                  entry->second->head.place());
      }
  return {};
}

// Takes "SCHEME://" off. DNS over TLS, HTTPS, QUIC and gRPC are not served.
Status take_scheme(std::string& text) {
  const std::size_t end = text.find("://");
  if (end == std::string::npos) return {};
  const std::string scheme = text.substr(0, end);
  if (scheme != "dns")
    return fail(shown(text) + ": " + scheme + ":// is not served", "serve the zone as dns://");
  text.erase(0, end + 3);
  return {};
}

}  // namespace

Failure CorefileLine::fault(const std::string& what, std::string next) const {
  return weft::fail(place() + ": " + what, std::move(next));
}

Result<CorefileZone> parse_corefile_zone(const std::string& given) {
  std::string text = given;
  RETURN_IF_ERROR(take_scheme(text));
  CorefileZone zone;
  if (const auto network = Prefix::parse(text)) {
    zone.names = reverse_zones(*network);
    return zone;
  }
  if (const std::size_t colon = text.rfind(':'); colon != std::string::npos) {
    const auto port = parse_number(text.substr(colon + 1));
    if (!port || *port == 0 || *port > 0xffff)
      return fail(shown(given) + " has no port behind its colon");
    zone.port = static_cast<std::uint16_t>(*port);
    text.erase(colon);
  }
  if (const auto network = Prefix::parse(text)) {
    zone.names = reverse_zones(*network);
    return zone;
  }
  const auto name = Name::parse(text.empty() ? "." : text);
  if (!name) return fail(shown(given) + " is no zone");
  zone.names.push_back(name->lowered());
  return zone;
}

Result<Corefile> parse_corefile(const CorefileSources::File& file, const CorefileSources& sources,
                                std::uint16_t default_port) {
  ASSIGN_OR_RETURN(const CorefileTokens words, split_corefile(file, sources));
  ASSIGN_OR_RETURN(CorefileTokens tokens, expand_imports(words, sources));
  ASSIGN_OR_RETURN(Corefile parsed, Parser(std::move(tokens)).parse());
  RETURN_IF_ERROR(check_zones(parsed, default_port));
  return parsed;
}

}  // namespace weft::dns
