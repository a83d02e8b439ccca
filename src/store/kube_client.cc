#include "store/kube_client.h"

#include "base/base64.h"
#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "store/kube_message.h"

namespace weft {
namespace {

constexpr std::size_t kLongestToken = 64U << 10U;

}  // namespace

// The value of the header Authorization; empty with a client certificate alone.
Result<std::string> KubeClient::credentials() const {
  if (!access_.token_file.empty()) {
    ASSIGN_OR_RETURN(const std::string text, read_file(access_.token_file, kLongestToken));
    const auto token = trim(text);
    if (token.empty()) return fail("the token file " + access_.token_file + " is empty");
    return "Bearer " + std::string(token);
  }
  if (!access_.token.empty()) return "Bearer " + access_.token;
  if (!access_.username.empty())
    return "Basic " + to_base64(access_.username + ":" + access_.password);
  return std::string();
}

Result<HttpAnswer> KubeClient::ask(const Call& call, const HttpOptions& options,
                                   const std::stop_token& stop, const Receiver& receive) const {
  HttpRequest request{.method = call.method,
                      .path = access_.path + call.path,
                      .body = call.body,
                      .content_type = call.content_type,
                      .accept = receive ? kKubeProtobuf : "application/json",
                      .headers = {{"User-Agent", "weftd/" WEFT_VERSION}}};
  ASSIGN_OR_RETURN(std::string credentials, this->credentials());
  for (bool repeated = false;; repeated = true) {
    auto sent = request;
    if (!credentials.empty()) sent.headers.emplace_back("Authorization", credentials);
    auto answer = receive ? http_stream(access_.endpoint, options, sent, stop, receive)
                          : http_call(access_.endpoint, options, sent, stop);
    if (!answer || answer->status != 401 || repeated) return answer;
    ASSIGN_OR_RETURN(std::string now, this->credentials());
    if (now == credentials) return answer;
    credentials = std::move(now);
  }
}

std::string KubeClient::Call::describe() const {
  return method + " " + path.substr(0, path.find('?'));
}

Result<std::string> KubeClient::call(const Call& call, const std::stop_token& stop) const {
  const std::string tried = call.describe();
  auto answer = ask(call, access_.http, stop, {});
  if (!answer) return because(tried, std::move(answer).error());
  if (answer->status / 100 != 2) return kube_refusal(tried, *answer);
  return std::move(answer->body);
}

Status KubeClient::stream(const Call& call, const Patience& patience, const std::stop_token& stop,
                          const Receiver& receive) const {
  HttpOptions options = access_.http;
  options.read_timeout = patience.silence;
  options.total_timeout = patience.whole;
  options.stream_timeout = patience.whole;
  const std::string tried = call.describe();
  auto answer = ask(call, options, stop, receive);
  if (!answer) return because(tried, std::move(answer).error());
  if (answer->status != 200) return kube_refusal(tried, *answer);
  if (!is_media_type(answer->content_type, kKubeProtobuf))
    return fail(tried + ": the " + describe() + " answers with the type " +
                    shown(answer->content_type) + " instead of " + kKubeProtobuf,
                "check that it is an API server and no proxy that answers in its place");
  return {};
}

}  // namespace weft
