// tcp_framing.h: messages out of a TCP stream, each behind its length (RFC 1035, section 4.2.2;
// RFC 7766).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weft::dns {

/// Takes what arrives, however it is cut, and gives whole messages. Holds one message at most, and
/// gives its memory back when that has been taken.
class TcpFraming {
 public:
  /// Where the next bytes of the stream may be read to. Never empty.
  std::span<char> room();
  /// So many bytes have been read there.
  void filled(std::size_t size);

  /// The next whole message, valid until the next room(); nothing when more bytes are needed.
  std::optional<std::string_view> next();

  /// Whether the stream stands inside of a message.
  bool is_inside() const { return read_ < filled_; }

 private:
  std::vector<char> buffer_;
  std::size_t read_ = 0;    // of the buffer: handed out
  std::size_t filled_ = 0;  // of the buffer: there
};

}  // namespace weft::dns
