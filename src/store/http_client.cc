#include "store/http_client.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional/optional.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "store/http_connection.h"
#include "store/http_tls.h"

namespace weft {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = HttpConnection::Clock;
using ErrorCode = HttpConnection::ErrorCode;

using Receiver = std::function<bool(std::string_view)>;

constexpr std::size_t kPiece = 16U << 10U;
constexpr std::uint32_t kLongestHeader = 64U << 10U;

// A body for Beast's parser that keeps nothing: each piece goes to a receiver, which ends the
// reading by returning false.
struct PassedOnBody {
  using value_type = Receiver;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& receive) : receive_(receive) {}
    void init(const boost::optional<std::uint64_t>&, ErrorCode& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, ErrorCode& error) {
      error = {};
      std::size_t taken = 0;
      for (const asio::const_buffer buffer : boost::beast::buffers_range(buffers)) {
        taken += buffer.size();
        if (!receive_({static_cast<const char*>(buffer.data()), buffer.size()}))
          error = asio::error::operation_aborted;
      }
      return taken;
    }
    void finish(ErrorCode& error) { error = {}; }

   private:
    value_type& receive_;
  };
};

Failure failure(int number, std::string what, std::string next = {}) {
  return Failure(Error{.what = std::move(what), .next = std::move(next), .number = number});
}

