// crashing_process.h: a program that is killed just before one of its system calls that change
// something: what a crash, an OOM kill or a power switch may do at the worst moment.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace weft::test {

/// Writing are: open with O_CREAT or O_TRUNC, write, ftruncate, rename, link, symlink, unlink,
/// mkdir, utimensat, sendto and sendmsg.
enum class Spoil {
  kKill,  ///< the process is killed before the call
  kFail,  ///< the call fails with EIO and the process goes on
};

/// Runs `argv` with `environment`, standard input from the text, standard output thrown away,
/// in the calling thread's namespaces, and spoils its n-th writing system call (counted from 0).
/// True when it was spoilt; false when it had fewer and ran to its end.
bool run_until_write(const std::vector<std::string>& argv,
                     const std::vector<std::string>& environment, const std::string& input,
                     unsigned n, Spoil spoil = Spoil::kKill);

/// The same for a daemon with several threads, which does not end by itself: when `settled`
/// says that it has done its work it is killed. True when its n-th writing call was spoilt.
/// Programs that it starts in turn are left alone. `settled` must start no program.
bool run_daemon_and_spoil_write(const std::vector<std::string>& argv,
                                const std::vector<std::string>& environment, unsigned n,
                                Spoil spoil, const std::function<bool()>& settled);

}  // namespace weft::test
