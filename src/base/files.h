// files.h: whole files, read and replaced.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft {

/// The contents of `path`. Refuses a file of more than `limit` bytes.
Result<std::string> read_file(const std::string& path, std::size_t limit = 16U << 20U);

/// What a file written by rename survives: the end of the process, or a power loss as well.
enum class Survives { kProcess, kPowerLoss };

/// Replaces `path` so that a reader, or a crash at any moment, sees the old contents or the
/// new ones and nothing between: a temporary beside it, fsync, rename, fsync of the folder.
/// With kProcess there is no fsync: a power loss may leave the file empty.
/// `mode` is taken as it is, whatever the umask says.
Status write_file_atomically(const std::string& path, std::string_view contents, mode_t mode,
                             Survives survives = Survives::kPowerLoss);

/// Creates `path` with the contents if nothing has that name yet, by linking a complete
/// temporary; EEXIST otherwise. A crash leaves the whole file or none.
Status create_file_exclusively(const std::string& path, std::string_view contents, mode_t mode);

/// `mkdir -p`; EEXIST is success.
Status make_directories(const std::string& path, mode_t mode = 0755);

/// The names in a folder without "." and "..", sorted. A folder that does not exist is empty.
Result<std::vector<std::string>> list_directory(const std::string& path);

/// Removes a file; one that is not there is success.
Status remove_file(const std::string& path);

/// Removes what processes left beside `path` that were killed while they wrote it atomically. Not
/// for a file that somebody may be writing.
Status remove_leftovers(const std::string& path);

/// Removes a folder with everything below it, never following a link out of it and never
/// crossing into a mounted file system. What is not there is success.
Status remove_tree(const std::string& path);

}  // namespace weft
