#include "dns/query_log.h"

#include <functional>
#include <map>

#include "dns/lookup_name.h"

namespace weft::dns {
namespace {

// CoreDNS's common log format.
constexpr const char* kCommonFormat =
    R"({remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" )"
    R"({rcode} {>rflags} {rsize} {duration})";
constexpr const char* kCombinedFormat = R"({common} "{>opcode}")";

std::string name_of(const Answered& answered) {
  const auto name = Name::from_wire(answered.query.name);
  return name ? name->to_string() : ".";
}

std::string flags_of(const Header& header) {
  std::string flags;
  const auto add = [&](bool set, const char* flag) {
    if (set) flags += (flags.empty() ? "" : ",") + std::string(flag);
  };
  add(header.is_response, "qr");
  add(header.authoritative, "aa");
  add(header.truncated, "tc");
  add(header.recursion_desired, "rd");
  add(header.recursion_available, "ra");
  add(header.authentic_data, "ad");
  add(header.checking_disabled, "cd");
  return flags;
}

using Word = std::function<std::string(const Answered&)>;

const std::map<std::string, Word>& words() {
  static const std::map<std::string, Word> all = {
      {"remote",
       [](const Answered& a) {
         const std::string text = a.client.address.to_string();
         return a.client.address.is_v4() ? text : "[" + text + "]";
       }},
      {"port", [](const Answered& a) { return std::to_string(a.client.port); }},
      {"local", [](const Answered& a) { return a.client.local.to_string(); }},
      {"proto", [](const Answered& a) { return a.client.over_tcp ? "tcp" : "udp"; }},
      {"type", [](const Answered& a) { return to_string(a.query.type); }},
      {"class", [](const Answered&) { return "IN"; }},
      {"name", name_of},
      {"size", [](const Answered& a) { return std::to_string(a.query.size); }},
      {"rcode", [](const Answered& a) { return to_string(a.rcode); }},
      {"rsize", [](const Answered& a) { return std::to_string(a.size); }},
      {"duration",
       [](const Answered& a) {
         return fmt::format("{:.9f}s", std::chrono::duration<double>(a.time).count());
       }},
      {">id", [](const Answered& a) { return std::to_string(a.query.header.id); }},
      {">opcode",
       [](const Answered& a) {
         return std::to_string(static_cast<unsigned>(a.query.header.opcode));
       }},
      {">do",
       [](const Answered& a) {
         return a.query.edns && a.query.edns->dnssec_ok ? "true" : "false";
       }},
      {">bufsize",
       [](const Answered& a) {
         return std::to_string(a.query.edns ? a.query.edns->udp_size : kPlainUdpSize);
       }},
      {">rflags", [](const Answered& a) { return flags_of(a.header); }},
      {"common", [](const Answered& a) { return log_line(kCommonFormat, a); }},
      {"combined", [](const Answered& a) { return log_line(kCombinedFormat, a); }},
  };
  return all;
}

bool is_denial(const Answered& answered) {
  return answered.rcode == Rcode::kNameError ||
         (answered.rcode == Rcode::kNoError && answered.header.answers == 0);
}

}  // namespace

std::string log_line(const std::string& format, const Answered& answered) {
  std::string line;
  for (std::size_t at = 0; at < format.size();) {
    const std::size_t end = format[at] == '{' ? format.find('}', at) : std::string::npos;
    const auto word = end == std::string::npos ? words().end()
                                               : words().find(format.substr(at + 1, end - at - 1));
    if (word == words().end()) {
      line += format[at++];
      continue;
    }
    line += word->second(answered);
    at = end + 1;
  }
  return line;
}

LogObserver::LogObserver(LogOptions options) : options_(std::move(options)) {
  if (options_.format.empty()) options_.format = kCommonFormat;
}

void LogObserver::answered(const Answered& answered) {
  const bool denial = is_denial(answered);
  const bool success = answered.rcode == Rcode::kNoError && !denial;
  const bool is_wanted = success  ? options_.classes.success
                         : denial ? options_.classes.denial
                                  : options_.classes.error;
  if (!is_wanted || !is_below(LookupName(answered.query.name), options_.zones)) return;
  spdlog::info("{}", log_line(options_.format, answered));
}

void ErrorsObserver::answered(const Answered& answered) {
  if (answered.rcode != Rcode::kServerFailure) return;
  if (!told_.allows(std::string(answered.why))) return;
  spdlog::error("{} {} {}: {}", static_cast<unsigned>(answered.rcode), name_of(answered),
                to_string(answered.query.type), answered.why);
}

}  // namespace weft::dns
