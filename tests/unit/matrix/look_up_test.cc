// A name looked up as a pod's resolver does it, with scripted servers.
#include "matrix/look_up.h"

#include <map>

#include <gtest/gtest.h>

#include "matrix/look_up_table.h"

namespace weft::matrix {
namespace {

const ResolvConf kPod = {.servers = {"10.96.0.10"},
                         .searches = {"lg.svc.cluster.local", "svc.cluster.local"},
                         .options = {"ndots:5"}};
const ResolvConf kTwo = {.servers = {"10.96.0.10", "10.96.0.11"}};

DnsAnswer denial() {
  return {.refusal = "NXDOMAIN", .code = "NXDOMAIN", .ttl = 30, .source = "cluster"};
}
DnsAnswer no_data() {
  return {.refusal = "no address of the name", .code = "NOERROR", .ttl = 30};
}
DnsAnswer failure(std::uint16_t why_code, const std::string& why) {
  return {
      .refusal = "SERVFAIL (" + why + ")", .code = "SERVFAIL", .why_code = why_code, .why = why};
}
DnsAnswer address(const char* text) {
  return {
      .addresses = {*IpAddress::parse(text)}, .code = "NOERROR", .ttl = 30, .source = "cluster"};
}

// What servers say, by "NAME@SERVER"; of the IPv6 addresses of a name with others that it has none.
class Servers {
 public:
  Servers& say(const std::string& name_and_server, const DnsAnswer& answer) {
    answers_[name_and_server] = answer;
    return *this;
  }
  LookUp look_up(const ResolvConf& file, const std::string& name) {
    return matrix::look_up(file, name, [&](const std::string& each, const IpAddress& server) {
      return ask(each, server);
    });
  }
  LookUpVerdict judge(const ResolvConf& file, const std::string& name) {
    return matrix::judge(look_up(file, name));
  }

