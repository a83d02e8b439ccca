// iptables_model.h: tables of iptables in memory, which take inputs of iptables-restore --noflush
// as the program does, and refuse what it refuses.
#pragma once

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "base/text.h"
#include "net/iptables.h"
#include "net/iptables_rule.h"

namespace weft::test {

class IptablesModel {
 public:
  IptablesModel() {
    for (const char* name : {"INPUT", "FORWARD", "OUTPUT"})
      tables_["filter"].chains[name].policy = "ACCEPT";
    for (const char* name : {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"})
      tables_["nat"].chains[name].policy = "ACCEPT";
  }

  const IptablesTables& tables() const { return tables_; }
  IptablesChain& chain(const std::string& table, const std::string& name) {
    return tables_.at(table).chains.at(name);
  }

  /// A failure of the test where iptables-restore would fail.
  void restore(const std::string& script) {
    std::string open;
    for (const auto& line : split(script, '\n')) {
      if (line.empty()) continue;
      SCOPED_TRACE(line);
      if (line[0] == '*') {
        open = line.substr(1);
      } else if (line == "COMMIT") {
        open.clear();
      } else {
        ASSERT_FALSE(open.empty()) << "outside a table";
        command(tables_[open], line);
      }
    }
    EXPECT_TRUE(open.empty()) << "no COMMIT";
  }

 private:
  static std::string target_of(const std::string& rule) {
    return std::string(iptables::jump_of(rule));
  }
  static bool is_chain(const std::string& target) {
    return target.starts_with("KUBE-") || target.starts_with("CNI-") || target == "OTHER";
  }

  static void command(IptablesTable& table, const std::string& line) {
    if (line[0] == ':') {
      table.chains[line.substr(1, line.find(' ') - 1)].rules.clear();
      return;
    }
    const std::string option = line.substr(0, 2);
    const std::string rest = line.substr(3);
    const std::string name = rest.substr(0, rest.find(' '));
    const auto found = table.chains.find(name);
    ASSERT_NE(found, table.chains.end()) << "no such chain";
    auto& rules = found->second.rules;
    if (option == "-X") {
      EXPECT_TRUE(rules.empty()) << "not empty";
      for (const auto& [other, contents] : table.chains)
        for (const auto& rule : contents.rules) EXPECT_NE(target_of(rule), name) << "in use";
      table.chains.erase(found);
      return;
    }
    const std::string rule = rest.substr(name.size() + 1);
    const std::string target = target_of(rule);
    EXPECT_TRUE(!is_chain(target) || table.chains.contains(target)) << "leads nowhere";
    if (option == "-A") {
      rules.push_back(rule);
    } else if (option == "-I") {
      rules.insert(rules.begin(), rule);
    } else {
      ASSERT_EQ(option, "-D");
      const auto place = std::find(rules.begin(), rules.end(), rule);
      ASSERT_NE(place, rules.end()) << "no such rule";
      rules.erase(place);
    }
  }

  IptablesTables tables_;
};

}  // namespace weft::test
