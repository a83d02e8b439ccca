#include "lab/node_program.h"

#include <chrono>

#include "base/files.h"
#include "base/json.h"
#include "lab/daemon.h"
#include "lab/names.h"
#include "lab/node_space.h"

namespace weft::lab {
namespace {

std::string file_of(const NodeProgram& program, const char* extension) {
  return node_folder(program.lab, program.node) + "/" + program.name + extension;
}

Status write_record(const NodeProgram& program, const ProgramRecord& record) {
  const Json json = {{"pid", record.pid}, {"argv", record.argv}};
  return write_file_atomically(file_of(program, ".json"), json.dump(2) + "\n", 0644);
}

}  // namespace

std::string NodeProgram::netns() const {
  return netns_path(lab, node);
}

std::string NodeProgram::log() const {
  return file_of(*this, ".log");
}

std::optional<ProgramRecord> read_record(const NodeProgram& program) {
  const auto text = read_file(file_of(program, ".json"));
  const auto json = text ? parse_json(*text) : Failure(text.error());
  if (!json || !json->is_object()) return std::nullopt;
  ProgramRecord record;
  int pid = 0;
  ObjectReader reader(*json, program.name);
  reader.read("pid", pid);
  reader.read("argv", record.argv);
  if (!reader.finish()) return std::nullopt;
  record.pid = pid;
  return record;
}

pid_t running_pid(const NodeProgram& program) {
  const auto record = read_record(program);
  return record && is_running(record->pid, program.netns()) ? record->pid : 0;
}

Result<pid_t> start_program(const NodeProgram& program, const std::vector<std::string>& argv) {
  if (const pid_t pid = running_pid(program); pid != 0) return pid;
  ProgramRecord record = read_record(program).value_or(ProgramRecord{});
  if (record.argv.empty()) record.argv = argv;
  const Status started = in_node(program.lab, program.node, [&]() -> Status {
    ASSIGN_OR_RETURN(record.pid, start_daemon({.argv = record.argv,
                                               .environment = {"NODE_NAME=" + program.node},
                                               .log = program.log()}));
    return {};
  });
  RETURN_IF_ERROR(started);
  RETURN_IF_ERROR(write_record(program, record));
  return record.pid;
}

Status stop_program(const NodeProgram& program) {
  const pid_t pid = running_pid(program);
  if (pid == 0) return {};
  return stop_daemon(pid, program.netns(), std::chrono::seconds(5));
}

Failure ended(const NodeProgram& program) {
  return fail("the " + program.name + " of " + program.node + " ended: " + last_line(program.log()),
              "see " + program.log());
}

}  // namespace weft::lab