std::string in_ms(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

// "etcd.example:2379", brackets around an IPv6 address.
std::string authority(const HttpEndpoint& endpoint) {
  const std::string url = endpoint.to_string();
  return url.substr(url.find("//") + 2);
}

Result<std::string> request_text(const HttpEndpoint& endpoint, const HttpRequest& request) {
  std::string text = request.method + " " + request.path +
                     " HTTP/1.1\r\nHost: " + authority(endpoint) + "\r\nConnection: close\r\n";
  if (!request.body.empty() || request.method == "POST")
    text += "Content-Type: " + request.content_type +
            "\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n";
  if (!request.accept.empty()) text += "Accept: " + request.accept + "\r\n";
  for (const auto& [name, value] : request.headers) {
    // A token comes from a server or a file: it must not bring headers of its own.
    if (value.find_first_of("\r\n") != std::string::npos)
      return fail("asking " + endpoint.to_string() + ": the header " + name +
                  " holds a line break");
    text.append(name).append(": ").append(value).append("\r\n");
  }
  return text + "\r\n" + request.body;
}

class Call {
 public:
  Call(const HttpEndpoint& endpoint, const HttpOptions& options, const std::stop_token& stop,
       const Receiver& receive)
      : endpoint_(endpoint),
        options_(options),
        stop_(stop),
        receive_(receive),
        whole_by_(Clock::now() + options.total_timeout),
        connection_(stop) {}

  Result<HttpAnswer> run(const HttpRequest& request) {
    ASSIGN_OR_RETURN(const std::string text, request_text(endpoint_, request));
    RETURN_IF_ERROR(open());
    if (const auto error = connection_.write(text, patience(Clock::now())); error)
      return broken(error);
    parser_.header_limit(kLongestHeader);
    // take() counts instead: a stream has no bound.
    parser_.body_limit(std::numeric_limits<std::uint64_t>::max());
    parser_.get().body() = [this](std::string_view piece) { return take(piece); };
    const auto header_by = patience(Clock::now());
    RETURN_IF_ERROR(
        read_until([this] { return parser_.is_header_done(); }, [&] { return header_by; }));
    if (streaming() && !request.accept.empty() && !is_media_type(content_type(), request.accept))
      return HttpAnswer{.status = status(), .content_type = content_type()};
    last_piece_ = Clock::now();
    stream_by_ = options_.stream_timeout.count() == 0 ? Clock::time_point::max()
                                                      : last_piece_ + options_.stream_timeout;
    if (streaming()) take({});
    RETURN_IF_ERROR(read_until([this] { return parser_.is_done() || ended_by_receiver_; },
                               [this] { return patience(last_piece_); }));
    return HttpAnswer{.status = status(), .body = std::move(body_), .content_type = content_type()};
  }

 private:
  int status() const { return static_cast<int>(parser_.get().result_int()); }
  std::string content_type() const { return std::string(parser_.get()[http::field::content_type]); }
  bool streaming() const { return receive_ && parser_.is_header_done() && status() == 200; }

  // Until when something has to have come that `since` was waited for.
  Clock::time_point patience(Clock::time_point since) const {
    const auto next_by = since + options_.read_timeout;
    return std::min(next_by, streaming() ? stream_by_ : whole_by_);
  }

  Status open() {
    TlsContext context;
    if (endpoint_.tls) {
      ASSIGN_OR_RETURN(context, make_tls_context(options_));
    }
    const HttpEndpoint& first = options_.proxy ? options_.proxy->endpoint : endpoint_;
    auto error = connection_.connect(first.host, first.port, options_.connect_timeout);
    if (error)
      return not_open(
          "connecting to " + std::string(options_.proxy ? "the proxy " : "") + first.to_string(),
          error);
    if (options_.proxy) RETURN_IF_ERROR(open_tunnel());
    if (!endpoint_.tls) return {};
    const auto& name = options_.server_name.empty() ? endpoint_.host : options_.server_name;
    error =
        connection_.start_tls(std::move(context), name, Clock::now() + options_.connect_timeout);
    if (error) return not_open("TLS with " + endpoint_.to_string(), error);
    return {};
  }

  // After a 2xx the connection is the endpoint's.
  Status open_tunnel() {
    HttpRequest request{.method = "CONNECT", .path = authority(endpoint_)};
    if (!options_.proxy->credentials.empty())
      request.headers.emplace_back("Proxy-Authorization",
                                   "Basic " + to_base64(options_.proxy->credentials));
    ASSIGN_OR_RETURN(const std::string text, request_text(endpoint_, request));
    const auto by = Clock::now() + options_.connect_timeout;
    auto error = connection_.write(text, by);
    http::response_parser<http::empty_body> answer;
    answer.skip(true);
    answer.header_limit(kLongestHeader);
    // A byte at a time: what comes behind the header is the endpoint's already.
    while (!error && !answer.is_header_done()) {
      std::size_t got = 0;
      error = connection_.read_some(buffer_.prepare(1), got, by);
      buffer_.commit(got);
      if (error) break;
      buffer_.consume(answer.put(buffer_.data(), error));
      if (error == http::error::need_more) error = {};
    }
    const std::string proxy = "the proxy " + options_.proxy->endpoint.to_string();
    if (error) return not_open(proxy + " on the way to " + endpoint_.to_string(), error);
    const auto status = answer.get().result_int();
    if (status / 100 != 2)
      return failure(ECONNREFUSED, proxy + " refuses the way to " + endpoint_.to_string() +
                                       " with status " + std::to_string(status));
    return {};
  }

  // Reads and parses until `done()`, each read until what `by()` says at the time.
  template <class Done, class By>
  Status read_until(Done done, By by) {
    while (!done()) {
      ErrorCode error = http::error::need_more;
      if (buffer_.size() != 0) buffer_.consume(parser_.put(buffer_.data(), error));
      if (error == http::error::need_more) error = read_more(by());
      if (ended_by_receiver_) return {};
      if (error) return broken(error);
    }
    return {};
  }

  ErrorCode read_more(Clock::time_point by) {
    if (buffer_.size() > kLongestHeader) return http::error::header_limit;
    std::size_t got = 0;
    ErrorCode error = connection_.read_some(buffer_.prepare(kPiece), got, by);
    buffer_.commit(got);
    if (error != asio::error::eof) return error;
    // An answer without a length ends with its connection; none at all is no answer.
    if (!parser_.got_some()) return http::error::end_of_stream;
    parser_.put_eof(error);
    return error;
  }

  // One piece of the body; false ends the call.
  bool take(std::string_view piece) {
    last_piece_ = Clock::now();
    if (streaming()) {
      ended_by_receiver_ = !receive_(piece);
      return !ended_by_receiver_;
    }
    too_large_ = body_.size() + piece.size() > kLargestAnswer;
    if (!too_large_) body_.append(piece);
    return !too_large_;
  }

  // No connection: nothing of the request can have been read.
  Failure not_open(const std::string& tried, const ErrorCode& error) const {
    if (stop_.stop_requested()) return failure(ECANCELED, "stopped");
    const std::string trouble = connection_.certificate_trouble();
    if (!trouble.empty())
      return failure(ECONNREFUSED,
                     "the certificate of " + endpoint_.to_string() + " is not accepted: " + trouble,
                     "check the file of the certificate authority");
    const bool late = error == asio::error::timed_out;
    return failure(
        ECONNREFUSED,
        tried + ": " +
            (late ? "no answer within " + in_ms(options_.connect_timeout) : error.message()),
        "check that the server is running and that the address is right");
  }

  Failure broken(const ErrorCode& error) const {
    if (stop_.stop_requested()) return failure(ECANCELED, "stopped");
    const std::string where = endpoint_.to_string();
    if (too_large_)
      return failure(EMSGSIZE, where + " sent more than " + std::to_string(kLargestAnswer) +
                                   " bytes as one answer");
    if (error == asio::error::timed_out && !streaming() && Clock::now() >= whole_by_)
      return failure(ETIMEDOUT,
                     where + " has not sent its answer within " + in_ms(options_.total_timeout));
    if (error == asio::error::timed_out && streaming() && Clock::now() >= stream_by_)
      return failure(ETIMEDOUT,
                     where + " has not ended its answer within " + in_ms(options_.stream_timeout));
    if (error == asio::error::timed_out)
      return failure(ETIMEDOUT, where + " sent nothing for " + in_ms(options_.read_timeout));
    const bool no_http = error.category() == make_error_code(http::error::bad_version).category() &&
                         error != http::error::partial_message &&
                         error != http::error::end_of_stream;
    return failure(0, where +
                          (no_http ? " sent what is no HTTP answer: "
                                   : " ended the connection in the middle of an answer: ") +
                          error.message());
  }

  const HttpEndpoint& endpoint_;
  const HttpOptions& options_;
  const std::stop_token& stop_;
  const Receiver& receive_;
  const Clock::time_point whole_by_;
  Clock::time_point last_piece_{};
  Clock::time_point stream_by_ = Clock::time_point::max();
  boost::beast::flat_buffer buffer_;
  http::response_parser<PassedOnBody> parser_;
  std::string body_;
  bool too_large_ = false;
  bool ended_by_receiver_ = false;
  HttpConnection connection_;
};

}  // namespace

Result<HttpAnswer> http_call(const HttpEndpoint& endpoint, const HttpOptions& options,
                             const HttpRequest& request, const std::stop_token& stop) {
  const Receiver none;
  return Call(endpoint, options, stop, none).run(request);
}

bool is_media_type(std::string_view content_type, std::string_view media_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  return boost::beast::iequals({type.data(), type.size()}, {media_type.data(), media_type.size()});
}

Result<HttpAnswer> http_stream(const HttpEndpoint& endpoint, const HttpOptions& options,
                               const HttpRequest& request, const std::stop_token& stop,
                               const Receiver& receive) {
  return Call(endpoint, options, stop, receive).run(request);
}

}  // namespace weft
