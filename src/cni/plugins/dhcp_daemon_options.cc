#include "cni/plugins/dhcp_daemon_options.h"

#include <optional>

#include "base/go_duration.h"
#include "base/json.h"
#include "base/text.h"

namespace weft::cni {
namespace {

const std::vector<std::string> kFlags = {"-pidfile",   "-hostprefix",    "-socketpath", "-timeout",
                                         "-resendmax", "-resendtimeout", "-broadcast"};

Result<DhcpTime> parse_duration(const std::string& flag, const std::string& text) {
  const auto duration = parse_go_duration(text);
  if (!duration || duration->count() == 0)
    return fail(flag + " is a duration like 10s or 1m30s, not " + shown(text));
  return std::chrono::duration_cast<DhcpTime>(*duration);
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
