#include "cluster/service_cidr.h"

#include <gtest/gtest.h>

#include "support/kube_messages.h"

namespace weft {
namespace {

using test::kube_fields;

std::string message(const std::string& name, const std::vector<std::string>& cidrs) {
  const std::string metadata =
      kube_fields([&](auto& meta) { meta.add_string(kube::object_meta::kName, name); });
  const std::string spec = kube_fields([&](auto& fields) {
    for (const auto& cidr : cidrs) fields.add_string(kube::only::kField, cidr);
  });
  return kube_fields([&](auto& object) {
    object.add_message(kube::object::kMetadata, metadata);
    object.add_message(kube::service_cidr::kSpec, spec);
  });
}

Result<ServiceCidr> read(const char* json) {
  return ServiceCidr::read(parse_json(json).value());
}

TEST(ServiceCidr, IsReadFromMessagesAndManifests) {
  const ServiceCidr expected{
      .name = "kubernetes",
      .ranges = {*Prefix::parse("10.96.0.0/12"), *Prefix::parse("fd00:96::/112")}};
  EXPECT_EQ(ServiceCidr::parse(message("kubernetes", {"10.96.0.0/12", "fd00:96::/112"})).value(),
            expected);
  EXPECT_EQ(read(R"({"metadata":{"name":"kubernetes"},
                     "spec":{"cidrs":["10.96.0.0/12","fd00:96::/112"]}})")
                .value(),
            expected);
  EXPECT_EQ(read(R"({"metadata":{"name":"empty"}})").value(), ServiceCidr{.name = "empty"});
}

TEST(ServiceCidr, LeavesOutWhatIsNoRange) {
  const auto cidr = ServiceCidr::parse(message("odd", {"10.96.0.0", "0.0.0.0/0", "10.0.0.0/8"}));
  ASSERT_TRUE(cidr);
  EXPECT_EQ(cidr->ranges, std::vector{*Prefix::parse("10.0.0.0/8")});
  EXPECT_EQ(cidr->faults, (std::vector<std::string>{
                              "spec.cidrs: \"10.96.0.0\" is no range of addresses",
                              "spec.cidrs: \"0.0.0.0/0\" cannot all be addresses of services"}));
}

TEST(ServiceCidr, WhatIsNoneIsRefused) {
  EXPECT_FALSE(ServiceCidr::parse("\xff"));
  EXPECT_FALSE(ServiceCidr::parse(message("", {"10.96.0.0/12"})));
  for (const char* json : {R"({})", R"({"metadata":{"name":"a"},"spec":[]})",
                           R"({"metadata":{"name":"a"},"spec":{"cidrs":"10.96.0.0/12"}})",
                           R"({"metadata":{"name":"a"},"spec":{"cidrs":[1]}})"})
    EXPECT_FALSE(read(json)) << json;
}

}  // namespace
}  // namespace weft
