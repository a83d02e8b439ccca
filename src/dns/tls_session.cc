#include "dns/tls_session.h"

#include <array>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace weft::dns {
namespace {

Failure fail_tls(const std::string& tried) {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  if (code == 0) return fail(tried + " failed");
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return fail(tried + ": " + text.data());
}

Status load_identity(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return fail_tls("reading the certificate " + certificate);
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return fail_tls("reading the key " + key);
  return {};
}

Status load_files(SSL_CTX* context, const std::vector<std::string>& files) {
  if (files.size() >= 2) RETURN_IF_ERROR(load_identity(context, files[0], files[1]));
  if (files.size() % 2 == 0) {
    if (SSL_CTX_set_default_verify_paths(context) != 1)
      return fail_tls("reading the system's authorities");
    return {};
  }
  if (SSL_CTX_load_verify_locations(context, files.back().c_str(), nullptr) != 1)
    return fail_tls("reading the authorities in " + files.back());
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::open(const std::vector<std::string>& files) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return fail_tls("setting up TLS");
  std::shared_ptr<const TlsContext> owner(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  RETURN_IF_ERROR(load_files(context, files));
  return owner;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<TlsSession>> TlsSession::start(std::shared_ptr<const TlsContext> context,
                                                      const std::string& name,
                                                      const IpAddress& address) {
  SSL* session = SSL_new(context->context_);
  if (session == nullptr) return fail_tls("starting a TLS session");
  std::unique_ptr<TlsSession> owner(new TlsSession(std::move(context), session));
  SSL_set_bio(session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(session);
  const bool is_set = name.empty() ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session),
                                                                   address.to_string().c_str()) == 1
                                   : SSL_set1_host(session, name.c_str()) == 1 &&
                                         SSL_set_tlsext_host_name(session, name.c_str()) == 1;
  if (!is_set) return fail_tls("expecting a certificate for " + name);
  RETURN_IF_ERROR(owner->advance());
  return owner;
}

TlsSession::~TlsSession() {
  SSL_free(session_);
}

Status TlsSession::feed(std::string_view bytes) {
  if (BIO_write(SSL_get_rbio(session_), bytes.data(), static_cast<int>(bytes.size())) < 0)
    return fail_tls("taking in TLS");
  return advance();
}

Status TlsSession::advance() {
  if (established_) return {};
  ERR_clear_error();
  const int done = SSL_do_handshake(session_);
  if (done != 1) {
    const int reason = SSL_get_error(session_, done);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return {};
    if (const long verdict = SSL_get_verify_result(session_); verdict != X509_V_OK) {
      ERR_clear_error();
      return fail(std::string("the server's certificate: ") +
                  X509_verify_cert_error_string(verdict));
    }
    return fail_tls("the TLS handshake");
  }
  established_ = true;
  return write(std::exchange(held_, {}));
}

Status TlsSession::write(std::string_view plain) {
  if (plain.empty()) return {};
  if (!established_) {
    held_ += plain;
    return {};
  }
  ERR_clear_error();
  // The memory behind it takes everything.
  if (SSL_write(session_, plain.data(), static_cast<int>(plain.size())) <= 0)
    return fail_tls("writing TLS");
  return {};
}

std::size_t TlsSession::read(std::span<char> room) {
  if (!established_) return 0;
  ERR_clear_error();
  const int size = SSL_read(session_, room.data(), static_cast<int>(room.size()));
  return size <= 0 ? 0U : static_cast<std::size_t>(size);
}

std::string TlsSession::take_output() {
  std::string output;
  std::array<char, 4096> bytes;
  for (;;) {
    const int size = BIO_read(SSL_get_wbio(session_), bytes.data(), static_cast<int>(bytes.size()));
    if (size <= 0) return output;
    output.append(bytes.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace weft::dns
