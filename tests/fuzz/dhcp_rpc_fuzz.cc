// What anybody may send to the dhcp daemon's socket, and a daemon to the plugin.
#include <cstdint>

#include "cni/plugins/dhcp_rpc.h"

using namespace weft::cni;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  DhcpRpcServer server;
  server.feed("CONNECT /_goRPC_ HTTP/1.0\n\n");
  server.feed(bytes);
  for (;;) {
    const auto request = server.next();
    if (!request || !*request) break;
    server.answer(**request, AddResult());
  }
  DhcpRpcClient client(kDhcpAllocate, {});
  static_cast<void>(client.receive("HTTP/1.0 200 Connected to Go RPC\n\n"));
  static_cast<void>(client.receive(bytes));
  return 0;
}
