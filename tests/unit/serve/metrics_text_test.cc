#include "serve/metrics_text.h"

#include <limits>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(MetricsText, WritesFamiliesAndSamples) {
  MetricsText metrics;
  metrics.gauge("weft_peers", "Peers in the kernel.").sample(3);
  metrics.counter("weft_drift_repaired_total", "Objects put back.")
      .sample(12, {{"kind", "routes"}})
      .sample(0, {{"kind", "links"}});
  EXPECT_EQ(metrics.text(),
            "# HELP weft_peers Peers in the kernel.\n"
            "# TYPE weft_peers gauge\n"
            "weft_peers 3\n"
            "# HELP weft_drift_repaired_total Objects put back.\n"
            "# TYPE weft_drift_repaired_total counter\n"
            "weft_drift_repaired_total{kind=\"routes\"} 12\n"
            "weft_drift_repaired_total{kind=\"links\"} 0\n");
}

TEST(MetricsText, EscapesWhatWouldEndALabel) {
  MetricsText metrics;
  metrics.gauge("a", "back\\slash\nand line").sample(1, {{"reason", "say \"no\"\\\nand go"}});
  EXPECT_EQ(metrics.text(),
            "# HELP a back\\\\slash\\nand line\n# TYPE a gauge\n"
            "a{reason=\"say \\\"no\\\"\\\\\\nand go\"} 1\n");
}

TEST(MetricsText, WritesNumbersThatReadBackAsThemselves) {
  MetricsText metrics;
  metrics.gauge("a", "b")
      .sample(0.1)
      .sample(1763737200)
      .sample(std::numeric_limits<double>::infinity());
  EXPECT_NE(metrics.text().find("a 0.1\na 1763737200\na +Inf\n"), std::string::npos)
      << metrics.text();
}

TEST(MetricsText, CountsCumulatively) {
  Histogram seconds({0.001, 0.01, 0.1});
  for (const double value : {0.0005, 0.001, 0.05, 3.0}) seconds.observe(value);
  MetricsText metrics;
  metrics.histogram("t", "h").sample(seconds, {{"cause", "drift"}});
  EXPECT_EQ(metrics.text(),
            "# HELP t h\n# TYPE t histogram\n"
            "t_bucket{cause=\"drift\",le=\"0.001\"} 2\n"
            "t_bucket{cause=\"drift\",le=\"0.01\"} 2\n"
            "t_bucket{cause=\"drift\",le=\"0.1\"} 3\n"
            "t_bucket{cause=\"drift\",le=\"+Inf\"} 4\n"
            "t_sum{cause=\"drift\"} 3.0515\n"
            "t_count{cause=\"drift\"} 4\n");
}

}  // namespace
}  // namespace weft
