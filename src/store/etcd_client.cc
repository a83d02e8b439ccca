#include "store/etcd_client.h"

#include "base/base64.h"

namespace weft {
namespace {

using std::chrono::seconds;

// gRPC's status codes that the gateway puts into the body (google.rpc.Code).
constexpr std::int64_t kNotFound = 5;
constexpr std::int64_t kOutOfRange = 11;
constexpr std::int64_t kUnauthenticated = 16;

std::int64_t grpc_code(const std::string& body) {
  const auto answer = parse_json(body);
  if (!answer) return 0;
  return read_int64(*answer, "code").value_or(0);
}

// The token has run out, or the users have changed since it was made.
bool wants_login(const HttpAnswer& answer) {
  return answer.status == 401 ||
         (answer.status == 400 &&
          etcd_error_words(answer.body).find("revision of auth store") != std::string::npos) ||
         (answer.status != 200 && grpc_code(answer.body) == kUnauthenticated);
}

Json number(std::int64_t value) {
  return std::to_string(value);
}

Json lease_id(std::int64_t id) {
  Json body;
  body["ID"] = number(id);
  return body;
}

// "hasleader": a member without a quorum says so instead of falling silent.
HttpRequest make_post(const std::string& path, const Json& body, const std::string& token) {
  HttpRequest post{
      .path = path, .body = to_text(body), .headers = {{"Grpc-Metadata-hasleader", "true"}}};
  if (!token.empty()) post.headers.emplace_back("Authorization", token);
  return post;
}

}  // namespace

EtcdClient::EtcdClient(EtcdOptions options, std::vector<HttpEndpoint> endpoints)
    : options_(std::move(options)), endpoints_(std::move(endpoints)) {}

Result<std::unique_ptr<EtcdClient>> EtcdClient::open(const EtcdOptions& options) {
  std::vector<HttpEndpoint> endpoints;
  for (const auto& text : options.endpoints) {
    const auto endpoint = HttpEndpoint::parse(text, 2379);
    if (!endpoint)
      return fail("the etcd endpoint \"" + text + "\" is no address",
                  "write it like https://etcd.example:2379");
    endpoints.push_back(*endpoint);
  }
  if (endpoints.empty()) return fail("no etcd endpoint is given");
  if (options.certificate_file.empty() != options.key_file.empty())
    return fail("of etcd's client certificate and key only one is given", "give both or neither");
  return std::unique_ptr<EtcdClient>(new EtcdClient(options, std::move(endpoints)));
}

std::string EtcdClient::endpoints() const {
  std::string text;
  for (const auto& endpoint : endpoints_) text += (text.empty() ? "" : ",") + endpoint.to_string();
  return text;
}

HttpOptions EtcdClient::http_options() const {
  return {.ca_file = options_.ca_file,
          .certificate_file = options_.certificate_file,
          .key_file = options_.key_file,
          .connect_timeout = options_.connect_timeout,
          .read_timeout = options_.request_timeout};
}

// 503 is gRPC's "unavailable": no leader, or a member that is starting or stopping. 504 is a
// leader that was lost on the way.
Result<HttpAnswer> EtcdClient::try_endpoints(const HttpRequest& post, const std::stop_token& stop) {
  const std::size_t first = last_good_.load();
  Result<HttpAnswer> result;
  std::string reasons;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const std::size_t index = (first + i) % endpoints_.size();
    result = http_call(endpoints_[index], http_options(), post, stop);
    const bool elsewhere = !result ? result.error().number != ECANCELED
                                   : result->status == 503 || result->status == 504;
    if (!elsewhere) {
      last_good_.store(index);
      return result;
    }
    reasons += (reasons.empty() ? "" : "; ") +
               (result ? endpoints_[index].to_string() + ": " + etcd_error_words(result->body)
                       : result.error().what);
  }
  if (result) return fail("etcd: " + reasons, "check that etcd has a quorum");
  result.error().what = "etcd: " + reasons;
  return result;
}

Result<std::string> EtcdClient::token(const std::stop_token& stop) {
  if (options_.username.empty()) return std::string();
  if (auto known = token_.copy(); !known.empty()) return known;
  Json login;
  login["name"] = options_.username;
  login["password"] = options_.password;
  const HttpRequest post = make_post("/v3/auth/authenticate", login, {});
  ASSIGN_OR_RETURN(const HttpAnswer answer, try_endpoints(post, stop));
  const auto parsed = parse_json(answer.body);
  std::string token;
  if (answer.status == 200 && parsed && parsed->is_object())
    ObjectReader(*parsed, "etcd's answer").read("token", token);
  if (token.empty()) {
    const std::string words = etcd_error_words(answer.body);
    return fail("logging in to etcd as " + options_.username + ": " +
                    (words.empty() ? "no token in the answer" : words),
                "check the user name and the password");
  }
  token_.with([&](std::string& known) { known = token; });
  return token;
}

// True when the next try may succeed with a new token.
bool EtcdClient::forget_refused_token(const std::string& token, const HttpAnswer& answer) {
  if (token.empty() || !wants_login(answer)) return false;
  token_.with([&](std::string& known) {
    if (known == token) known.clear();
  });
  return true;
}

Failure EtcdClient::refused(const std::string& path, const HttpAnswer& answer) const {
  const std::string words = etcd_error_words(answer.body);
  Error error{.what = "etcd at " + endpoints_[last_good_.load()].to_string() + ": " + path + ": " +
                      (words.empty() ? "HTTP status " + std::to_string(answer.status) +
                                           " and no answer of etcd"
                                     : words),
              .next = words.empty() ? "check that the address is etcd's client port" : "",
              .number = 0};
  const std::int64_t code = words.empty() ? 0 : grpc_code(answer.body);
  if (code == kOutOfRange) error.number = ESTALE;
  if (code == kNotFound) error.number = words.empty() ? 0 : ENOENT;
  return Failure(std::move(error));
}

