// kube_selection.h: which objects of a collection are wanted, in the words of the API.
//
// A server that is asked by one reader selects by these words itself. Where several readers share a
// stream, each picks its own objects out of it, by the same rules. Pure.
//
// Source: kubernetes.io/docs/concepts/overview/working-with-objects/labels (label selectors);
// k8s.io/apimachinery/pkg/labels (Parse, Requirement.Matches).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/kube_object.h"

namespace weft {

struct KubeSelection {
  /// "app=web,tier in (a,b),!canary": only objects with such labels; empty: all.
  std::string labels = {};
  /// "metadata.name=node-1": only objects with such fields; empty: all.
  std::string fields = {};
  bool operator==(const KubeSelection&) const = default;
};

class KubeSelector {
 public:
  /// Nothing where only a server can tell: fields other than the name, labels as numbers (a>1), and
  /// what makes no sense.
  static std::optional<KubeSelector> parse(const KubeSelection& selection);

  /// An object whose labels cannot be read has none.
  bool matches(const KubeObject& object) const;

 private:
  using Labels = std::map<std::string, std::string, std::less<>>;
  struct Requirement {
    std::string key;
    std::vector<std::string> values = {};  ///< one of them; none: any
    bool negated = false;
  };
  class Parser;
  static Labels labels_of(std::string_view message);
  static bool holds(const Requirement& requirement, const Labels& labels);

  std::vector<Requirement> requirements_;
  std::optional<std::string> name_;
};

}  // namespace weft
