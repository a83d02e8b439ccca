// crashing_process.h: a program that is killed just before one of its system calls that change
// something: what a crash, an OOM kill or a power switch may do at the worst moment.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace weft::test {

/// Runs `argv` with `environment`, standard input from the text, standard output thrown away,
/// in the calling thread's namespaces, and kills it before its n-th writing system call (counted
/// from 0) is carried out. True when it was killed; false when it had fewer and ran to its end.
///
/// Writing are: open with O_CREAT or O_TRUNC, write, rename, link, symlink, unlink, mkdir,
/// utimensat, sendto and sendmsg. It must be single-threaded and must not start others.
bool run_until_write(const std::vector<std::string>& argv,
                     const std::vector<std::string>& environment, const std::string& input,
                     unsigned n);

}  // namespace weft::test
