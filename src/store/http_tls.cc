#include "store/http_tls.h"

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace weft {
namespace {

std::string openssl_words() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "" : std::string(": ") + reason;
}

Failure file_failure(const std::string& tried) {
  return fail(tried + openssl_words(), "check that the file is there, readable and in PEM form");
}

Status load_own_certificate(SSL_CTX* context, const HttpOptions& options) {
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1)
    return file_failure("reading the certificate " + options.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return file_failure("reading the key " + options.key_file);
  return {};
}

bool is_address(const std::string& host) {
  in6_addr bytes;
  return ::inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

}  // namespace

Result<TlsContext> make_tls_context(const HttpOptions& options) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return fail("setting up TLS" + openssl_words());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // A connection carries one call: buffers that are given back between two messages cost
  // nothing, and no session is ever taken up again.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  // A key with a pass phrase is an error: the default would ask on the terminal.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
  if (options.ca_file.empty())
    SSL_CTX_set_default_verify_paths(context.get());
  else if (SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr) != 1)
    return file_failure("reading the certificate authority " + options.ca_file);
  if (!options.certificate_file.empty())
    RETURN_IF_ERROR(load_own_certificate(context.get(), options));
  return context;
}

Status expect_host(SSL* session, const std::string& host) {
  const bool done =
      is_address(host)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1
          : SSL_set1_host(session, host.c_str()) == 1 &&
                SSL_set_tlsext_host_name(session, const_cast<char*>(host.c_str())) == 1;
  if (!done) return fail("setting up TLS with " + host + openssl_words());
  return {};
}

std::string certificate_trouble(const SSL* session) {
  const long verdict = SSL_get_verify_result(session);
  if (verdict == X509_V_OK) return "";
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return "it is for another host";
  return X509_verify_cert_error_string(verdict);
}

}  // namespace weft
