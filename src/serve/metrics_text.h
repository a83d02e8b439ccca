// metrics_text.h: numbers in Prometheus' text format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

/// The media type of the text.
inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// Cumulative counts of what took at most so long; the last bound, infinity, is implied.
class Histogram {
 public:
  /// `bounds` ascending, in the unit of what is observed.
  explicit Histogram(std::vector<double> bounds)
      : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  /// With counts that were kept elsewhere; one more than bounds.
  Histogram(std::vector<double> bounds, std::vector<std::uint64_t> counts, double sum)
      : bounds_(std::move(bounds)), counts_(std::move(counts)), sum_(sum) {}

  void observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  /// Of the values up to each bound and above the one before; one more than bounds.
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
};

/// Collects families of metrics, each with all its samples in a row, as the format demands.
class MetricsText {
 public:
  /// Begins a family; the samples that follow are its. `name` is a legal name of a metric.
  MetricsText& counter(std::string_view name, std::string_view help);
  MetricsText& gauge(std::string_view name, std::string_view help);
  MetricsText& histogram(std::string_view name, std::string_view help);

  MetricsText& sample(double value, const MetricLabels& labels = {});
  /// REQUIRES a family of histograms.
  MetricsText& sample(const Histogram& values, const MetricLabels& labels = {});

  const std::string& text() const { return text_; }

 private:
  void family(std::string_view name, std::string_view help, const char* type);
  void line(std::string_view suffix, const MetricLabels& labels, double value);

  std::string text_;
  std::string name_;  // of the family
};

}  // namespace weft
