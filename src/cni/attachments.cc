#include "cni/attachments.h"

#include <algorithm>

namespace weft::cni {

CniResult<std::vector<Attachment>> valid_attachments(const Json& config) {
  const Json* list = find_member(config, "cni.dev/valid-attachments");
  if (list == nullptr) list = find_member(config, "cni.dev/attachments");
  if (list == nullptr || !list->is_array())
    return refuse(Code::kInvalidNetworkConfig,
                  "GC needs the list \"cni.dev/valid-attachments\", which is missing",
                  "without it everything would count as stale; an empty list says so plainly");
  std::vector<Attachment> attachments;
  for (const auto& entry : *list) {
    ObjectReader reader(entry, "cni.dev/valid-attachments");
    Attachment attachment;
    reader.read("containerID", attachment.container_id);
    reader.read("ifname", attachment.ifname);
    if (const auto status = reader.finish(); !status)
      return refuse(Code::kInvalidNetworkConfig, status.error().what);
    attachments.push_back(std::move(attachment));
  }
  return attachments;
}

bool is_valid(const std::vector<Attachment>& attachments, std::string_view container_id,
              std::string_view ifname) {
  return std::any_of(attachments.begin(), attachments.end(), [&](const Attachment& attachment) {
    return attachment.container_id == container_id &&
           (ifname.empty() || attachment.ifname == ifname);
  });
}

}  // namespace weft::cni
