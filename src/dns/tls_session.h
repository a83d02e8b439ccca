// tls_session.h: the client's side of TLS, apart from sockets: bytes in, bytes out (OpenSSL with
// memory BIOs).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

struct ssl_st;
struct ssl_ctx_st;

namespace weft::dns {

/// Whom to trust and who to be, for all sessions with the upstreams of one zone.
class TlsContext {
 public:
  /// Files as of the Corefile's `tls`: none (the system's authorities), CA, CERT KEY or CERT KEY
  /// CA.
  static Result<std::shared_ptr<const TlsContext>> open(const std::vector<std::string>& files);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

class TlsSession {
 public:
  /// The server's certificate must be for `name`, or where that is empty for the address.
  static Result<std::unique_ptr<TlsSession>> start(std::shared_ptr<const TlsContext> context,
                                                   const std::string& name,
                                                   const IpAddress& address);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  /// What came from the server. An error where the server is not the one that is meant, or speaks
  /// something else.
  Status feed(std::string_view bytes);
  /// What is to be sent in secret; kept until the handshake is over.
  Status write(std::string_view plain);
  /// What the server has said in secret; 0 when nothing more is there.
  std::size_t read(std::span<char> room);
  /// What is to be sent to the server as it is. Empty when nothing is.
  std::string take_output();

 private:
  TlsSession(std::shared_ptr<const TlsContext> context, ssl_st* session)
      : context_(std::move(context)), session_(session) {}
  Status advance();

  std::shared_ptr<const TlsContext> context_;
  ssl_st* session_;
  bool established_ = false;
  std::string held_;  // plain text that waits for the handshake
};

}  // namespace weft::dns
