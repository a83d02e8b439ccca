// services.h: what an API server fills in when a Service is created: its namespace, its cluster
// addresses and its node ports. Pure.
//
// Chosen in order, from the lowest that is free: a lab that comes up twice is the same twice. The
// first address of a subnet is that of the API's own service and the tenth that of the DNS, as
// kubeadm has it, so neither is given to another that does not ask for it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "lab/lab_file.h"
#include "lab/model.h"

namespace weft::lab {

/// Reads one v1 Service. Whatever makes no sense in it is an Error here: a person wrote it and is
/// there to mend it. `file` names it in errors.
Result<Json> parse_service(const Json& manifest, const std::string& file);

/// The subnets of the file, or a default one a family of the overlay. Fails where one overlaps the
/// pod network or the underlay.
Result<std::vector<Prefix>> plan_service_subnets(const Lab& lab, const LabFile& file);

/// Takes services in, with everything chosen; first comes what the manifests ask for. Fails for a
/// name, an address or a node port that is taken, an address outside the subnets, a family that
/// has no subnet, and a subnet that is full.
Status add_services(Lab& lab, const std::vector<Json>& manifests);

/// Whether a pod is one that the service's selector means.
bool selects(const Service& service, const Pod& pod);

/// The services of a lab, read.
std::vector<Service> services_of(const Lab& lab);

}  // namespace weft::lab
