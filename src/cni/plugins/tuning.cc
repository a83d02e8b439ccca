#include "cni/plugins/tuning.h"

#include "base/files.h"
#include "base/text.h"
#include "cni/interface.h"
#include "cni/plugins/tuning_backup.h"
#include "cni/rollback.h"
#include "kernel/sysctl.h"

namespace weft::cni {
namespace {

using kernel::Rtnetlink;

constexpr const char* kAllowlist = "/etc/cni/tuning/allowlist.conf";

CniStatus check_allowed(const TuningConfig& config) {
  const auto list = read_file(kAllowlist);
  if (!list && list.error().number == ENOENT) return {};
  if (!list) return CniFailure(list.error());
  return check_allowlist(config, *list);
}

CniResult<Link> find_link(Rtnetlink& inside, const std::string& ifname) {
  ASSIGN_OR_RETURN(auto link, inside.link(ifname));
  if (!link) return refuse("failed to get " + in_quotes(ifname) + ": Link not found");
  return *std::move(link);
}

kernel::LinkChange as_change(const TuningAttributes& attributes) {
  return {.mac = attributes.mac,
          .mtu = attributes.mtu,
          .promiscuous = attributes.promiscuous,
          .all_multicast = attributes.all_multicast,
          .tx_queue_length = attributes.tx_queue_length};
}

/// What the device has of everything that `wanted` would change.
TuningAttributes before(const Link& link, const TuningAttributes& wanted) {
  TuningAttributes result;
  if (wanted.mac) result.mac = link.mac;
  if (wanted.promiscuous) result.promiscuous = link.promiscuous;
  if (wanted.mtu) result.mtu = link.mtu;
  if (wanted.all_multicast) result.all_multicast = link.all_multicast;
  if (wanted.tx_queue_length) result.tx_queue_length = link.tx_queue_length;
  return result;
}

CniStatus write_settings(const TuningConfig& config, Rollback& rollback) {
  for (const auto& setting : config.settings) {
    const auto present = kernel::read_sysctl(setting.name);
    const Status written = kernel::write_sysctl(setting.name, setting.value);
    if (!written)
      return refuse(Code::kInternal,
                    "open /proc/sys/" + setting.name + ": " + go_words(written.error().number),
                    written.error().text());
    if (present)
      rollback.push(
          [name = setting.name, value = *present] { (void)kernel::write_sysctl(name, value); });
  }
  return {};
}

CniStatus change_link(const Call& call, const TuningAttributes& wanted, Rollback& rollback) {
  if (wanted.empty()) return {};
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const Link link, find_link(inside, call.environment.ifname));
  const TuningAttributes former = before(link, wanted);
  const TuningBackup backup(call);
  const bool had_backup = !backup.read().empty();
  rollback.push([index = link.index, former, backup, had_backup] {
    if (auto socket = Rtnetlink::open()) (void)socket->change(index, as_change(former));
    if (!had_backup) (void)backup.remove();
  });
  if (const Status kept = backup.keep(former); !kept) return CniFailure(kept.error());
  const Status changed = inside.change(link.index, as_change(wanted));
  if (!changed)
    return because("failed to change " + in_quotes(call.environment.ifname),
                   CniError(changed.error()));
  return {};
}

CniResult<AddResult> previous(const Call& call) {
  ASSIGN_OR_RETURN(auto result, previous_result(call.config, call.version));
  if (!result) return refuse("Required prevResult missing");
  return *std::move(result);
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const TuningConfig config, read_tuning_config(call));
  RETURN_IF_ERROR(check_allowed(config));
  ASSIGN_OR_RETURN(AddResult result, previous(call));
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  Rollback rollback;  // ends before the visit does
  RETURN_IF_ERROR(write_settings(config, rollback));
  RETURN_IF_ERROR(change_link(call, config.attributes, rollback));
  rollback.keep();
  update_mac(result, call.environment.ifname, config);
  return result;
}

// Sysctls are not restored: they belong to the namespace, which goes with the container.
CniStatus del(const Call& call) {
  const TuningBackup backup(call);
  ASSIGN_OR_RETURN(const auto container, open_netns_if_there(call.environment.netns));
  const TuningAttributes former = backup.read();
  if (container && !former.empty()) {
    ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(*container));
    ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
    ASSIGN_OR_RETURN(const auto link, inside.link(call.environment.ifname));
    // As much as can be: what is left of it goes with the device, and no DEL may fail for it.
    if (link) (void)inside.change(link->index, as_change(former));
  }
  if (const Status removed = backup.remove(); !removed) return CniFailure(removed.error());
  return {};
}

// The kernel separates the numbers of a list with tabs, whatever was written.
std::string spaced(std::string_view value) {
  std::string result;
  for (const auto& line : split(value, '\n'))
    for (const auto& part : split(line, '\t'))
      for (const auto& word : split(part, ' '))
        if (!word.empty()) result += (result.empty() ? "" : " ") + word;
  return result;
}

CniStatus check_settings(const TuningConfig& config) {
  for (const auto& setting : config.settings) {
    const auto present = kernel::read_sysctl(setting.name);
    if (!present)
      return refuse("open /proc/sys/" + setting.name + ": " + go_words(present.error().number));
    if (spaced(*present) != spaced(setting.value))
      return refuse("Error: Tuning configured value of /proc/sys/" + setting.name + " is " +
                    setting.value + ", current value is " + *present);
  }
  return {};
}

CniFailure differs(const std::string& what, const std::string& ifname, const std::string& wanted,
                   const std::string& present) {
  return refuse("Error: Tuning configured " + what + " of " + ifname + " is " + wanted +
                ", current value is " + present);
}

const char* to_word(bool value) {
  return value ? "true" : "false";
}

CniStatus check_link(const Link& link, const TuningAttributes& wanted) {
  if (wanted.mac && *wanted.mac != link.mac)
    return differs("Ethernet", link.name, wanted.mac->to_string(), link.mac.to_string());
  const bool promiscuous = wanted.promiscuous.value_or(false);
  if (promiscuous != link.promiscuous)
    return refuse("Error: Tuning link " + link.name + " configured promisc is " +
                  to_word(promiscuous) + ", current value is " + (link.promiscuous ? "1" : "0"));
  if (wanted.mtu && *wanted.mtu != link.mtu)
    return differs("MTU", link.name, std::to_string(*wanted.mtu), std::to_string(link.mtu));
  if (wanted.all_multicast && *wanted.all_multicast != link.all_multicast)
    return differs("all-multicast mode", link.name, to_word(*wanted.all_multicast),
                   to_word(link.all_multicast));
  if (wanted.tx_queue_length && *wanted.tx_queue_length != link.tx_queue_length)
    return differs("Transmit Queue Length", link.name, std::to_string(*wanted.tx_queue_length),
                   std::to_string(link.tx_queue_length));
  return {};
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const TuningConfig config, read_tuning_config(call));
  RETURN_IF_ERROR(previous(call));
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  RETURN_IF_ERROR(check_settings(config));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto link, inside.link(call.environment.ifname));
  if (!link) return refuse("Cannot find container link " + call.environment.ifname);
  return check_link(*link, config.attributes);
}

CniStatus gc(const Call& call) {
  ASSIGN_OR_RETURN(const auto valid, valid_attachments(call.config));
  if (const Status collected = TuningBackup::collect(call, valid); !collected)
    return CniFailure(collected.error());
  return {};
}

}  // namespace

const Plugin kTuning{.name = "tuning",
                     .add = add,
                     .del = del,
                     .check = check,
                     .status = nullptr,
                     .gc = gc,
                     .kind = Kind::kMeta};

}  // namespace weft::cni
