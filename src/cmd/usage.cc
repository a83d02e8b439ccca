#include "cmd/usage.h"

#include <algorithm>
#include <cstdio>

#include "base/text.h"

namespace weft::cmd {
namespace {

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_group().empty()) names.push_back(sub->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string wrong(const char* noun, const std::string& word,
                  const std::vector<std::string>& right) {
  std::string text = std::string("there is no ") + noun + " \"" + word + "\"";
  if (const auto meant = nearest(word, right)) return text + "; did you mean " + *meant + "?";
  return text;
}

const CLI::App* find_subcommand(const CLI::App& app, const std::string& name) {
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (sub->get_name() == name) return sub;
  return nullptr;
}

class ExamplesFirst : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override {
    return "Examples:\n" + app->get_footer() + "\n" + CLI::Formatter::make_description(app);
  }
  std::string make_footer(const CLI::App* /*app*/) const override { return {}; }
};

}  // namespace

void put_examples_first(CLI::App& app) {
  app.formatter(std::make_shared<ExamplesFirst>());
}

ExitCode fail_with(ExitCode code, const Error& error) {
  std::fprintf(stderr, "weft: %s\n", error.text().c_str());
  return code;
}

ExitCode exit_code_of(Mark mark) {
  switch (mark) {
    case Mark::kFine:
      return ExitCode::kFine;
    case Mark::kWarning:
      return ExitCode::kWarnings;
    case Mark::kWrong:
    case Mark::kNothing:
      break;
  }
  return ExitCode::kWrong;
}

CommandLine split_command_line(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  auto end = std::find(words.begin(), words.end(), "--");
  if (words.size() > 2 && words[0] == "lab" && words[1] == "exec") {
    // NAME is the first word that is neither an option nor the value of --name.
    end = words.begin() + 2;
    while (end != words.end() && (*end)[0] == '-') end += *end == "--name" ? 2 : 1;
    end = end < words.end() ? end + 1 : words.end();
  }
  CommandLine line{.ours = {words.begin(), end}};
  if (end != words.end() && *end == "--") ++end;
  line.program.assign(end, words.end());
  return line;
}

std::string explain_wrong_word(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* here = &app;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.size() > 1 && word[0] == '-') {
      const std::string name = word.substr(0, word.find('='));
      const CLI::Option* option = here->get_option_no_throw(name);
      if (option == nullptr) return wrong("option", name, option_names(*here));
      if (name.size() == word.size() && option->get_items_expected_min() > 0) ++i;
      continue;
    }
    if (subcommand_names(*here).empty()) break;
    const CLI::App* next = find_subcommand(*here, word);
    if (next == nullptr) return wrong("command", word, subcommand_names(*here));
    here = next;
  }
  return {};
}

void add_output_option(CLI::App& command, OutputFormat& format) {
  command.add_option("-o,--output", format.name, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

std::string age(std::int64_t seconds) {
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  for (const auto& unit : {Unit{86'400, " d"}, Unit{3600, " h"}, Unit{60, " min"}})
    if (seconds >= 2 * unit.seconds) return std::to_string(seconds / unit.seconds) + unit.name;
  return std::to_string(seconds) + " s";
}

}  // namespace weft::cmd
