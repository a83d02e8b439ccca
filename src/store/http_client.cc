#include "store/http_client.h"

#include <fcntl.h>
#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include <memory>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/fd.h"
#include "base/lock_guarded.h"
#include "base/text.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

// A server that has gone must be an error and not a signal: httplib and OpenSSL write without
// MSG_NOSIGNAL.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  ~NoSigpipe() {
    constexpr timespec kAtOnce{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &kAtOnce);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_;
};

// Shuts the socket of a call down from another thread, in whatever it is doing. httplib's own
// stop() waits for a lock that is held while connecting. The descriptor is a duplicate, so
// that it cannot be another file by then.
class Interrupter {
 public:
  void attach(int socket) {
    state_.with([&](State& state) {
      state.socket = Fd(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
      if (state.stopped) ::shutdown(state.socket.get(), SHUT_RDWR);
    });
  }
  void stop() {
    state_.with([](State& state) {
      state.stopped = true;
      if (!state.socket.empty()) ::shutdown(state.socket.get(), SHUT_RDWR);
    });
  }

 private:
  struct State {
    Fd socket;
    bool stopped = false;
  };
  LockGuarded<State> state_;
};

// A peer that has lost its power is noticed after half a minute instead of never.
void set_socket_options(int socket) {
  const auto set = [socket](int level, int name, int value) {
    ::setsockopt(socket, level, name, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

std::string openssl_words() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "" : std::string(reason);
}

Failure tls_failure(const std::string& tried) {
  const std::string words = openssl_words();
  return fail(tried + (words.empty() ? "" : ": " + words),
              "check that the file is there, readable and in PEM form");
}

Status load_certificates(SSL_CTX* context, const HttpOptions& options) {
  if (context == nullptr) return fail("setting up TLS: " + openssl_words());
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A key with a pass phrase is an error: the default would ask on the terminal.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
  if (!options.ca_file.empty() &&
      SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1)
    return tls_failure("reading the certificate authority " + options.ca_file);
  if (options.certificate_file.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1)
    return tls_failure("reading the certificate " + options.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return tls_failure("reading the key " + options.key_file);
  return {};
}

Result<std::unique_ptr<httplib::ClientImpl>> make_client(const HttpEndpoint& endpoint,
                                                         const HttpOptions& options) {
  std::unique_ptr<httplib::ClientImpl> client;
  if (endpoint.tls) {
    auto secure = std::make_unique<httplib::SSLClient>(endpoint.host, endpoint.port);
    RETURN_IF_ERROR(load_certificates(secure->ssl_context(), options));
    // httplib adds the system's authorities unless it has been told of a file itself.
    if (!options.ca_file.empty()) secure->set_ca_cert_path(options.ca_file);
    client = std::move(secure);
  } else {
    client = std::make_unique<httplib::ClientImpl>(endpoint.host, endpoint.port);
  }
  client->set_connection_timeout(options.connect_timeout);
  client->set_read_timeout(options.read_timeout);
  client->set_write_timeout(options.read_timeout);
  client->set_tcp_nodelay(true);
  // What is unpacked has no bound, and no store packs its answers unasked.
  client->set_decompress(false);
  return client;
}

httplib::Request make_request(const HttpPost& post) {
  httplib::Request request;
  request.method = "POST";
  request.path = post.path;
  request.body = post.body;
  request.set_header("Content-Type", "application/json");
  for (const auto& [name, value] : post.headers) request.set_header(name.c_str(), value);
  return request;
}

// How far one call has come; the words of its failure depend on it.
struct Progress {
  Clock::time_point last_byte = Clock::now();
  int status = 0;
  std::string body;
  bool too_large = false;
  bool ended_by_receiver = false;
};

Failure failure(httplib::Error error, const Progress& progress, const HttpEndpoint& endpoint,
                const HttpOptions& options, const httplib::ClientImpl& client) {
  const std::string where = endpoint.to_string();
  const auto with_number = [](int number, std::string what, std::string next = {}) {
    return Failure(Error{.what = std::move(what), .next = std::move(next), .number = number});
  };
  const std::string tls = openssl_words();
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return with_number(ECONNREFUSED,
                         "connecting to " + where +
                             (error == httplib::Error::Connection
                                  ? ": refused, or there is no way to it"
                                  : ": no answer within " +
                                        std::to_string(options.connect_timeout.count()) + " ms"),
                         "check that the server is running and that the address is right");
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLLoadingCerts:
      return with_number(ECONNREFUSED,
                         "TLS with " + where + ": " + (tls.empty() ? "the handshake failed" : tls));
    case httplib::Error::SSLServerVerification: {
      const auto* secure = dynamic_cast<const httplib::SSLClient*>(&client);
      const long verdict = secure == nullptr ? X509_V_OK : secure->get_openssl_verify_result();
      return with_number(ECONNREFUSED,
                         "the certificate of " + where + " is not accepted: " +
                             (verdict == X509_V_OK ? "it is for another host"
                                                   : X509_verify_cert_error_string(verdict)),
                         "check the file of the certificate authority");
    }
    default:
      break;
  }
  if (progress.too_large)
    return with_number(EMSGSIZE, where + " sent more than " + std::to_string(kLargestAnswer) +
                                     " bytes as one answer");
  if (Clock::now() - progress.last_byte >= options.read_timeout)
    return with_number(ETIMEDOUT, where + " sent nothing for " +
                                      std::to_string(options.read_timeout.count()) + " ms");
  return with_number(0, where + " ended the connection in the middle of an answer" +
                            (tls.empty() ? "" : ": " + tls));
}

Result<HttpAnswer> exchange(const HttpEndpoint& endpoint, const HttpOptions& options,
                            const HttpPost& post, const std::stop_token& stop,
                            const std::function<bool(std::string_view)>& receive) {
  const NoSigpipe no_sigpipe;
  ASSIGN_OR_RETURN(const auto client, make_client(endpoint, options));
  Interrupter interrupter;
  client->set_socket_options([&](int socket) {
    set_socket_options(socket);
    interrupter.attach(socket);
  });
  Progress progress;
  auto request = make_request(post);
  request.response_handler = [&](const httplib::Response& response) {
    progress.status = response.status;
    progress.last_byte = Clock::now();
    return true;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    progress.last_byte = Clock::now();
    if (progress.status == 200 && receive) {
      progress.ended_by_receiver = !receive({data, size});
      return !progress.ended_by_receiver;
    }
    progress.too_large = progress.body.size() + size > kLargestAnswer;
    if (!progress.too_large) progress.body.append(data, size);
    return !progress.too_large;
  };
  ERR_clear_error();
  const std::stop_callback on_stop(stop, [&] { interrupter.stop(); });
  const auto result = client->send(request);
  if (stop.stop_requested())
    return Failure(Error{.what = "stopped", .next = {}, .number = ECANCELED});
  // httplib 0.11 takes the trailers, with which grpc-gateway ends a refusal, for a broken answer;
  // of a refusal the status is what counts, and the body has come by then.
  const bool refused = result.error() == httplib::Error::Read && !progress.body.empty() &&
                       progress.status != 200 && !progress.too_large;
  if (result || progress.ended_by_receiver || refused)
    return HttpAnswer{.status = progress.status, .body = std::move(progress.body)};
  return failure(result.error(), progress, endpoint, options, *client);
}

}  // namespace

std::optional<HttpEndpoint> HttpEndpoint::parse(std::string_view text, std::uint16_t default_port) {
  HttpEndpoint endpoint{.tls = false, .host = {}, .port = default_port};
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    endpoint.tls = text.substr(0, scheme) == "https";
    if (!endpoint.tls && text.substr(0, scheme) != "http") return std::nullopt;
    text.remove_prefix(scheme + 3);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  const bool bracketed = text.starts_with('[');
  const auto host_end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && host_end == std::string_view::npos) return std::nullopt;
  endpoint.host = text.substr(bracketed ? 1 : 0, bracketed ? host_end - 1 : host_end);
  std::string_view rest = text.substr(std::min(host_end, text.size()));
  if (bracketed) rest.remove_prefix(1);
  if (!rest.empty()) {
    const auto port = rest[0] == ':' ? parse_number(rest.substr(1)) : std::nullopt;
    if (!port || *port == 0 || *port > 65535) return std::nullopt;
    endpoint.port = static_cast<std::uint16_t>(*port);
  }
  const bool strange = endpoint.host.find_first_of("/@?#[] \t\r\n") != std::string::npos;
  if (endpoint.host.empty() || strange) return std::nullopt;
  return endpoint;
}

std::string HttpEndpoint::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return std::string(tls ? "https://" : "http://") + (v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

Result<HttpAnswer> http_post(const HttpEndpoint& endpoint, const HttpOptions& options,
                             const HttpPost& post, const std::stop_token& stop) {
  return exchange(endpoint, options, post, stop, nullptr);
}

Result<HttpAnswer> http_post_stream(const HttpEndpoint& endpoint, const HttpOptions& options,
                                    const HttpPost& post, const std::stop_token& stop,
                                    const std::function<bool(std::string_view)>& receive) {
  return exchange(endpoint, options, post, stop, receive);
}

}  // namespace weft
