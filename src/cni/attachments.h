// attachments.h: what GC must keep (CNI SPEC.md 1.1.0, "cni.dev/valid-attachments").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cni/cni_error.h"

namespace weft::cni {

struct Attachment {
  std::string container_id = {};
  std::string ifname = {};
};

/// The attachments that are alive. Refuses a configuration without the key: an absent list
/// must not be taken for an empty one, after which everything would be removed.
CniResult<std::vector<Attachment>> valid_attachments(const Json& config);

/// An empty `ifname` stands for every interface of the container.
bool is_valid(const std::vector<Attachment>& attachments, std::string_view container_id,
              std::string_view ifname);

}  // namespace weft::cni
