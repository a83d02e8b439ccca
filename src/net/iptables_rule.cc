#include "net/iptables_rule.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/text.h"

namespace weft {
namespace {

using namespace iptables;

std::string hexadecimal(std::uint32_t value) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

std::string address_and_port(const DestinationNat& nat) {
  const std::string address = nat.address.to_string();
  return (nat.address.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(nat.port);
}

struct State {
  std::uint32_t bit;
  std::string_view name;
};
// In the order in which iptables prints them.
constexpr std::array kStates{
    State{nft::ct_state::kInvalid, "INVALID"}, State{nft::ct_state::kNew, "NEW"},
    State{nft::ct_state::kRelated, "RELATED"}, State{nft::ct_state::kEstablished, "ESTABLISHED"}};

const char* inversion(bool inverted) {
  return inverted ? "! " : "";
}

struct MatchWords {
  std::string protocol;  // that of the rule

  std::string operator()(const Comment& comment) const {
    return "-m comment --comment " + quoted(comment.text);
  }
  std::string operator()(const ConnectionState& state) const {
    std::string names;
    for (const State& one : kStates)
      if ((state.any_of & one.bit) != 0)
        names += (names.empty() ? "" : ",") + std::string(one.name);
    return "-m conntrack " + std::string(inversion(state.inverted)) + "--ctstate " + names;
  }
  std::string operator()(const LocalAddress& local) const {
    return "-m addrtype " + std::string(inversion(local.inverted)) +
           (local.source ? "--src-type LOCAL" : "--dst-type LOCAL");
  }
  std::string operator()(const DestinationPort& port) const {
    return "-m " + protocol + " --dport " + std::to_string(port.port);
  }
  std::string operator()(const DestinationPorts& ports) const {
    std::string text;
    for (const std::uint16_t port : ports.ports)
      text += (text.empty() ? "" : ",") + std::to_string(port);
    return "-m multiport --dports " + text;
  }
  std::string operator()(const MarkTest& mark) const {
    std::string text = "-m mark " + std::string(inversion(mark.inverted)) + "--mark ";
    text += hexadecimal(mark.value);
    if (mark.mask != nft::RuleWriter::kWholeMark) text += "/" + hexadecimal(mark.mask);
    return text;
  }
  std::string operator()(const Words& words) const { return words.text; }
};

struct TargetWords {
  std::string operator()(const Jump& jump) const { return jump.to.empty() ? "" : "-j " + jump.to; }
  std::string operator()(const SetMark& mark) const {
    return "-j MARK --set-xmark " + hexadecimal(mark.value) + "/" + hexadecimal(mark.mask);
  }
  std::string operator()(const DestinationNat& nat) const {
    return "-j DNAT --to-destination " + address_and_port(nat);
  }
  std::string operator()(const iptables::Masquerade&) const { return "-j MASQUERADE"; }
};

// --- conditions --------------------------------------------------------------------------------

bool is_any(std::string_view word, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), word) != names.end();
}

// Takes conditions from the front of a list of words, into a rule.
class Conditions {
 public:
  Conditions(IptablesRule& rule, const std::vector<std::string>& words)
      : rule_(rule), words_(words) {}

  /// False when a word is not known; the rule is then of no use.
  bool read() {
    while (next_ < words_.size())
      if (!read_one()) return false;
    return true;
  }

 private:
  const std::string* take() { return next_ < words_.size() ? &words_[next_++] : nullptr; }

  bool read_one() {
    bool inverted = false;
    const std::string* option = take();
    if (*option == "!") {
      inverted = true;
      option = take();
    }
    const std::string* value = take();
    if (option == nullptr || value == nullptr) return false;
    // The match is named by its option as well.
    if (is_any(*option, {"-m", "--match"}))
      return !inverted && is_any(*value, {"comment", "conntrack", "addrtype", "mark"});
    if (is_any(*option, {"-s", "--source", "--src"}))
      return address(rule_.source, *value, inverted);
    if (is_any(*option, {"-d", "--destination", "--dst"}))
      return address(rule_.destination, *value, inverted);
    if (is_any(*option, {"-i", "--in-interface"})) return link(rule_.incoming, *value, inverted);
    if (is_any(*option, {"-o", "--out-interface"})) return link(rule_.outgoing, *value, inverted);
    return match(*option, *value, inverted);
  }

  static bool address(std::optional<AddressTest>& test, const std::string& text, bool inverted) {
    const auto single = IpAddress::parse(text);
    const auto prefix = single ? std::optional(Prefix::host(*single)) : Prefix::parse(text);
    if (!prefix || test) return false;
    test = AddressTest{*prefix, inverted};
    return true;
  }

