#include "kernel/iptables.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "kernel/iptables_save.h"

namespace weft::kernel {
namespace {

// As long as kube-proxy waits for others to let go of the lock.
constexpr const char* kWait = "--wait=5";

Failure missing(const std::string& program) {
  Failure failure = fail("iptables is not usable: there is no program " + program + " in PATH",
                         "install iptables, or use nftables instead");
  failure.value().number = ENOENT;
  return failure;
}

// A program that cannot be started is most often not installed.
Failure not_runnable(const std::string& program, const Error& error) {
  return error.number == ENOENT ? missing(program) : because("iptables is not usable", error);
}

Result<std::string> run_program(std::vector<std::string> argv, const std::string& input = {}) {
  const std::string program = argv[0];
  auto outcome = run({.argv = std::move(argv), .input = input});
  if (!outcome) return not_runnable(program, outcome.error());
  if (outcome->exit_code != 0)
    return fail(program + " refused: " + std::string(trim(outcome->errors)));
  return std::move(outcome->output);
}

}  // namespace

Result<IptablesVersion> IptablesVersion::parse(std::string_view text) {
  const auto words = split(trim(text), ' ');
  IptablesVersion version;
  if (words.size() < 2 || words[1].size() < 2 || words[1][0] != 'v')
    return fail("\"" + std::string(trim(text)) + "\" names no iptables version");
  const auto numbers = split(std::string_view(words[1]).substr(1), '.');
  for (std::size_t i = 0; i < version.number.size() && i < numbers.size(); ++i) {
    const auto number = parse_number(numbers[i]);
    if (!number || *number > 1'000'000) return fail("\"" + words[1] + "\" is no iptables version");
    version.number[i] = static_cast<unsigned>(*number);
  }
  if (words.size() > 2 && words[2] == "(nf_tables)") version.variant = Variant::kNft;
  return version;
}

Result<Iptables> Iptables::find(Family family, std::string_view flavour) {
  Iptables iptables;
  iptables.name_ = family == Family::kIpv4 ? "iptables" : "ip6tables";
  if (!flavour.empty()) iptables.name_ += "-" + std::string(flavour);
  ASSIGN_OR_RETURN(const std::string version, run_program({iptables.name_, "--version"}));
  ASSIGN_OR_RETURN(iptables.version_, IptablesVersion::parse(version));
  for (const char* part : {"-save", "-restore"})
    if (!is_runnable(iptables.name_ + part)) return missing(iptables.name_ + part);
  return iptables;
}

Result<IptablesTable> Iptables::read(const std::string& table) const {
  const std::string tried = "reading " + name_ + " table " + table;
  const auto output = run_program({name_ + "-save", "-t", table});
  if (!output) return because(tried, output.error());
  auto tables = parse_iptables_save(*output);
  if (!tables) return because(tried, tables.error());
  const auto found = tables->find(table);
  return found == tables->end() ? IptablesTable{} : std::move(found->second);
}

Status Iptables::restore(const std::string& script) const {
  std::vector<std::string> argv{name_ + "-restore", "--noflush"};
  if (version_.has_restore_wait()) argv.emplace_back(kWait);
  RETURN_IF_ERROR(run_program(std::move(argv), script));
  return {};
}

bool iptables_is_installed() {
  const char* path = std::getenv("PATH");
  const auto folders = split(path == nullptr ? "" : path, ':');
  return std::any_of(folders.begin(), folders.end(), [](const std::string& folder) {
    return ::access((folder + "/iptables").c_str(), X_OK) == 0;
  });
}

bool legacy_iptables_in_use(Family family) {
  const auto names = read_file(std::string("/proc/thread-self/net/") +
                               (family == Family::kIpv4 ? "ip" : "ip6") + "_tables_names");
  // No such file: the kernel does not have it loaded.
  if (!names) return false;
  const auto tables = split(*names, '\n');
  return std::any_of(tables.begin(), tables.end(),
                     [](const std::string& name) { return name == "filter" || name == "nat"; });
}

Result<std::unique_ptr<LegacyWatch>> LegacyWatch::start(std::string lock_file,
                                                        std::function<void()> changed) {
  std::unique_ptr<LegacyWatch> watch(new LegacyWatch());
  watch->lock_file_ = std::move(lock_file);
  watch->changed_ = std::move(changed);
  watch->inotify_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch->inotify_.empty()) return fail_errno("creating an inotify instance");
  RETURN_IF_ERROR(watch->watch_file());
  watch->wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (watch->wake_.empty()) return fail_errno("creating an eventfd");
  LegacyWatch* self = watch.get();
  watch->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return watch;
}

LegacyWatch::~LegacyWatch() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  // An eventfd takes the write at once; the thread then sees the stop.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

// The file and not its folder: inside a container the file alone may be the host's.
Status LegacyWatch::watch_file() {
  const Fd file(::open(lock_file_.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.empty()) return fail_errno("opening " + lock_file_);
  if (::inotify_add_watch(inotify_.get(), lock_file_.c_str(), IN_CLOSE) < 0)
    return fail_errno("watching " + lock_file_);
  return {};
}

void LegacyWatch::run(const std::stop_token& stop) {
  std::array<pollfd, 2> polled{pollfd{inotify_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  while (!stop.stop_requested()) {
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;  // EINTR
    if (polled[0].revents != 0) read_events();
  }
}

void LegacyWatch::read_events() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool closed = false;
  bool gone = false;
  for (;;) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;  // EAGAIN: all read
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      closed = closed || (event->mask & (IN_CLOSE | IN_Q_OVERFLOW)) != 0;
      gone = gone || (event->mask & IN_IGNORED) != 0;
      at += sizeof *event + event->len;
    }
  }
  // Whoever removes the lock file makes the next iptables create another.
  if (gone) static_cast<void>(watch_file());
  if (closed || gone) changed_();
}

}  // namespace weft::kernel
