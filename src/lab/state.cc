#include "lab/state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "lab/lab_json.h"
#include "lab/names.h"

namespace weft::lab {
namespace {

using std::chrono::milliseconds;

const std::string kLabs = std::string(kStateRoot) + "/labs";
const std::string kLocks = std::string(kStateRoot) + "/locks";

// The file that was locked may have been removed by its last holder meanwhile.
bool is_still_at(const Fd& fd, const std::string& path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(fd.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

std::string lab_file(const std::string& lab) {
  return state_folder(lab) + "/lab.json";
}

}  // namespace

Result<LabLock> LabLock::take(const std::string& lab) {
  constexpr milliseconds kPause(20);
  constexpr int kTries = 500;
  const std::string path = kLocks + "/" + lab;
  for (int i = 0; i < kTries; ++i) {
    RETURN_IF_ERROR(make_directories(kLocks));
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (fd.empty() && errno == ENOENT) continue;  // the folder went meanwhile
    if (fd.empty()) return fail_errno("opening " + path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
      if (is_still_at(fd, path)) return LabLock(std::move(fd), path);
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno("locking " + path);
    std::this_thread::sleep_for(kPause);
  }
  return fail("another command has been at work on lab \"" + lab + "\" for 10 s",
              "see which one with: fuser " + path);
}

void LabLock::remove() {
  ::unlink(path_.c_str());
  // Empty folders only: rmdir refuses the others.
  ::rmdir(kLocks.c_str());
  ::rmdir(kLabs.c_str());
  ::rmdir(kStateRoot);
  fd_.reset();
}

Result<std::vector<std::string>> list_namespaces(const std::string& lab) {
  ASSIGN_OR_RETURN(auto names, list_directory(kNetnsRoot));
  const std::string prefix = netns_prefix(lab);
  std::erase_if(
      names, [&](const std::string& name) { return name.compare(0, prefix.size(), prefix) != 0; });
  return names;
}

Result<std::vector<std::string>> list_labs() {
  ASSIGN_OR_RETURN(const auto folders, list_directory(kLabs));
  std::set<std::string> labs(folders.begin(), folders.end());
  ASSIGN_OR_RETURN(const auto namespaces, list_directory(kNetnsRoot));
  for (const auto& name : namespaces) {
    // Other programs may name namespaces "weft-..."; one of these three only a lab has.
    const auto parts = split(name, '-');
    const bool is_ours = parts.size() == 3 && parts[0] == "weft" && check_lab_name(parts[1]) &&
                         (parts[2] == kUnderlay || parts[2] == kRouter || parts[2] == kOutside);
    if (is_ours) labs.insert(parts[1]);
  }
  return std::vector<std::string>(labs.begin(), labs.end());
}

bool lab_exists(const std::string& lab) {
  const auto labs = list_labs();
  return labs && std::find(labs->begin(), labs->end(), lab) != labs->end();
}

Result<Lab> load_lab(const std::string& name) {
  RETURN_IF_ERROR(check_lab_name(name));
  const auto text = read_file(lab_file(name));
  if (!text && text.error().number == ENOENT) {
    ASSIGN_OR_RETURN(const auto labs, list_labs());
    if (std::find(labs.begin(), labs.end(), name) != labs.end())
      return fail("lab \"" + name + "\" is what an interrupted command left",
                  "remove it with: weft lab down --name " + name);
    const auto meant = nearest(name, labs);
    return fail("there is no lab \"" + name + "\"",
                meant ? "did you mean --name " + *meant + "?" : "start one with: weft lab up");
  }
  if (!text) return Failure(text.error());
  auto lab = parse_lab(*text);
  if (!lab) return because(lab_file(name), lab.error());
  return lab;
}

Status save_lab(const Lab& lab) {
  RETURN_IF_ERROR(make_directories(state_folder(lab.name)));
  return write_file_atomically(lab_file(lab.name), to_json(lab), 0644);
}

}  // namespace weft::lab
