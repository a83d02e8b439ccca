// usage.h: the command line of weft: what its files share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/exit_code.h"
#include "base/marks.h"
#include "base/result.h"

namespace weft::cmd {

/// Prints "weft: WHAT; NEXT" on standard error and hands the code back.
ExitCode fail_with(ExitCode code, const Error& error);

/// What a whole that bears this mark ends with.
ExitCode exit_code_of(Mark mark);

/// A command line, and the program at its end that is not ours to parse.
struct CommandLine {
  std::vector<std::string> ours = {};     ///< without the name of weft itself
  std::vector<std::string> program = {};  ///< what stands behind NAME of `lab exec`, or behind --
};
CommandLine split_command_line(int argc, const char* const* argv);

/// The nearest right name for the first word that is no subcommand or no option where it stands:
/// "there is no command "statu"; did you mean status?". Empty when every word is known: then the
/// parser's own words say what is wrong.
std::string explain_wrong_word(const CLI::App& app, const std::vector<std::string>& words);

/// Makes every command's help begin with its examples: what its footer holds.
void put_examples_first(CLI::App& app);

/// "text" or "json".
struct OutputFormat {
  std::string name = "text";
  bool json() const { return name == "json"; }
};
void add_output_option(CLI::App& command, OutputFormat& format);

/// "5 s", "12 min", "3 h", "2 d": an age for people.
std::string age(std::int64_t seconds);

/// `weft lab` and everything below it. `program` must outlive the parsing.
void add_lab_commands(CLI::App& app, const std::vector<std::string>& program, ExitCode& code);
/// `weft matrix`
void add_matrix_command(CLI::App& app, ExitCode& code);
/// `weft dns`
void add_dns_command(CLI::App& app, ExitCode& code);
/// `weft dns explain`, below it
void add_dns_explain_command(CLI::App& dns, ExitCode& code);
/// `weft status`
void add_status_command(CLI::App& app, ExitCode& code);
/// `weft status services`, below it
void add_status_services_command(CLI::App& status, ExitCode& code);

}  // namespace weft::cmd
