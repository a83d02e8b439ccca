#include "dns/tcp_framing.h"

#include <algorithm>

#include "dns/bytes.h"

namespace weft::dns {
namespace {

constexpr std::size_t kPrefix = 2;
// Room for a handful of pipelined queries; a longer message gets what it needs.
constexpr std::size_t kUsualRoom = 2048;

}  // namespace

std::span<char> TcpFraming::room() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(read_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
  filled_ -= read_;
  read_ = 0;
  std::size_t wanted = kUsualRoom;
  if (filled_ >= kPrefix)
    wanted = std::max(wanted, kPrefix + word_at({buffer_.data(), filled_}, 0));
  if (buffer_.size() != wanted) {
    buffer_.resize(std::max(wanted, filled_));
    buffer_.shrink_to_fit();
  }
  return std::span(buffer_).subspan(filled_);
}

void TcpFraming::filled(std::size_t size) {
  filled_ += size;
}

std::optional<std::string_view> TcpFraming::next() {
  const std::string_view left(buffer_.data() + read_, filled_ - read_);
  if (left.size() < kPrefix || left.size() - kPrefix < word_at(left, 0)) return std::nullopt;
  const std::string_view message = left.substr(kPrefix, word_at(left, 0));
  read_ += kPrefix + message.size();
  return message;
}

}  // namespace weft::dns
