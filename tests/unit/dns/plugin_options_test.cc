#include "dns/plugin_options.h"

#include <gtest/gtest.h>

#include "support/must.h"

namespace weft::dns {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using weft::test::must;

Result<std::vector<BlockOptions>> read(const std::string& text) {
  const CorefileSources sources{
      .environment = [](const std::string&) { return std::nullopt; },
      .import = [](const std::string&) -> Result<std::vector<CorefileSources::File>> {
        return std::vector<CorefileSources::File>();
      }};
  ASSIGN_OR_RETURN(const Corefile file, parse_corefile({"Corefile", text}, sources, 53));
  return read_plugins(file);
}
// Of a block with one plugin.
BlockOptions with(const std::string& plugin) {
  return must(read("example.org {\n" + plugin + "\n}\n"))[0];
}
std::string error_of(const std::string& plugin) {
  const auto options = read("example.org {\n" + plugin + "\n}\n");
  return options ? "no error" : options.error().text();
}

std::string zones_text(const std::vector<Name>& names) {
  std::string text;
  for (const Name& name : names) text += name.to_string() + " ";
  return text;
}

// As `kubeadm init` of 1.34 writes it.
constexpr const char* kKubeadm = R"(.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
)";

TEST(PluginOptions, OfKubeadmsCorefile) {
  const auto blocks = must(read(kKubeadm));
  ASSERT_EQ(blocks.size(), 1U);
  const BlockOptions& block = blocks[0];
  EXPECT_TRUE(block.errors && block.loop && block.loadbalance);
  EXPECT_FALSE(block.log);
  EXPECT_EQ(block.health->address.to_string(), "[::]:8080");
  EXPECT_EQ(block.health->lameduck, seconds(5));
  EXPECT_EQ(block.ready->to_string(), "[::]:8181");
  EXPECT_EQ(block.prometheus->to_string(), "[::]:9153");
  EXPECT_EQ(block.reload->interval, seconds(30));
  EXPECT_EQ(block.reload->jitter, seconds(15));
  const KubernetesOptions& kubernetes = *block.kubernetes;
  ASSERT_EQ(kubernetes.zone.zones.size(), 3U);
  EXPECT_EQ(primary_zone(kubernetes.zone)->name.to_string(), "cluster.local.");
  EXPECT_TRUE(kubernetes.zone.zones[2].is_reverse);
  EXPECT_EQ(kubernetes.zone.pods, PodRecords::kInsecure);
  EXPECT_EQ(kubernetes.zone.ttl, 30U);
  EXPECT_EQ(zones_text(kubernetes.fallthrough), "in-addr.arpa. ip6.arpa. ");
  ASSERT_EQ(block.forward.size(), 1U);
  EXPECT_EQ(block.forward[0].resolv_files, std::vector<std::string>{"/etc/resolv.conf"});
  EXPECT_EQ(block.forward[0].max_concurrent, 1000U);
  EXPECT_EQ(block.cache->success.longest, seconds(30));
  EXPECT_EQ(block.cache->denial.longest, seconds(30));
  EXPECT_EQ(zones_text(block.cache->success.disabled), "cluster.local. ");
}

