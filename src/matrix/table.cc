#include "matrix/table.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "matrix/verdict.h"

namespace weft::matrix {
namespace {

std::vector<Cell> cells_of(const Report& report, PathClass path_class) {
  std::vector<Cell> cells;
  for (const auto& cell : report.cells)
    if (cell.pair.path_class == path_class) cells.push_back(cell);
  return cells;
}

Mark worst(const std::vector<Cell>& cells) {
  const Totals totals = count(cells);
  if (totals.failed > 0) return Mark::kWrong;
  return totals.warnings > 0 ? Mark::kWarning : Mark::kFine;
}

std::string milliseconds(std::uint32_t microseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ms", microseconds / 1000.0);
  return text;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string measure(const Cell& cell) {
  if (cell.result.answered == 0) return "fails";
  return cell.result.rtt_us ? milliseconds(*cell.result.rtt_us) : "answers";
}

// The cells of one pair and address, which stand side by side: one a protocol.
struct Row {
  std::vector<Cell> cells;
};

std::vector<Row> rows_of(const std::vector<Cell>& cells) {
  std::vector<Row> rows;
  for (const auto& cell : cells) {
    const bool fits = !rows.empty() && rows.back().cells.front().pair.from == cell.pair.from &&
                      rows.back().cells.front().pair.to == cell.pair.to &&
                      rows.back().cells.front().pair.target == cell.pair.target &&
                      rows.back().cells.front().pair.front == cell.pair.front &&
                      rows.back().cells.front().pair.asks == cell.pair.asks;
    if (!fits) rows.emplace_back();
    rows.back().cells.push_back(cell);
  }
  return rows;
}

template <class Get>
std::string first_known(const Row& row, Get get) {
  for (const auto& cell : row.cells)
    if (const auto value = get(cell.result)) return std::to_string(*value);
  return "-";
}

std::string source_of(const Row& row) {
  for (const auto& cell : row.cells)
    if (cell.result.source_seen) return cell.result.source_seen->to_string();
  return "-";
}

// Of a service: the endpoints may have seen different addresses.
std::string sources_of(const Row& row) {
  std::set<IpAddress> sources;
  for (const auto& cell : row.cells)
    for (const auto& answer : cell.result.answers) sources.insert(answer.source);
  std::string text;
  for (const auto& source : sources) text += (text.empty() ? "" : ", ") + source.to_string();
  return text.empty() ? "-" : text;
}

// Protocols that fail for the same reason share a line.
std::string reasons(const Row& row, const LineStyle& style) {
  std::string text;
  std::set<std::string> told;
  for (const auto& cell : row.cells) {
    const std::string& reason = cell.verdict.reason;
    if (reason.empty() || !told.insert(reason).second) continue;
    std::string protocols;
    for (const auto& other : row.cells)
      if (other.verdict.reason == reason)
        protocols += (protocols.empty() ? "" : ", ") + to_string(other.result.protocol);
    text += "    " + style.mark(cell.verdict.mark) + " " + protocols + ": " + reason + "\n";
  }
  return text;
}

// "10.244.1.2", of a service "10.96.0.11:80", of a name the server "@10.96.0.10".
std::string target_text(const Report& report, const Pair& pair) {
  if (pair.asks) return "@" + pair.target.to_string();
  if (!pair.front) return pair.target.to_string();
  const std::string port = std::to_string(report.places[pair.to].fronts[*pair.front].port);
  return pair.target.is_v4() ? pair.target.to_string() + ":" + port
                             : "[" + pair.target.to_string() + "]:" + port;
}

// How often each endpoint answered.
std::map<std::string, unsigned> spread(const ProbeResult& result) {
  std::map<std::string, unsigned> counts;
  for (const auto& answer : result.answers) counts[answer.name] += answer.count;
  return counts;
}

std::string spread_text(const Row& row) {
  std::string text;
  for (const auto& cell : row.cells)
    for (const auto& [name, count] : spread(cell.result))
      text += (text.empty() ? "" : ", ") + name + " " + std::to_string(count);
  return text.empty() ? "-" : text;
}

// Of a name: what it is said to stand for.
std::string addresses_text(const Row& row) {
  std::string text;
  for (const auto& cell : row.cells)
    for (const auto& answer : cell.result.answers) text += (text.empty() ? "" : ", ") + answer.name;
  return text.empty() ? "-" : text;
}

// What is worth saying about the way: of a service, who answered.
std::string way_text(const Row& row) {
  if (row.cells.front().pair.asks) return "  is " + addresses_text(row);
  if (row.cells.front().pair.front)
    return "  seen as " + padded(sources_of(row), 15) + "  answered by " + spread_text(row);
  return "  hops " + first_known(row, [](const ProbeResult& result) { return result.hops; }) +
         "  mtu " +
         padded(first_known(row, [](const ProbeResult& result) { return result.mtu; }), 4) +
         "  seen as " + source_of(row);
}

std::string line(const Report& report, const Row& row, std::size_t width, const LineStyle& style) {
  const Pair& pair = row.cells.front().pair;
  const std::string way = report.places[pair.from].name + " > " + report.places[pair.to].name +
                          " " + target_text(report, pair);
  std::string text = "  " + style.mark(worst(row.cells)) + " " + padded(way, width);
  for (const auto& cell : row.cells)
    text += "  " + to_string(cell.result.protocol) + " " + padded(measure(cell), 8);
  return text + way_text(row) + "\n" + reasons(row, style);
}

std::size_t widest_way(const Report& report, const std::vector<Row>& rows) {
  std::size_t width = 0;
  for (const auto& row : rows) {
    const Pair& pair = row.cells.front().pair;
    width = std::max(width, report.places[pair.from].name.size() + 3 +
                                report.places[pair.to].name.size() + 1 +
                                target_text(report, pair).size());
  }
  return width;
}

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Report& report, const Cell& cell) {
  const ProbeResult& result = cell.result;
  Json json = {
      {"from", report.places[cell.pair.from].name}, {"to", report.places[cell.pair.to].name},
      {"protocol", to_string(result.protocol)},     {"ok", cell.verdict.mark != Mark::kWrong},
      {"rtt_us", or_null(result.rtt_us)},           {"hops", or_null(result.hops)}};
  json["source_seen"] = result.source_seen ? Json(result.source_seen->to_string()) : Json(nullptr);
  json["reason"] = cell.verdict.reason;
  json["target"] = cell.pair.target.to_string();
  json["family"] = to_string(cell.pair.asks.value_or(cell.pair.target.family()));
  json["loss"] = result.sent == 0 ? 0.0 : 1.0 - static_cast<double>(result.answered) / result.sent;
  json["mtu"] = or_null(result.mtu);
  if (cell.pair.asks) {
    json["addresses"] = Json::array();
    for (const auto& answer : result.answers) json["addresses"].push_back(answer.name);
  }
  if (cell.pair.front) {
    json["port"] = report.places[cell.pair.to].fronts[*cell.pair.front].port;
    json["answered_by"] = spread(result);
  }
  return json;
}

}  // namespace

std::string to_table(const Report& report, const LineStyle& style) {
  std::string text;
  for (const PathClass path_class : kPathClasses) {
    const auto cells = cells_of(report, path_class);
    if (cells.empty() && is_to_service(path_class)) continue;
    if (cells.empty()) {
      text += style.mark(Mark::kNothing) + " " + describe(path_class) + ": no such pair\n\n";
      continue;
    }
    const Totals totals = count(cells);
    text += style.mark(worst(cells)) + " " + describe(path_class) + ": " +
            std::to_string(totals.fine + totals.warnings) + " of " + std::to_string(cells.size()) +
            "\n";
    const auto rows = rows_of(cells);
    const std::size_t width = widest_way(report, rows);
    for (const auto& row : rows) text += line(report, row, width, style);
    text += "\n";
  }
  const Totals totals = count(report.cells);
  return text + style.mark(worst(report.cells)) + " " + std::to_string(totals.fine) + " fine, " +
         std::to_string(totals.warnings) + " warnings, " + std::to_string(totals.failed) +
         " failed\n";
}

Json to_json(const Report& report) {
  Json classes = Json::array();
  for (const PathClass path_class : kPathClasses) {
    Json pairs = Json::array();
    for (const auto& cell : cells_of(report, path_class)) pairs.push_back(to_json(report, cell));
    classes.push_back({{"class", to_string(path_class)}, {"pairs", pairs}});
  }
  const Totals totals = count(report.cells);
  return {{"classes", classes},
          {"ok", totals.fine + totals.warnings},
          {"warnings", totals.warnings},
          {"failed", totals.failed}};
}

}  // namespace weft::matrix
