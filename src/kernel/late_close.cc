#include "kernel/late_close.h"

#include <utility>

namespace weft::kernel {
namespace {

thread_local LateClose* innermost = nullptr;

}  // namespace

LateClose::LateClose() : outer_(std::exchange(innermost, this)) {}

LateClose::~LateClose() {
  innermost = outer_;
  for (auto& socket : sockets_) close(std::move(socket));
}

void LateClose::close(Fd socket) {
  if (innermost != nullptr && !socket.empty()) innermost->sockets_.push_back(std::move(socket));
}

}  // namespace weft::kernel