Result<Json> EtcdClient::call(const std::string& path, const Json& body,
                              const std::stop_token& stop) {
  ASSIGN_OR_RETURN(std::string token, this->token(stop));
  ASSIGN_OR_RETURN(HttpAnswer answer, try_endpoints(make_post(path, body, token), stop));
  if (forget_refused_token(token, answer)) {
    ASSIGN_OR_RETURN(token, this->token(stop));
    ASSIGN_OR_RETURN(answer, try_endpoints(make_post(path, body, token), stop));
  }
  if (answer.status != 200) return refused(path, answer);
  auto parsed = parse_json(answer.body);
  if (parsed && parsed->is_object()) return parsed;
  return fail("etcd at " + endpoints_[last_good_.load()].to_string() + ": " + path +
                  ": the answer is no JSON object" +
                  (parsed ? "" : " (" + parsed.error().what + ")"),
              "check that the address is etcd's client port");
}

Result<EtcdPage> EtcdClient::range(const Range& range, const std::stop_token& stop) {
  Json body;
  body["key"] = to_base64(range.key);
  if (!range.end.empty()) body["range_end"] = to_base64(range.end);
  if (range.limit != 0) body["limit"] = number(range.limit);
  if (range.revision != 0) body["revision"] = number(range.revision);
  ASSIGN_OR_RETURN(const Json answer, call("/v3/kv/range", body, stop));
  return parse_etcd_page(answer);
}

// A key that is not there compares as mod_revision 0.
Result<EtcdClient::Outcome> EtcdClient::change_if(const Change& change,
                                                  const std::stop_token& stop) {
  const std::string key = to_base64(change.key);
  Json body;
  Json& compare = body["compare"].emplace_back(Json::object());
  compare["key"] = key;
  compare["target"] = "MOD";
  compare["result"] = "EQUAL";
  compare["mod_revision"] = number(change.seen);
  Json& then = body["success"].emplace_back(Json::object());
  Json& request = then[change.value ? "request_put" : "request_delete_range"];
  request["key"] = key;
  if (change.value) request["value"] = to_base64(*change.value);
  if (change.value) request["lease"] = number(change.lease);
  body["failure"].emplace_back(Json::object())["request_range"]["key"] = key;
  ASSIGN_OR_RETURN(const Json answer, call("/v3/kv/txn", body, stop));
  ASSIGN_OR_RETURN(EtcdPage header, parse_etcd_page(answer));
  Outcome outcome{.done = false, .revision = header.revision, .current = std::nullopt};
  ObjectReader reader(answer, "etcd's answer");
  reader.read("succeeded", outcome.done);
  const Json* responses = reader.array("responses");
  RETURN_IF_ERROR(reader.finish());
  if (responses == nullptr || responses->empty())
    return fail("etcd's answer: a transaction without responses");
  if (outcome.done) return outcome;
  ObjectReader first(responses->front(), "etcd's answer");
  const Json* range = first.object("response_range");
  RETURN_IF_ERROR(first.finish());
  if (range == nullptr) return fail("etcd's answer: a transaction without response_range");
  ASSIGN_OR_RETURN(EtcdPage page, parse_etcd_page(*range));
  if (!page.kvs.empty()) outcome.current = std::move(page.kvs.front());
  return outcome;
}

Result<EtcdClient::Grant> EtcdClient::grant(seconds ttl, const std::stop_token& stop) {
  Json body;
  body["TTL"] = number(ttl.count());
  ASSIGN_OR_RETURN(const Json answer, call("/v3/lease/grant", body, stop));
  Grant grant;
  ASSIGN_OR_RETURN(grant.id, read_int64(answer, "ID"));
  ASSIGN_OR_RETURN(const std::int64_t granted, read_int64(answer, "TTL"));
  if (grant.id == 0 || granted <= 0) return fail("etcd's answer: a lease without ID or TTL");
  grant.ttl = seconds(granted);
  return grant;
}

Status EtcdClient::revoke(std::int64_t id, const std::stop_token& stop) {
  const auto answer = call("/v3/lease/revoke", lease_id(id), stop);
  if (!answer && answer.error().number != ENOENT) return Failure(answer.error());
  return {};
}

Result<std::optional<seconds>> EtcdClient::time_to_live(std::int64_t id,
                                                        const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const Json answer, call("/v3/lease/timetolive", lease_id(id), stop));
  // A TTL of 0 is not written; -1 says that there is no such lease.
  ASSIGN_OR_RETURN(const std::int64_t ttl, read_int64(answer, "TTL"));
  if (ttl < 0) return std::nullopt;
  return seconds(ttl);
}

Status EtcdClient::watch(const Range& keys, std::int64_t start_revision,
                         const std::stop_token& stop,
                         const std::function<bool(std::string_view)>& receive) {
  ASSIGN_OR_RETURN(const std::string token, this->token(stop));
  Json body;
  Json& request = body["create_request"];
  request["key"] = to_base64(keys.key);
  request["range_end"] = to_base64(keys.end);
  request["start_revision"] = number(start_revision);
  request["progress_notify"] = true;
  HttpOptions options = http_options();
  options.read_timeout = options_.watch_silence;
  std::size_t index = last_good_.load();
  const auto result =
      http_stream(endpoints_[index], options, make_post("/v3/watch", body, token), stop, receive);
  if (result && result->status == 200) return {};
  Failure failure = result ? refused("/v3/watch", *result) : because("etcd", result.error());
  if (!result || !forget_refused_token(token, *result))
    last_good_.compare_exchange_strong(index, (index + 1) % endpoints_.size());
  return failure;
}

}  // namespace weft