TEST(PluginOptions, OfK3ssCorefile) {
  const auto blocks = must(read(R"(.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    hosts /etc/coredns/NodeHosts {
      ttl 60
      reload 15s
      fallthrough
    }
    prometheus 0.0.0.0:9153
    cache 30
    loop
    reload
    loadbalance
    import /etc/coredns/custom/*.override
    forward . /etc/resolv.conf
}
import /etc/coredns/custom/*.server
)"));
  ASSERT_EQ(blocks.size(), 1U);
  const HostsOptions& hosts = *blocks[0].hosts;
  EXPECT_EQ(hosts.file, "/etc/coredns/NodeHosts");
  EXPECT_EQ(hosts.ttl, seconds(60));
  EXPECT_EQ(hosts.reload, seconds(15));
  EXPECT_EQ(zones_text(*hosts.fallthrough), ". ");
  EXPECT_EQ(blocks[0].kubernetes->zone.ttl, 5U);
}

TEST(PluginOptions, OfNodeLocalDnssCorefile) {
  const auto blocks = must(read(R"(cluster.local:53 {
    errors
    cache {
            success 9984 30
            denial 9984 5
    }
    reload
    loop
    bind 169.254.20.10 10.96.0.10
    forward . 10.96.11.12 {
            force_tcp
    }
    prometheus :9253
    health 169.254.20.10:8080
    }
in-addr.arpa:53 {
    bind 169.254.20.10
    bind 10.96.0.10
    forward . [fd00::a]:5353 tls://9.9.9.9%dns.quad9.net tls://1.1.1.1:8853
    }
)"));
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].bind, (std::vector<std::string>{"169.254.20.10", "10.96.0.10"}));
  EXPECT_EQ(blocks[1].bind, blocks[0].bind);
  EXPECT_TRUE(blocks[0].forward[0].force_tcp);
  EXPECT_EQ(blocks[0].cache->denial, (CacheOptions::Part{.capacity = 9984, .longest = seconds(5)}));
  EXPECT_EQ(blocks[0].health->address.to_string(), "169.254.20.10:8080");
  const auto& upstreams = blocks[1].forward[0].upstreams;
  ASSERT_EQ(upstreams.size(), 3U);
  EXPECT_EQ(upstreams[0].address.to_string(), "[fd00::a]:5353");
  EXPECT_EQ(upstreams[1].address.to_string(), "9.9.9.9:853");
  EXPECT_EQ(upstreams[1].tls_name, "dns.quad9.net");
  EXPECT_EQ(upstreams[2].address.to_string(), "1.1.1.1:8853");
  EXPECT_EQ(upstreams[2].transport, Upstream::Transport::kTls);
}

TEST(PluginOptions, OfKubernetes) {
  const auto options =
      *with(
           "kubernetes {\n namespaces a b\n endpoint_pod_names\n noendpoints\n ignore "
           "empty_service\n"
           " labels app in (a, b)\n endpoint https://k8s:6443\n tls c k ca\n kubeconfig f ctx\n"
           " startup_timeout 1s\n pods disabled\n apiserver_qps 5\n}")
           .kubernetes;
  EXPECT_EQ(options.zone.zones[0].name.to_string(), "example.org.") << "the block's own zone";
  EXPECT_EQ(options.zone.namespaces, (std::set<std::string, std::less<>>{"a", "b"}));
  EXPECT_TRUE(options.zone.endpoint_pod_names && options.zone.ignore_empty_service);
  EXPECT_FALSE(options.zone.endpoints);
  EXPECT_EQ(options.label_selector, "app in (a, b)");
  EXPECT_EQ(options.api_url, "https://k8s:6443");
  EXPECT_EQ(options.ca_file, "ca");
  EXPECT_EQ(options.context, "ctx");
  EXPECT_EQ(options.startup_timeout, seconds(1));
}

TEST(PluginOptions, OfForwardAndCache) {
  const auto forward =
      with(
          "forward . 10.0.0.1 10.0.0.2:54 {\n except a.org b.org\n prefer_udp\n expire 20s\n "
          "max_fails 3\n"
          " policy sequential\n health_check 1s no_rec domain x.org\n next NXDOMAIN\n"
          " failover SERVFAIL refused\n failfast_all_unhealthy_upstreams\n tls_servername n\n"
          " tls ca\n max_idle_conns 3\n}")
          .forward[0];
  EXPECT_EQ(zones_text(forward.except), "a.org. b.org. ");
  EXPECT_EQ(forward.upstreams[1].address.to_string(), "10.0.0.2:54");
  EXPECT_EQ(forward.policy, ForwardOptions::Policy::kSequential);
  EXPECT_EQ(forward.health_check, seconds(1));
  EXPECT_FALSE(forward.health_check_recursion);
  EXPECT_EQ(forward.health_check_name.to_string(), "x.org.");
  EXPECT_EQ(forward.failover, (std::vector<Rcode>{Rcode::kServerFailure, Rcode::kRefused}));
  EXPECT_TRUE(forward.failfast && forward.prefer_udp);

  const auto cache =
      *with(
           "cache 10 a.org {\n prefetch 5 2m 20%\n serve_stale 2h verify\n servfail 1s\n keepttl\n"
           " success 100 60 1\n disable denial\n}")
           .cache;
  EXPECT_EQ(zones_text(cache.zones), "a.org. ");
  EXPECT_EQ(cache.prefetch.percentage, 20U);
  EXPECT_EQ(cache.serve_stale, milliseconds(7'200'000));
  EXPECT_TRUE(cache.verify_stale && cache.keep_ttl);
  EXPECT_EQ(cache.failures, seconds(1));
  EXPECT_EQ(cache.success,
            (CacheOptions::Part{.capacity = 100, .longest = seconds(60), .shortest = seconds(1)}));
  EXPECT_EQ(zones_text(cache.denial.disabled), ". ");
  EXPECT_EQ(cache.denial.longest, seconds(10));
}

TEST(PluginOptions, OfTheSmallOnes) {
  EXPECT_EQ(with("bufsize 512").udp_size, 512);
  EXPECT_EQ(with("errors {\n consolidate 5m \".*\"\n}").errors, true);
  EXPECT_EQ(with("log {\n class denial error\n}").log->classes,
            (LogOptions::Classes{.denial = true, .error = true}));
  EXPECT_EQ(with("log a.org \"{remote} {name}\"").log->format, "{remote} {name}");
  EXPECT_EQ(with("reload 10s").reload->jitter, seconds(5));
  EXPECT_EQ(with("ready [::1]:99").ready->to_string(), "[::1]:99");
  EXPECT_EQ(with("prometheus localhost:9154").prometheus->to_string(), "127.0.0.1:9154");
  const auto hosts = *with("hosts f a.org {\n 10.0.0.1 x y\n ::1 z\n no_reverse\n}").hosts;
  EXPECT_EQ(hosts.lines, (std::vector<std::string>{"10.0.0.1 x y", "::1 z"}));
  EXPECT_FALSE(hosts.reverse || hosts.fallthrough);
}

TEST(PluginOptions, AMistakeIsNamedWithItsLineAndTheNearestWord) {
  const std::pair<const char*, const char*> cases[] = {
      {"forwrd . a", "Corefile:2: there is no plugin \"forwrd\"; did you mean forward?"},
      {"route53", "Corefile:2: the plugin route53 of CoreDNS is not served here"},
      {"errors\nerrors", "Corefile:3: the server block has the plugin errors already"},
      {"loop x", "Corefile:2: loop takes nothing behind it, not \"x\""},
      {"loop {\n x\n}", "Corefile:3: loop has no options"},
      {"kubernetes {\n pod insecure\n}",
       "Corefile:3: kubernetes has no option \"pod\"; did you mean pods?"},
      {"kubernetes {\n pods insecur\n}",
       "Corefile:3: kubernetes: pods has no mode \"insecur\"; did you mean insecure?"},
      {"kubernetes {\n pods verified\n}",
       "Corefile:3: kubernetes: pods verified is not served; set pods insecure or disabled"},
      {"kubernetes {\n ttl 3601\n}", "Corefile:3: \"3601\" is no number from 0 to 3600"},
      {"kubernetes {\n ttl\n}", "Corefile:3: kubernetes: ttl needs 1 word behind it"},
      {"kubernetes {\n kubeconfig a b c\n}",
       "Corefile:3: kubernetes: kubeconfig takes 2 words at most"},
      {"kubernetes {\n ignore x\n}",
       "Corefile:3: kubernetes: only empty_service can be ignored, not \"x\""},
      {"kubernetes {\n ttl 3 {\n x\n }\n}", "Corefile:3: kubernetes: ttl has no block"},
      {"kubernetes {\n namespaces a\n namespace_labels b\n}",
       "Corefile:2: kubernetes takes namespaces or namespace_labels, not both"},
      {"kubernetes in-addr.arpa",
       "Corefile:2: kubernetes has reverse zones only; name the cluster's domain in front of them, "
       "like cluster.local"},
      {"forward .", "Corefile:2: forward needs 2 words behind it"},
      {"forward . 1.2.3", "Corefile:2: \"1.2.3\" is no address"},
      {"forward . https://1.1.1.1",
       "Corefile:2: forward: https:// is not spoken; use dns:// or tls://"},
      {"forward . 0.0.0.0", "Corefile:2: forward: \"0.0.0.0\" is nobody's address"},
      {"forward . tls://1.1.1.1%a {\n tls_servername b\n}",
       "Corefile:2: forward: tls_servername and a name behind an upstream's % exclude each other"},
      {"forward . 1.1.1.1 {\n policy randon\n}",
       "Corefile:3: forward: there is no policy \"randon\"; did you mean random?"},
      {"forward . 1.1.1.1 {\n health_check 1s x\n}",
       "Corefile:3: forward: health_check takes no_rec and domain FQDN"},
      {"forward . 1.1.1.1 {\n next NXDOMIAN\n}",
       "Corefile:3: \"NXDOMIAN\" is no answer's code; did you mean NXDOMAIN?"},
      {"forward . 1.1.1.1 {\n expire 10\n}", "Corefile:3: \"10\" is no duration like 5s or 1m30s"},
      {"cache 0", "Corefile:2: \"0\" is no number from 1 to 604800"},
      {"cache a:53", "Corefile:2: \"a:53\": a plugin's zone has no port"},
      {"cache {\n prefetch 1 1s 20\n}", "Corefile:3: cache: \"20\" has no percent sign"},
      {"cache {\n servfail 6m\n}",
       "Corefile:3: cache: a failure may be kept for five minutes at most"},
      {"cache {\n disable succes\n}",
       "Corefile:3: cache: disable takes success or denial, not \"succes\"; did you mean success?"},
      {"health :x", "Corefile:2: \":x\" has no port behind its colon"},
      {"log {\n class all errors\n}",
       "Corefile:3: log: there is no class \"errors\"; did you mean error?"},
      {"loadbalance weighted",
       "Corefile:2: loadbalance: only round_robin is served, not \"weighted\""},
      {"bufsize 100", "Corefile:2: \"100\" is no number from 512 to 4096"},
      {"bind", "Corefile:2: bind needs 1 word behind it"},
      {"hosts {\n tll 3\n}", "Corefile:3: hosts has no option \"tll\"; did you mean ttl?"},
  };
  for (const auto& [plugin, error] : cases) EXPECT_EQ(error_of(plugin), error);
}

}  // namespace
}  // namespace weft::dns
