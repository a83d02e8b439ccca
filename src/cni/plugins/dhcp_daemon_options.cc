#include "cni/plugins/dhcp_daemon_options.h"

#include <optional>

#include "base/json.h"
#include "base/text.h"

namespace weft::cni {
namespace {

const std::vector<std::string> kFlags = {"-pidfile",   "-hostprefix",    "-socketpath", "-timeout",
                                         "-resendmax", "-resendtimeout", "-broadcast"};

// Millionths of a second of a unit that Go knows.
std::optional<std::uint64_t> unit_of(std::string_view name) {
  if (name == "us") return 1;
  if (name == "ms") return 1'000;
  if (name == "s") return 1'000'000;
  if (name == "m") return 60'000'000;
  if (name == "h") return 3'600'000'000;
  return std::nullopt;
}

Result<DhcpTime> parse_duration(const std::string& flag, const std::string& text) {
  const Failure bad = fail(flag + " is a duration like 10s or 1m30s, not " + shown(text));
  std::uint64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view number = rest.substr(0, rest.find_first_not_of("0123456789"));
    rest.remove_prefix(number.size());
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789"));
    rest.remove_prefix(name.size());
    const auto count = parse_number(number);
    const auto unit = unit_of(name);
    constexpr std::uint64_t kMost = 1'000'000;
    if (!count || *count > kMost || !unit) return bad;
    total += *count * *unit;
  }
  if (total == 0) return bad;
  return DhcpTime(static_cast<std::int64_t>(total / 1000));
}

Status set(const std::string& flag, const std::string& value, DhcpDaemonOptions& options) {
  const auto set_time = [&](DhcpTime& target) -> Status {
    ASSIGN_OR_RETURN(target, parse_duration(flag, value));
    return {};
  };
  if (flag == "-timeout") return set_time(options.timeouts.answer);
  if (flag == "-resendmax") return set_time(options.timeouts.longest_resend);
  if (flag == "-resendtimeout") return set_time(options.timeouts.give_up);
  if (flag == "-hostprefix") options.host_prefix = value;
  if (flag == "-socketpath" && !value.empty()) options.socket = value;
  if (flag == "-broadcast") {
    if (value != "true" && value != "false" && value != "1" && value != "0")
      return fail("-broadcast is true or false, not " + shown(value));
    options.broadcast = value == "true" || value == "1";
  }
  if (flag == "-pidfile") {
    if (!value.empty() && value[0] != '/')
      return fail("Error writing pidfile " + shown(value) + ": path not absolute");
    options.pid_file = value;
  }
  return {};
}

}  // namespace

Result<DhcpDaemonOptions> parse_dhcp_daemon_options(const std::vector<std::string>& words) {
  DhcpDaemonOptions options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    std::string flag = words[i].substr(0, equals);
    if (flag.starts_with("--")) flag.erase(0, 1);
    if (std::find(kFlags.begin(), kFlags.end(), flag) == kFlags.end())
      return fail("there is no flag " + shown(words[i]) + did_you_mean(flag, kFlags));
    std::string value = "true";
    if (equals != std::string::npos)
      value = words[i].substr(equals + 1);
    else if (flag != "-broadcast" && ++i == words.size())
      return fail(flag + " needs a value");
    else if (flag != "-broadcast")
      value = words[i];
    RETURN_IF_ERROR(set(flag, value, options));
  }
  return options;
}

std::string dhcp_daemon_help() {
  return "Examples:\n"
         "  dhcp daemon                                  serve /run/cni/dhcp.sock\n"
         "  dhcp daemon -hostprefix /host -pidfile /run/dhcp.pid\n"
         "\n"
         "Asks DHCP servers for the addresses of containers, and keeps the leases.\n"
         "\n"
         "  -pidfile PATH            write the process id there\n"
         "  -hostprefix DIR          where the host's root is\n"
         "  -socketpath PATH         the socket of the plugin (/run/cni/dhcp.sock); systemd may\n"
         "                           hand one over instead\n"
         "  -timeout DURATION        for a server to confirm its offer (10s)\n"
         "  -resendmax DURATION      the longest pause between two tries (1m2s)\n"
         "  -resendtimeout DURATION  after this without a lease an ADD fails (3m28s)\n"
         "  -broadcast               ask servers to answer to everybody\n";
}

}  // namespace weft::cni
