#include "store/http_tls.h"

#include <arpa/inet.h>

#include <memory>

#include <openssl/err.h>
#include <openssl/pem.h>
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

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, CertificateFree>;
struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

Bio read_from(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key with a pass phrase is an error: the default would ask on the terminal.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

Certificate next_certificate(const Bio& bio) {
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr));
}

Status load_authorities(SSL_CTX* context, const HttpOptions& options) {
  if (!options.ca_pem.empty()) {
    const Bio bio = read_from(options.ca_pem);
    int count = 0;
    while (const auto certificate = next_certificate(bio)) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
      ++count;
    }
    if (count == 0) return fail("the certificate authority that is given as data is no PEM");
    ERR_clear_error();
  } else if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1) {
    return file_failure("reading the certificate authority " + options.ca_file);
  }
  return {};
}

Status load_certificate_text(SSL_CTX* context, const std::string& text) {
  const Bio bio = read_from(text);
  const auto own = next_certificate(bio);
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1)
    return fail("the client certificate that is given as data cannot be used" + openssl_words());
  while (const auto link = next_certificate(bio)) SSL_CTX_add1_chain_cert(context, link.get());
  ERR_clear_error();
  return {};
}

Status load_key_text(SSL_CTX* context, const std::string& text) {
  const Bio bio = read_from(text);
  const std::unique_ptr<EVP_PKEY, KeyFree> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return fail("the client key that is given as data cannot be used" + openssl_words());
  return {};
}

Status load_own_certificate(SSL_CTX* context, const HttpOptions& options) {
  if (!options.certificate_pem.empty())
    RETURN_IF_ERROR(load_certificate_text(context, options.certificate_pem));
  else if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1)
    return file_failure("reading the certificate " + options.certificate_file);
  if (!options.key_pem.empty())
    RETURN_IF_ERROR(load_key_text(context, options.key_pem));
  else if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return file_failure("reading the key " + options.key_file);
  if (SSL_CTX_check_private_key(context) != 1)
    return fail("the client's certificate and key are no pair" + openssl_words());
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
  SSL_CTX_set_verify(context.get(), options.any_certificate ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  // A connection carries one call: buffers that are given back between two messages cost
  // nothing, and no session is ever taken up again.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context.get(), no_pass_phrase);
  if (!options.any_certificate) RETURN_IF_ERROR(load_authorities(context.get(), options));
  if (!options.certificate_file.empty() || !options.certificate_pem.empty())
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
