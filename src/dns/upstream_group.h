// upstream_group.h: the upstreams of one `forward`, for one worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dns/loop_marks.h"
#include "dns/plugin_options.h"
#include "dns/reply.h"
#include "dns/upstream_peer.h"

namespace weft::dns {

/// Told of every whole answer before those who wait for it.
class AnswerKeeper {
 public:
  virtual ~AnswerKeeper() = default;
  virtual void keep(std::string_view key, const Reply& reply,
                    std::chrono::steady_clock::time_point now) = 0;
};

struct UpstreamGroup {
  std::shared_ptr<const ForwardOptions> options = {};
  std::shared_ptr<LoopMarks> loops = {};
  bool watch_loops = false;  ///< asks for what tells of loops, see LoopMarks
  AnswerKeeper* keeper = nullptr;

  // Of Inquiries:
  std::vector<std::unique_ptr<UpstreamPeer>> peers = {};
  std::uint32_t turn = 0;
  std::uint32_t waiting = 0;  ///< clients
  std::chrono::steady_clock::time_point next_loop_check = {};

  /// It has failed too often, and no health check was answered since.
  bool is_down(const UpstreamPeer& peer) const {
    return options->max_fails != 0 && peer.score.fails() >= options->max_fails;
  }
};

}  // namespace weft::dns
