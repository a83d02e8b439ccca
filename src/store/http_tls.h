// http_tls.h: a client's side of TLS as far as certificates go, in OpenSSL's terms.
//
// OpenSSL costs a process about a megabyte once it is used; nothing here runs before the first
// call to an https endpoint.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "base/result.h"
#include "store/http_client.h"

namespace weft {

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, SslContextFree>;

/// TLS 1.2 or newer with the files of `options`. An Error names the file that cannot be used.
Result<TlsContext> make_tls_context(const HttpOptions& options);

/// From now on only a certificate for `host`, a name or an address, is accepted; a server of
/// many names is told which one is meant.
Status expect_host(SSL* session, const std::string& host);

/// Why the server's certificate was not accepted; empty when it was, or when none came.
std::string certificate_trouble(const SSL* session);

}  // namespace weft