 private:
  std::vector<Asked> ask(const std::string& name, const IpAddress& server) const {
    const auto found = answers_.find(name + "@" + server.to_string());
    std::vector<Asked> asked = {{.family = Family::kIpv4, .server = server},
                                {.family = Family::kIpv6, .server = server}};
    for (Asked& each : asked) {
      if (found == answers_.end()) {
        each.failure = "no answer from " + server.to_string();
        continue;
      }
      each.answer = found->second;
      if (each.family == Family::kIpv6 && !found->second.addresses.empty()) each.answer = no_data();
    }
    return asked;
  }
  std::map<std::string, DnsAnswer> answers_;
};

std::string names_of(const LookUp& looked_up) {
  std::string text;
  for (const LookUpStep& step : looked_up.steps)
    text += (text.empty() ? "" : " ") + step.tried.name;
  return text;
}

TEST(LookUp, EndsAtTheFirstNameWithAnAddress) {
  Servers servers;
  servers.say("redis.lg.svc.cluster.local.@10.96.0.10", denial())
      .say("redis.svc.cluster.local.@10.96.0.10", address("10.96.0.17"));
  const LookUp found = servers.look_up(kPod, "redis");
  EXPECT_EQ(names_of(found), "redis.lg.svc.cluster.local. redis.svc.cluster.local.");
  const LookUpVerdict verdict = judge(found);
  EXPECT_EQ(verdict.mark, Mark::kFine);
  EXPECT_EQ(verdict.sentence,
            "redis is 10.96.0.17: found as redis.svc.cluster.local., name 2 of 3");
  EXPECT_EQ(verdict.next, "");
}

TEST(LookUp, GoesOnAfterNoDataAndAfterAFailure) {
  Servers servers;
  servers.say("redis.lg.svc.cluster.local.@10.96.0.10", no_data())
      .say("redis.svc.cluster.local.@10.96.0.10", failure(23, "no answer from 192.0.2.1:53"))
      .say("redis.@10.96.0.10", address("192.0.2.7"));
  const LookUpVerdict verdict = servers.judge(kPod, "redis");
  EXPECT_EQ(verdict.mark, Mark::kWarning);
  EXPECT_EQ(verdict.sentence,
            "redis is 192.0.2.7: found as redis., name 3 of 3; before that "
            "SERVFAIL (no answer from 192.0.2.1:53) from 10.96.0.10");
}

TEST(LookUp, ASilentOrFailingServerIsFollowedByTheNext) {
  Servers servers;
  servers.say("redis.@10.96.0.11", address("192.0.2.7"));
  const LookUpVerdict silent = servers.judge(kTwo, "redis");
  EXPECT_EQ(silent.mark, Mark::kWarning);
  EXPECT_EQ(silent.sentence,
            "redis is 192.0.2.7: found as redis., name 1 of 1; before that no answer from "
            "10.96.0.10");
  servers.say("redis.@10.96.0.10", {.refusal = "REFUSED", .code = "REFUSED"});
  EXPECT_EQ(servers.judge(kTwo, "redis").sentence,
            "redis is 192.0.2.7: found as redis., name 1 of 1; before that REFUSED from "
            "10.96.0.10");
}

TEST(LookUp, WhenAllAreSilentOnlyTheNameAsItIsIsTriedYet) {
  Servers servers;
  const LookUp found = servers.look_up(kPod, "redis");
  EXPECT_EQ(names_of(found), "redis.lg.svc.cluster.local. redis.");
  EXPECT_EQ(judge(found).sentence, "redis cannot be looked up: no answer from 10.96.0.10");
}

TEST(LookUp, SaysWhyThereIsNoAddress) {
  const auto verdict = [](const DnsAnswer& answer) {
    Servers servers;
    return servers.say("www.@10.96.0.10", answer).judge({.servers = {"10.96.0.10"}}, "www");
  };
  const LookUpVerdict alone = verdict(failure(22, "there is no upstream"));
  EXPECT_EQ(alone.mark, Mark::kWrong);
  EXPECT_EQ(alone.sentence,
            "www cannot be looked up: SERVFAIL (there is no upstream) from 10.96.0.10");
  EXPECT_NE(alone.next.find("nameserver that pods can reach"), std::string::npos);
  EXPECT_TRUE(alone.lacks_upstream);
  const LookUpVerdict silent = verdict(failure(23, "no answer from 192.0.2.1:53"));
  EXPECT_FALSE(silent.lacks_upstream);
  EXPECT_NE(silent.next.find("masquerading"), std::string::npos);
  EXPECT_EQ(verdict({.refusal = "NOTIMP", .code = "NOTIMP"}).next, "the server's log may say more");
  EXPECT_EQ(verdict(no_data()).sentence, "www is there, but has no address");
  EXPECT_EQ(verdict(denial()).sentence,
            "there is no www: all servers deny each name of the search");
}

TEST(LookUp, AStaleAnswerIsAWarning) {
  Servers servers;
  DnsAnswer stale = address("192.0.2.7");
  stale.why_code = 3;
  const LookUpVerdict verdict =
      servers.say("www.@10.96.0.10", stale).judge({.servers = {"10.96.0.10"}}, "www");
  EXPECT_EQ(verdict.mark, Mark::kWarning);
  EXPECT_EQ(verdict.sentence, "www is 192.0.2.7: found as www., name 1 of 1; the answer is stale");
}

TEST(LookUp, WithoutAServerOrANameNobodyIsAsked) {
  Servers servers;
  EXPECT_EQ(servers.judge({}, "www").sentence,
            "nobody was asked for www: the resolv.conf names no server");
  const std::string long_name(64, 'a');
  EXPECT_EQ(servers.judge(kTwo, long_name).sentence,
            "nobody was asked for " + long_name + ": it is no name");
}

TEST(LookUp, IsPrintedQuestionByQuestion) {
  Servers servers;
  servers.say("redis.lg.svc.cluster.local.@10.96.0.10", denial())
      .say("redis.svc.cluster.local.@10.96.0.10", address("10.96.0.17"));
  const LookUp found = servers.look_up(kPod, "redis");
  EXPECT_EQ(to_table(found, {}),
            "  - redis.lg.svc.cluster.local.  (in lg.svc.cluster.local)\n"
            "    A     @10.96.0.10  NXDOMAIN  30 s  0.00 ms  cluster\n"
            "    AAAA  @10.96.0.10  NXDOMAIN  30 s  0.00 ms  cluster\n"
            "  + redis.svc.cluster.local.  (in svc.cluster.local)\n"
            "    A     @10.96.0.10  10.96.0.17  30 s  0.00 ms  cluster\n"
            "    AAAA  @10.96.0.10  no data     30 s  0.00 ms\n");
  const Json json = to_json(found);
  EXPECT_EQ(json["addresses"], Json::array({"10.96.0.17"}));
  EXPECT_EQ(json["steps"][0]["asked"][0]["code"], "NXDOMAIN");
  EXPECT_EQ(json["steps"][1]["asked"][0]["source"], "cluster");
}

}  // namespace
}  // namespace weft::matrix
