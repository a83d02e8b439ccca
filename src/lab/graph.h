// graph.h: draws a lab as it is: segments, nodes, pods, subnets and tunnels. Pure.
#pragma once

#include <string>

#include "lab/view.h"

namespace weft::lab {

/// A tree of lines for a terminal, in ASCII.
std::string draw_text(const LabView& view);

/// One self-contained SVG document.
std::string draw_svg(const LabView& view);

}  // namespace weft::lab
