#include "serve/metrics_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weft {
namespace {

std::string escaped(std::string_view text, bool quotes) {
  std::string result;
  for (const char c : text) {
    if (c == '\\')
      result += "\\\\";
    else if (c == '\n')
      result += "\\n";
    else if (c == '"' && quotes)
      result += "\\\"";
    else
      result += c;
  }
  return result;
}

// The shortest text that reads back as the same number.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc{} ? std::string(text, end) : "NaN";
}

}  // namespace

void Histogram::observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
  sum_ += value;
}

void MetricsText::family(std::string_view name, std::string_view help, const char* type) {
  name_ = name;
  text_ += "# HELP " + name_ + " " + escaped(help, false) + "\n# TYPE " + name_ + " " + type + "\n";
}

MetricsText& MetricsText::counter(std::string_view name, std::string_view help) {
  return family(name, help, "counter"), *this;
}

MetricsText& MetricsText::gauge(std::string_view name, std::string_view help) {
  return family(name, help, "gauge"), *this;
}

MetricsText& MetricsText::histogram(std::string_view name, std::string_view help) {
  return family(name, help, "histogram"), *this;
}

void MetricsText::line(std::string_view suffix, const MetricLabels& labels, double value) {
  text_ += name_;
  text_ += suffix;
  char before = '{';
  for (const auto& [name, said] : labels) {
    text_ += before + name + "=\"" + escaped(said, true) + "\"";
    before = ',';
  }
  text_ += (labels.empty() ? " " : "} ") + number(value) + "\n";
}

MetricsText& MetricsText::sample(double value, const MetricLabels& labels) {
  line("", labels, value);
  return *this;
}

MetricsText& MetricsText::sample(const Histogram& values, const MetricLabels& labels) {
  std::uint64_t total = 0;
  MetricLabels with_bound = labels;
  with_bound.emplace_back("le", "");
  for (std::size_t i = 0; i < values.counts().size(); ++i) {
    total += values.counts()[i];
    with_bound.back().second = i < values.bounds().size() ? number(values.bounds()[i]) : "+Inf";
    line("_bucket", with_bound, static_cast<double>(total));
  }
  line("_sum", labels, values.sum());
  line("_count", labels, static_cast<double>(total));
  return *this;
}

}  // namespace weft
