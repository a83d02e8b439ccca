// responder.h: from a message to its answer: the server block that its name belongs to, and that
// block's plugins in their order.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/handler.h"
#include "dns/name.h"
#include "dns/plugin.h"

namespace weft::dns {

/// The plugins for the names below some zones.
struct ServerBlock {
  std::vector<Name> zones = {};  ///< in small letters
  std::vector<std::unique_ptr<Plugin>> plugins = {};
};

class Responder : public Handler {
 public:
  struct Options {
    std::string server_id = {};            ///< what NSID tells; empty: nothing
    std::uint16_t idle_deciseconds = 100;  ///< of TCP connections
  };

  Responder(std::vector<ServerBlock> blocks, Options options)
      : blocks_(std::move(blocks)), options_(std::move(options)) {}

  std::size_t handle(std::string_view message, const Client& client, std::span<char> room) override;

 private:
  ServerBlock* block_of(const LookupName& name);
  Step serve(Exchange& exchange);

  std::vector<ServerBlock> blocks_;
  const Options options_;
  std::uint32_t turn_ = 0;
};

}  // namespace weft::dns
