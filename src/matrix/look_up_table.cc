#include "matrix/look_up_table.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace weft::matrix {
namespace {

using Cells = std::vector<std::string>;

const char* type_of(const Asked& asked) {
  return asked.family == Family::kIpv4 ? "A" : "AAAA";
}

std::string milliseconds(std::chrono::microseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ms", static_cast<double>(time.count()) / 1000);
  return text;
}

std::string answer_text(const Asked& asked) {
  if (!asked.answer) return asked.failure;
  std::string text;
  for (const auto& address : asked.answer->addresses)
    text += (text.empty() ? "" : ", ") + address.to_string();
  if (!text.empty()) return text;
  return asked.answer->code == "NOERROR" ? "no data" : asked.answer->refusal;
}

std::string ttl_text(const Asked& asked) {
  if (!asked.answer || !asked.answer->ttl) return "-";
  return std::to_string(*asked.answer->ttl) + " s";
}

Cells cells_of(const Asked& asked) {
  return {type_of(asked),           "@" + asked.server.to_string(),
          answer_text(asked),       ttl_text(asked),
          milliseconds(asked.took), asked.answer ? asked.answer->source : ""};
}

std::string aligned(const std::vector<Cells>& rows) {
  std::string text;
  for (const Cells& row : rows) {
    std::string line = "   ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::size_t width = 0;
      for (const Cells& other : rows) width = std::max(width, other[i].size());
      line += " " + row[i] + std::string(width - row[i].size() + 1, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

Mark mark_of(const LookUpStep& step) {
  Mark mark = Mark::kNothing;
  for (const Asked& asked : step.asked) {
    if (!asked.answer || (asked.answer->code != "NOERROR" && asked.answer->code != "NXDOMAIN"))
      return Mark::kWrong;
    if (!asked.answer->addresses.empty()) mark = Mark::kFine;
  }
  return step.tried.is_too_long ? Mark::kWrong : mark;
}

Json to_json(const Asked& asked) {
  Json addresses = Json::array();
  const DnsAnswer answer = asked.answer.value_or(DnsAnswer{});
  for (const auto& address : answer.addresses) addresses.push_back(address.to_string());
  return {{"type", type_of(asked)},  {"server", asked.server.to_string()},
          {"code", answer.code},     {"addresses", addresses},
          {"why", answer.why},       {"ttl", answer.ttl ? Json(*answer.ttl) : Json(nullptr)},
          {"source", answer.source}, {"took_us", asked.took.count()},
          {"failure", asked.failure}};
}

}  // namespace

std::string to_table(const LookUp& looked_up, const LineStyle& style) {
  std::string text;
  for (const LookUpStep& step : looked_up.steps) {
    text += "  " + style.mark(mark_of(step)) + " " + step.tried.name + "  (" + step.tried.reason +
            (step.tried.is_too_long ? "; too long to be asked for" : "") + ")\n";
    std::vector<Cells> rows;
    for (const Asked& asked : step.asked) rows.push_back(cells_of(asked));
    text += aligned(rows);
  }
  return text;
}

Json to_json(const LookUp& looked_up) {
  Json addresses = Json::array();
  for (const auto& address : looked_up.addresses) addresses.push_back(address.to_string());
  Json steps = Json::array();
  for (const LookUpStep& step : looked_up.steps) {
    Json asked = Json::array();
    for (const Asked& each : step.asked) asked.push_back(to_json(each));
    steps.push_back({{"name", step.tried.name},
                     {"reason", step.tried.reason},
                     {"too_long", step.tried.is_too_long},
                     {"asked", asked}});
  }
  return {{"name", looked_up.name}, {"addresses", addresses}, {"steps", steps}};
}

}  // namespace weft::matrix
