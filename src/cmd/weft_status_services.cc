// weft status services: what the service proxy of this node knows, and since when the kernel does.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/marks.h"
#include "base/text.h"
#include "cmd/usage.h"
#include "serve/http_ask.h"

namespace weft::cmd {
namespace {

const char* const kExamples =
    "  weft status services\n"
    "  weft status services shop/web\n"
    "  weft status services kube-system -o json\n";

using Kind = Json::value_t;

struct Options {
  std::string socket = "/run/weft-kube-proxy.sock";
  std::string which;
  OutputFormat output;
};

const std::string& text_of(const Json& object, const char* key) {
  return object[key].get_ref<const std::string&>();
}

bool has(const Json& object, const char* key, std::initializer_list<Kind> kinds) {
  const auto found = object.find(key);
  return found != object.end() && std::any_of(kinds.begin(), kinds.end(), [&](Kind kind) {
           return found->type() == kind ||
                  (kind == Kind::number_integer && found->is_number_integer());
         });
}

bool is_front(const Json& front) {
  return has(front, "address", {Kind::string, Kind::null}) &&
         has(front, "port", {Kind::number_integer}) && has(front, "protocol", {Kind::string}) &&
         has(front, "kind", {Kind::string}) && has(front, "leads_to", {Kind::string});
}

bool is_endpoint(const Json& endpoint) {
  for (const char* mark : {"local", "ready", "serving", "terminating", "used"})
    if (!has(endpoint, mark, {Kind::boolean})) return false;
  return has(endpoint, "address", {Kind::string}) &&
         has(endpoint, "port", {Kind::number_integer}) &&
         has(endpoint, "protocol", {Kind::string}) && has(endpoint, "port_name", {Kind::string});
}

// Whether all is there, and of the right kind, that is looked at below.
bool is_page(const Json& page) {
  for (const char* key : {"version", "mode", "node", "trouble"})
    if (!has(page, key, {Kind::string})) return false;
  if (!has(page, "ready", {Kind::boolean}) || !has(page, "more", {Kind::boolean}) ||
      !has(page, "services", {Kind::array}))
    return false;
  const Json& services = page["services"];
  return std::all_of(services.begin(), services.end(), [](const Json& service) {
    if (!has(service, "namespace", {Kind::string}) || !has(service, "name", {Kind::string}) ||
        !has(service, "in_kernel_s", {Kind::number_integer, Kind::null}) ||
        !has(service, "waiting", {Kind::boolean}) || !has(service, "fronts", {Kind::array}) ||
        !has(service, "endpoints", {Kind::array}))
      return false;
    const Json& fronts = service["fronts"];
    const Json& endpoints = service["endpoints"];
    return std::all_of(fronts.begin(), fronts.end(), is_front) &&
           std::all_of(endpoints.begin(), endpoints.end(), is_endpoint);
  });
}

// "shop/web"
std::string name_of(const Json& service) {
  return text_of(service, "namespace") + "/" + text_of(service, "name");
}

bool is_chosen(const Json& service, const std::string& which) {
  return which.empty() || which == text_of(service, "namespace") || which == name_of(service);
}

Result<Json> ask_page(const std::string& socket, const std::string& path) {
  const auto answer = http_ask(socket, path, std::chrono::seconds(10));
  if (!answer && (answer.error().number == ENOENT || answer.error().number == ECONNREFUSED))
    return fail("no service proxy answers at " + socket,
                "start weftd kube-proxy on this node, or give its --status-socket as --socket");
  if (!answer) return Failure(answer.error());
  auto page = parse_json(answer->body);
  if (answer->status != 200 || !page || !is_page(*page))
    return fail("who answers at " + socket + " gives no status that is known here",
                "use the weft of the same version as the proxy");
  return page;
}

// Page by page, so that the proxy never holds the whole of a large cluster as text.
Result<Json> ask(const Options& options) {
  Json all;
  Json chosen = Json::array();
  std::string path = "/services";
  for (;;) {
    ASSIGN_OR_RETURN(Json page, ask_page(options.socket, path));
    Json services = std::move(page["services"]);
    const bool more = page["more"].get<bool>() && !services.empty();
    if (more) path = "/services/after/" + name_of(services.back());
    for (auto& service : services)
      if (is_chosen(service, options.which)) chosen.push_back(std::move(service));
    all = std::move(page);
    if (!more) break;
  }
  all.erase("more");
  all["services"] = std::move(chosen);
  return all;
}

bool is_in_kernel(const Json& service) {
  return !service["waiting"].get<bool>() && !service["in_kernel_s"].is_null();
}

Mark mark_of(const Json& status) {
  if (!status["ready"].get<bool>()) return Mark::kWrong;
  const Json& services = status["services"];
  return text_of(status, "trouble").empty() &&
                 std::all_of(services.begin(), services.end(), is_in_kernel)
             ? Mark::kFine
             : Mark::kWarning;
}

// "10.96.0.10:80/TCP", "[fd00::a]:80/TCP", "port 30080/TCP"
std::string place(const Json& front) {
  const std::string port = to_text(front["port"]) + "/" + text_of(front, "protocol");
  if (front["address"].is_null()) return "port " + port;
  const std::string& address = text_of(front, "address");
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + port;
}

std::string marks(const Json& endpoint) {
  std::string words = endpoint["ready"].get<bool>()     ? "ready"
                      : endpoint["serving"].get<bool>() ? "serving"
                                                        : "not ready";
  if (endpoint["terminating"].get<bool>()) words += ", terminating";
  if (endpoint["local"].get<bool>()) words += ", local";
  if (!endpoint["used"].get<bool>()) words += ", not used";
  return words;
}

std::string kernel_words(const Json& service, const std::string& trouble) {
  const Json& since = service["in_kernel_s"];
  std::string words = since.is_null()
                          ? "not in the kernel"
                          : "in the kernel, as of " + age(since.get<std::int64_t>()) + " ago";
  if (service["waiting"].get<bool>())
    words += (since.is_null() ? ": " : "; a change is not: ") +
             (trouble.empty() ? std::string("it has just come in") : trouble);
  return words;
}

void print_service(const Json& service, const std::string& trouble) {
  std::printf("%s  %s\n", name_of(service).c_str(), kernel_words(service, trouble).c_str());
  for (const auto& front : service["fronts"])
    std::printf("  %-13s %s: %s\n", text_of(front, "kind").c_str(), place(front).c_str(),
                text_of(front, "leads_to").c_str());
  for (const auto& endpoint : service["endpoints"])
    std::printf("  %-13s %s: %s\n", ("-> " + text_of(endpoint, "port_name")).c_str(),
                place(endpoint).c_str(), marks(endpoint).c_str());
}

void print(const Json& status) {
  const std::string mark = line_style(STDOUT_FILENO).mark(mark_of(status));
  const std::string& trouble = text_of(status, "trouble");
  std::printf("%s %s on %s: %zu services%s%s%s\n", mark.c_str(), text_of(status, "mode").c_str(),
              text_of(status, "node").c_str(), status["services"].size(),
              status["ready"].get<bool>() ? "" : ", none of them in the kernel yet",
              trouble.empty() ? "" : "; ", trouble.c_str());
  for (const auto& service : status["services"]) print_service(service, trouble);
}

ExitCode run(const Options& options) {
  const auto status = ask(options);
  if (!status) return fail_with(ExitCode::kUsage, status.error());
  if (!options.which.empty() && (*status)["services"].empty())
    return fail_with(ExitCode::kUsage,
                     {.what = "there is no service " + options.which,
                      .next = "give NAMESPACE/NAME or NAMESPACE; headless ones have no proxy"});
  if (options.output.json())
    std::printf("%s\n", status->dump(2).c_str());
  else
    print(*status);
  return exit_code_of(mark_of(*status));
}

}  // namespace

void add_status_services_command(CLI::App& status, ExitCode& code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = status.add_subcommand(
      "services", "services, their endpoints, and since when the kernel has them");
  command->footer(kExamples);
  command->add_option("SERVICE", options->which, "NAMESPACE/NAME or NAMESPACE; else all");
  command->add_option("--socket", options->socket, "the proxy's --status-socket")
      ->capture_default_str();
  add_output_option(*command, options->output);
  command->callback([options, &code] { code = run(*options); });
}

}  // namespace weft::cmd
