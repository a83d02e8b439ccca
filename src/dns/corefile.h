// corefile.h: a Corefile as lines and blocks, before anybody asks what they mean.
//
// The grammar is the Caddyfile's, which CoreDNS has taken: words apart by blanks, in double quotes
// where they hold blanks, comments behind `#`, blocks in braces that stand alone or end a line.
// `{$NAME}` and `{%NAME%}` are the environment's; `(name) { ... }` is a snippet, and `import` puts
// in a snippet or files. Everything knows its file and line, so that a complaint can name them.
//
// Source: coredns.io/manual/configuration, github.com/coredns/caddy/blob/master/caddyfile.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/name.h"

namespace weft::dns {

/// A line with its words, and the lines in the braces behind it.
struct CorefileLine {
  std::string file = {};
  unsigned number = 0;
  std::string name = {};
  std::vector<std::string> words = {};  ///< behind the name
  std::vector<CorefileLine> block = {};

  /// "Corefile:12"
  std::string place() const { return file + ":" + std::to_string(number); }
  /// An error that begins with the place.
  Failure fault(const std::string& what, std::string next = {}) const;
};

/// What a server block is for: "example.org:1053", "10.0.0.0/8".
struct CorefileZone {
  std::vector<Name> names = {};  ///< several of a network whose reverse zones they are
  std::optional<std::uint16_t> port = {};
};

struct CorefileBlock {
  CorefileLine head = {};  ///< where the block begins
  std::vector<CorefileZone> zones = {};
  std::vector<CorefileLine> plugins = {};
};

using Corefile = std::vector<CorefileBlock>;

/// What a Corefile may refer to.
struct CorefileSources {
  struct File {
    std::string name = {};
    std::string text = {};
  };
  std::function<std::optional<std::string>(const std::string& name)> environment;
  /// The files that a pattern of `import` names, in order; none where nothing matches.
  std::function<Result<std::vector<File>>(const std::string& pattern)> import;
};

/// An empty text is no block at all. Refuses zones that two blocks have at one port.
Result<Corefile> parse_corefile(const CorefileSources::File& file, const CorefileSources& sources,
                                std::uint16_t default_port);

/// "dns://example.org:1053", "10.0.0.0/8", ".": the zone of a block or of a plugin.
Result<CorefileZone> parse_corefile_zone(const std::string& text);

}  // namespace weft::dns
