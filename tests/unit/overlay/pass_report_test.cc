#include "overlay/pass_report.h"

#include <gtest/gtest.h>

namespace weft::overlay {
namespace {

TEST(PassReport, OneLineSaysWhatWasFoundAndWhatWasDone) {
  PassReport report;
  EXPECT_EQ(report.line(PassCause::kDrift), "");
  report.edit("links", "link flannel.1", "missing", "created");
  report.edit("routes", "route 10.3.2.0/24", "missing", "put");
  report.edit("routes", "route 10.3.3.0/24", "missing", "put");
  EXPECT_EQ(report.line(PassCause::kDrift),
            "repaired: link flannel.1 missing: created; route 10.3.2.0/24, route 10.3.3.0/24 "
            "missing: put");
}

TEST(PassReport, ManyOfAKindAreCounted) {
  PassReport report;
  for (int i = 0; i < 5000; ++i) report.edit("routes", "route x", "missing", "put");
  report.edit("routes", "route y", "stale", "removed");
  EXPECT_EQ(report.line(PassCause::kPeers),
            "peers changed: 5000 routes missing: put; route y stale: removed");
}

TEST(PassReport, WhatAnotherNodeIsRefusedIsNoFailureOfThisOne) {
  PassReport report;
  report.refusal("lease 10.3.2.0/24: not programmed");
  EXPECT_TRUE(report.failures().empty());
  EXPECT_EQ(report.refusals(), std::vector<std::string>{"lease 10.3.2.0/24: not programmed"});
  EXPECT_TRUE(report.edits_by_kind().empty());
}

}  // namespace
}  // namespace weft::overlay
