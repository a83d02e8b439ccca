// etcd_message.h: the JSON of etcd's v3 gateway, read into values.
//
// grpc-gateway writes proto3 JSON: bytes as base64, 64-bit numbers as strings, and nothing for
// a field that is zero. Source: etcd api/etcdserverpb/rpc.proto, api/mvccpb/kv.proto. All of
// it is pure; what cannot be read is an Error and never a default.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft {

struct EtcdKeyValue {
  std::string key;
  std::string value;
  std::int64_t mod_revision = 0;
  std::int64_t lease = 0;  ///< 0: the key has none, and stays
  bool operator==(const EtcdKeyValue&) const = default;
};

/// One page of a range request.
struct EtcdPage {
  std::vector<EtcdKeyValue> kvs;
  std::int64_t revision = 0;  ///< of the store, as of this page
  bool more = false;
};

struct EtcdEvent {
  bool removed = false;
  EtcdKeyValue kv;  ///< of a removal only key and mod_revision
  bool operator==(const EtcdEvent&) const = default;
};

struct EtcdWatchMessage {
  std::int64_t revision = 0;
  bool created = false;               ///< the answer to the watch request itself
  bool canceled = false;              ///< the watch is over
  std::int64_t compact_revision = 0;  ///< != 0: what was asked for is forgotten up to here
  std::string cancel_reason;
  std::vector<EtcdEvent> events;
  bool operator==(const EtcdWatchMessage&) const = default;
};

/// A member that proto3 JSON writes as a number in a string; `fallback` when it is absent.
Result<std::int64_t> read_int64(const Json& object, std::string_view key,
                                std::int64_t fallback = 0);
Result<EtcdPage> parse_etcd_page(const Json& answer);
Result<EtcdWatchMessage> parse_etcd_watch_message(std::string_view line);

/// What the gateway says about a failure, in its own words: the member "message" or "error" of
/// the body. Empty when the body is no such object.
std::string etcd_error_words(std::string_view body);

/// Cuts a watch stream into messages: one a line, in pieces of any size.
class EtcdWatchDecoder {
 public:
  /// Adds bytes; returns the messages that are complete now. After an Error the stream cannot
  /// be trusted any more, and the decoder is not to be used again.
  Result<std::vector<EtcdWatchMessage>> feed(std::string_view bytes);

 private:
  std::string rest_;  // the beginning of a line
};

}  // namespace weft
