#include "cmd/usage.h"
namespace weft::cmd {
void add_matrix_command(CLI::App& app, ExitCode& code) {
  app.add_subcommand("matrix", "x");
  static_cast<void>(code);
}
}  // namespace weft::cmd
