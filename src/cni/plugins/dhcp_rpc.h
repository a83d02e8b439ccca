// dhcp_rpc.h: what the dhcp plugin and its daemon say to each other. Pure.
//
// It is what the Go plugin says to the Go daemon, Go's net/rpc over an HTTP CONNECT with gob for
// the values, so that a node changes sides one program at a time: pods that were added by the one
// plugin are removed by the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cni/cni_error.h"
#include "cni/plugins/gob.h"
#include "cni/result.h"

namespace weft::cni {

inline constexpr std::string_view kDhcpAllocate = "DHCP.Allocate";
inline constexpr std::string_view kDhcpRelease = "DHCP.Release";
/// GC, which the Go daemon does not know.
inline constexpr std::string_view kDhcpCollect = "DHCP.Collect";

/// skel.CmdArgs of the Go plugins.
struct DhcpCall {
  std::string container_id = {};
  std::string netns = {};
  std::string ifname = {};
  std::string args = {};
  std::string path = {};
  std::string config = {};  ///< the text that the plugin has read
  bool operator==(const DhcpCall&) const = default;
};

/// The plugin's side of one connection, which is one call.
class DhcpRpcClient {
 public:
  DhcpRpcClient(std::string_view method, const DhcpCall& call);
  /// What is to be sent now. The call itself only after the server's greeting: Go's server throws
  /// away what came with the CONNECT.
  std::string take() { return std::exchange(output_, {}); }
  /// What arrived. Nothing while the answer is not complete; an answer that is a failure, or that
  /// cannot be understood, is the error. The result is empty except for Allocate.
  CniResult<std::optional<AddResult>> receive(std::string_view bytes);

 private:
  std::string output_;
  std::string request_;
  std::string greeting_;
  bool greeted_ = false;
  bool answered_ = false;
  gob::Reader reader_;
};

/// The daemon's side of one connection: any number of calls, one after the other.
class DhcpRpcServer {
 public:
  struct Request {
    std::uint64_t number = 0;
    std::string method = {};
    DhcpCall call = {};
  };
  void feed(std::string_view bytes);
  /// The next call; nothing while it has not arrived completely. After a failure the connection
  /// cannot be used any more.
  Result<std::optional<Request>> next();
  /// Allocate with its result, or another call's success.
  void answer(const Request& request, const std::optional<AddResult>& result);
  void refuse(const Request& request, const std::string& why);
  /// What is to be sent.
  std::string take();

 private:
  void declare();
  void answer_head(const Request& request, const std::string& error);

  std::string greeting_;
  bool greeted_ = false;
  std::optional<Request> head_;
  gob::Reader reader_;
  gob::Writer writer_;
  std::int64_t response_type_ = 0;
  std::int64_t nothing_type_ = 0;
  std::int64_t result_type_ = 0;
  std::string output_;
};

}  // namespace weft::cni