  static bool link(std::optional<LinkTest>& test, const std::string& name, bool inverted) {
    constexpr std::size_t kLongest = 15;
    if (name.empty() || name.size() > kLongest || test) return false;
    test = LinkTest{name, inverted};
    return true;
  }

  bool match(const std::string& option, const std::string& value, bool inverted) {
    if (option == "--comment" && !inverted) {
      rule_.matches.emplace_back(Comment{value});
    } else if ((option == "--dst-type" || option == "--src-type") && value == "LOCAL") {
      rule_.matches.emplace_back(LocalAddress{option == "--src-type", inverted});
    } else if (option == "--ctstate") {
      return states(value, inverted);
    } else if (option == "--mark") {
      return mark(value, inverted);
    } else {
      return false;
    }
    return true;
  }

  bool states(const std::string& value, bool inverted) {
    ConnectionState wanted{.inverted = inverted};
    for (const auto& name : split(value, ',')) {
      const auto* known = std::find_if(kStates.begin(), kStates.end(),
                                       [&](const State& state) { return state.name == name; });
      if (known == kStates.end()) return false;
      wanted.any_of |= known->bit;
    }
    rule_.matches.emplace_back(wanted);
    return true;
  }

  static std::optional<std::uint32_t> number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x")) {
      text.remove_prefix(2);
      base = 16;
    }
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
  bool mark(const std::string& value, bool inverted) {
    const std::size_t slash = value.find('/');
    const auto wanted = number(std::string_view(value).substr(0, slash));
    const auto mask = slash == std::string::npos
                          ? std::optional(nft::RuleWriter::kWholeMark)
                          : number(std::string_view(value).substr(slash + 1));
    if (!wanted || !mask) return false;
    rule_.matches.emplace_back(MarkTest{*wanted, *mask, inverted});
    return true;
  }

  IptablesRule& rule_;
  const std::vector<std::string>& words_;
  std::size_t next_ = 0;
};

}  // namespace

std::string IptablesRule::words() const {
  std::string text;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : " ") + part;
  };
  const auto address = [&](const std::optional<AddressTest>& test, const char* option) {
    // One for any address is none.
    if (test && (test->inverted || !test->prefix.is_default()))
      add(inversion(test->inverted) + std::string(option) + test->prefix.to_string());
  };
  const auto link = [&](const std::optional<LinkTest>& test, const char* option) {
    if (test) add(inversion(test->inverted) + std::string(option) + test->name);
  };
  address(source, "-s ");
  address(destination, "-d ");
  link(incoming, "-i ");
  link(outgoing, "-o ");
  const std::string name = protocol ? std::string(iptables::to_string(*protocol)) : "";
  if (protocol) add("-p " + name);
  for (const Match& match : matches) add(std::visit(MatchWords{name}, match));
  add(std::visit(TargetWords{}, target));
  return text;
}

bool IptablesRule::is_understood() const {
  return std::none_of(matches.begin(), matches.end(),
                      [](const Match& match) { return std::holds_alternative<Words>(match); });
}

namespace iptables {

void add_conditions(IptablesRule& rule, const std::vector<std::string>& words) {
  IptablesRule understood = rule;
  if (Conditions(understood, words).read()) {
    rule = std::move(understood);
    return;
  }
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + quoted(word);
  rule.matches.emplace_back(Words{std::move(text)});
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kPlain =
      "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (text.find_first_not_of(kPlain) == std::string_view::npos && !text.empty())
    return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '\'') result += '\\';
    result += c;
  }
  return result + '"';
}

std::optional<nft::L4Protocol> parse_protocol(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto protocol : {nft::L4Protocol::kTcp, nft::L4Protocol::kUdp, nft::L4Protocol::kSctp})
    if (lower == to_string(protocol)) return protocol;
  return std::nullopt;
}

std::string_view to_string(nft::L4Protocol protocol) {
  switch (protocol) {
    case nft::L4Protocol::kTcp:
      return "tcp";
    case nft::L4Protocol::kUdp:
      return "udp";
    case nft::L4Protocol::kSctp:
      return "sctp";
  }
  return "";
}

std::string_view jump_of(std::string_view words) {
  // Nothing stands behind the name of a chain; behind a target its own options do.
  const std::size_t at = words.rfind(' ');
  if (at == std::string_view::npos || !words.substr(0, at).ends_with("-j")) return "";
  return words.substr(at + 1);
}

}  // namespace iptables

}  // namespace weft
