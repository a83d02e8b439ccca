#include "dns/site_block.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>

#include "base/fd.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "dns/acl_plugin.h"
#include "dns/any_plugin.h"
#include "dns/cache_plugin.h"
#include "dns/folder_source.h"
#include "dns/forward_plugin.h"
#include "dns/header_plugin.h"
#include "dns/hosts_plugin.h"
#include "dns/kube_source.h"
#include "dns/kubernetes_plugin.h"
#include "dns/query_log.h"
#include "dns/template_plugin.h"
#include "dns/transfer_plugin.h"
#include "dns/upstream_list.h"
#include "kernel/rtnetlink.h"

namespace weft::dns {
namespace {

std::vector<Name> names_of(const BlockOptions& options) {
  std::vector<Name> names;
  for (const CorefileZone& zone : options.zones)
    names.insert(names.end(), zone.names.begin(), zone.names.end());
  return names;
}

// The addresses of the machine, or of one device.
Result<std::vector<IpAddress>> addresses_of(const std::string& device) {
  ASSIGN_OR_RETURN(auto rtnetlink, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto links, rtnetlink.links());
  LinkIndex index = LinkIndex::kNone;
  for (const Link& link : links)
    if (link.name == device) index = link.index;
  if (!device.empty() && index == LinkIndex::kNone)
    return fail("bind: there is neither an address nor a device " + shown(device));
  ASSIGN_OR_RETURN(const auto entries, rtnetlink.addresses(index));
  std::vector<IpAddress> addresses;
  for (const LinkAddress& each : entries)
    if (!each.key.address.address.is_link_local()) addresses.push_back(each.key.address.address);
  return addresses;
}

// Both families where the kernel has them.
std::vector<IpAddress> everywhere() {
  std::vector<IpAddress> addresses = {IpAddress::any(Family::kIpv4)};
  const Fd probe(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe.empty()) addresses.push_back(IpAddress::any(Family::kIpv6));
  return addresses;
}

}  // namespace

Result<std::vector<IpAddress>> bind_addresses(const BlockOptions& options) {
  if (options.bind.empty()) return everywhere();
  std::vector<IpAddress> addresses;
  for (const std::string& word : options.bind) {
    if (const auto address = IpAddress::parse(word)) {
      addresses.push_back(*address);
      continue;
    }
    ASSIGN_OR_RETURN(const auto of_device, addresses_of(word));
    addresses.insert(addresses.end(), of_device.begin(), of_device.end());
  }
  return addresses;
}

namespace {

Result<KubeAccess> access_for(const KubernetesOptions& options, const Environment& environment) {
  if (!options.context.empty())
    return fail("kubernetes: a kubeconfig's context cannot be chosen",
                "make " + shown(options.context) + " its current-context");
  ASSIGN_OR_RETURN(KubeAccess access,
                   find_kube_access({.api_url = options.api_url, .kubeconfig = options.kubeconfig},
                                    environment));
  if (!options.ca_file.empty()) access.http.ca_file = options.ca_file;
  if (!options.certificate_file.empty()) {
    access.http.certificate_file = options.certificate_file;
    access.http.key_file = options.key_file;
  }
  return access;
}

// `shared` reads the API that everybody means who names none.
Result<std::shared_ptr<KubeReader>> reader_for(const KubernetesOptions& options,
                                               const std::shared_ptr<KubeReader>& shared,
                                               const Environment& environment) {
  const bool names_one = !options.api_url.empty() || !options.kubeconfig.empty() ||
                         !options.ca_file.empty() || !options.certificate_file.empty();
  if (shared != nullptr && !names_one) return shared;
  ASSIGN_OR_RETURN(KubeAccess access, access_for(options, environment));
  return std::make_shared<KubeReader>(std::move(access));
}

// Everything that decides what is read of whom.
std::string describe(const KubernetesOptions& options, const std::string& store_folder) {
  std::string text = store_folder.empty() ? "API " + options.api_url + " " + options.kubeconfig
                                          : "folder " + store_folder;
  text += "\nlabels " + options.label_selector + "\nnamespaces " + options.namespace_label_selector;
  for (const std::string& each : options.zone.namespaces) text += " " + each;
  for (const bool flag :
       {options.zone.endpoints, options.zone.endpoint_pod_names, options.zone.ignore_empty_service})
    text += flag ? "\n1" : "\n0";
  return text;
}

std::optional<std::string> text_of(const std::string& path) {
  auto text = read_file(path);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

std::uint64_t secret() {
  std::random_device random;
  return std::uint64_t{random()} << 32U | random();
}

Result<SiteForward> open_forward(const ForwardOptions& options, const std::vector<IpAddress>& own) {
  SiteForward forward{.options = std::make_shared<const ForwardOptions>(options)};
  UpstreamList list = list_upstreams(options, own, text_of);
  for (const std::string& note : list.notes) spdlog::warn("forward: {}", note);
  if (list.upstreams.empty())
    spdlog::error("forward {}: there is no upstream; its names get SERVFAIL",
                  options.from.to_string());
  forward.upstreams = std::move(list.upstreams);
  forward.loops = std::make_shared<LoopMarks>(options.from, forward.upstreams.size(), secret());
  const bool speaks_tls =
      std::any_of(forward.upstreams.begin(), forward.upstreams.end(),
                  [](const Upstream& each) { return each.transport == Upstream::Transport::kTls; });
  if (speaks_tls) {
    ASSIGN_OR_RETURN(forward.tls, TlsContext::open(options.tls_files));
  }
  return forward;
}

// The plugins in CoreDNS's order, whatever the Corefile's is; but the cache is for what is
// forwarded, and whatever the node knows itself is not looked for in it.
class Assembly {
 public:
  Assembly(SiteBlock& block, Inquiries& inquiries, const OwnPorts& own)
      : block_(block), inquiries_(inquiries), own_(own) {}

  std::vector<std::unique_ptr<Plugin>> plugins() {
    const BlockOptions& options = block_.options;
    std::vector<std::unique_ptr<Plugin>> plugins;
    auto forwards = make_forwards();
    if (options.header) plugins.push_back(std::make_unique<HeaderPlugin>(*options.header));
    for (AclOptions each : options.acl)
      plugins.push_back(std::make_unique<AclPlugin>(in_zones(std::move(each))));
    if (options.any) plugins.push_back(std::make_unique<AnyPlugin>());
    for (TemplateOptions each : options.templates)
      plugins.push_back(std::make_unique<TemplatePlugin>(in_zones(std::move(each))));
    if (block_.hosts != nullptr)
      plugins.push_back(
          std::make_unique<HostsPlugin>(block_.hosts->tables(), block_.hosts->options()));
    if (block_.names != nullptr)
      for (TransferOptions each : options.transfers)
        plugins.push_back(
            std::make_unique<TransferPlugin>(*block_.names, in_zones(std::move(each))));
    if (block_.names != nullptr)
      plugins.push_back(
          std::make_unique<KubernetesPlugin>(*block_.names, options.kubernetes->fallthrough));
    if (block_.cache != nullptr) plugins.push_back(make_cache(forwards));
    for (auto& each : forwards) plugins.push_back(std::move(each));
    return plugins;
  }

 private:
  // Those of the block where the plugin names none.
  template <class Options>
  Options in_zones(Options options) const {
    if (options.zones.empty()) options.zones = block_.zones;
    return options;
  }

  std::unique_ptr<Plugin> make_cache(
      const std::vector<std::unique_ptr<ForwardPlugin>>& forwards) const {
    std::vector<ForwardPlugin*> users;
    for (const auto& each : forwards) users.push_back(each.get());
    const CacheOptions& options = *block_.options.cache;
    return std::make_unique<CachePlugin>(block_.cache,
                                         options.zones.empty() ? block_.zones : options.zones,
                                         std::move(users), block_.options.loadbalance);
  }

  std::vector<std::unique_ptr<ForwardPlugin>> make_forwards() {
    std::vector<std::unique_ptr<ForwardPlugin>> forwards;
    std::uint32_t mark = 1;
    for (const SiteForward& each : block_.forwards) {
      auto group = std::make_unique<UpstreamGroup>();
      group->options = each.options;
      group->loops = each.loops;
      group->watch_loops = block_.options.loop;
      group->keeper = block_.cache.get();
      inquiries_.add(*group, each.upstreams, each.tls);
      forwards.push_back(std::make_unique<ForwardPlugin>(inquiries_, std::move(group), own_, mark,
                                                         block_.options.loadbalance));
      mark <<= 1U;
    }
    return forwards;
  }

  SiteBlock& block_;
  Inquiries& inquiries_;
  const OwnPorts& own_;
};

}  // namespace

HostsFile::HostsFile(const HostsOptions& options)
    : options_(options), tables_(read()), reader_([this] { return reread(); }) {
  if (options_.reload.count() > 0) reader_.start();
}

std::shared_ptr<const HostsTable> HostsFile::read() {
  auto text = read_file(options_.file);
  if (!text && told_.allows(options_.file)) spdlog::warn("hosts: {}", text.error().text());
  if (text) last_ = *std::move(text);
  return std::make_shared<const HostsTable>(HostsTable::parse(last_, options_.lines));
}

Rest HostsFile::reread() {
  const auto text = read_file(options_.file);
  if (text && *text != last_) tables_.set(read());
  return options_.reload;
}

Result<std::unique_ptr<SiteBlock>> open_block(const BlockOptions& options,
                                              const ZoneOrigin& origin) {
  auto block = std::make_unique<SiteBlock>();
  block->options = options;
  block->zones = names_of(options);
  ASSIGN_OR_RETURN(std::vector<IpAddress> own, bind_addresses(options));
  if (options.bind.empty()) {
    ASSIGN_OR_RETURN(own, addresses_of(""));
  }
  if (options.hosts) {
    HostsOptions hosts = *options.hosts;
    if (hosts.zones.empty()) hosts.zones = block->zones;
    block->hosts = std::make_unique<HostsFile>(hosts);
  }
  if (options.cache) block->cache = std::make_shared<ReplyCache>(*options.cache);
  for (const ForwardOptions& each : options.forward) {
    ASSIGN_OR_RETURN(SiteForward forward, open_forward(each, own));
    block->forwards.push_back(std::move(forward));
  }
  if (!options.kubernetes) return block;
  KubernetesOptions kubernetes = *options.kubernetes;
  for (const IpAddress& address : own)
    if (!address.is_loopback()) kubernetes.zone.local_addresses.push_back(address);
  block->names = std::make_unique<Published<ClusterZone>>(ZoneBuilder(kubernetes.zone).zone(0));
  const SnapshotPlace kept{.folder = origin.snapshot_folder,
                           .origin = describe(kubernetes, origin.store_folder),
                           .recall = origin.recall};
  if (origin.store_folder.empty()) {
    ASSIGN_OR_RETURN(auto reader, reader_for(kubernetes, origin.reader, origin.environment));
    block->source =
        std::make_unique<KubeSource>(std::move(reader), kubernetes, kept, *block->names);
  } else {
    ASSIGN_OR_RETURN(block->source,
                     FolderSource::open(origin.store_folder, kubernetes, kept, *block->names));
  }
  return block;
}

ServerBlock make_server_block(SiteBlock& block, std::vector<Name> zones, Inquiries& inquiries,
                              const OwnPorts& own) {
  ServerBlock result{.zones = std::move(zones),
                     .rewrites = block.options.rewrites,
                     .udp_size = block.options.udp_size};
  result.plugins = Assembly(block, inquiries, own).plugins();
  if (block.options.errors) result.observers.push_back(std::make_unique<ErrorsObserver>());
  if (block.options.log) {
    LogOptions log = *block.options.log;
    if (log.zones.empty()) log.zones = block.zones;
    result.observers.push_back(std::make_unique<LogObserver>(std::move(log)));
  }
  return result;
}

}  // namespace weft::dns
