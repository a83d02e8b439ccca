// query.h: what a client sends, read where it lies.
//
// Nothing that a network can send is answered wrongly or not at all without a reason: a response
// and what is too short for a header are dropped (answering them makes loops), everything else
// gets an answer, if only to say what was wrong with it (RFC 8906). The rules are strict where
// other servers differ: nothing may be missing, doubled or left over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dns/header.h"
#include "dns/protocol.h"

namespace weft::dns {

/// What the OPT record of a query says (RFC 6891).
struct Edns {
  std::uint16_t udp_size = kPlainUdpSize;  ///< never below that
  bool dnssec_ok = false;
  bool wants_server_id = false;  ///< NSID (RFC 5001)
  bool wants_keepalive = false;  ///< the idle time of a TCP connection (RFC 7828)
  bool wants_source = false;     ///< EdnsOption::kSource
  bool operator==(const Edns&) const = default;
};

/// Views of the message, which must outlive it.
struct Query {
  Header header = {};
  std::string_view question = {};  ///< name, type and class, as asked; empty when unreadable
  std::string_view name = {};      ///< the front of it, in the case as asked
  RecordType type = RecordType::kNone;
  RecordClass record_class = RecordClass::kIn;
  std::optional<Edns> edns = {};
  std::size_t size = 0;  ///< of the whole message
};

struct ReceivedQuery {
  enum class Verdict : std::uint8_t {
    kAnswer,  ///< a query of class IN, for the handlers
    kRefuse,  ///< to be answered with `rcode` alone
    kDrop,    ///< to be forgotten
  };
  Verdict verdict = Verdict::kDrop;
  Rcode rcode = Rcode::kNoError;
  /// For kRefuse as much as could be read: its id, opcode, RD and perhaps the question.
  Query query = {};
};

ReceivedQuery read_query(std::string_view message);

}  // namespace weft::dns
