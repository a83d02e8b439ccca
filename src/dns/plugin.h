// plugin.h: what a server block does with a query, one plugin after the other.
#pragma once

#include <cstdint>

#include "dns/client.h"
#include "dns/lookup_name.h"
#include "dns/message_writer.h"
#include "dns/protocol.h"
#include "dns/query.h"

namespace weft::dns {

/// One query on its way through the plugins, and the answer as far as it is written.
struct Exchange {
  const Query& query;
  const Client& client;
  LookupName name;  ///< the question's
  MessageWriter& writer;
  std::uint32_t turn = 0;  ///< a number that is another one each time, see ZoneAnswer
  Rcode rcode = Rcode::kNoError;
  bool authoritative = false;

  /// Ends with `code` alone, and says why to who can hear it.
  void fail(Rcode code, ExtendedError error, std::string_view why) {
    writer.forget_records();
    writer.explain(error, why);
    rcode = code;
  }
};

enum class Step : std::uint8_t {
  kNext,   ///< not mine: the next plugin shall see it
  kReply,  ///< the answer is written
  kDrop,   ///< nobody shall answer
};

/// Of one worker thread alone.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual Step serve(Exchange& exchange) = 0;
};

}  // namespace weft::dns
