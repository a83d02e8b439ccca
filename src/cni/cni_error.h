// cni_error.h: a failure as the CNI protocol tells it: a code, a message, details.
//
// Source: CNI SPEC.md 1.1.0, "Error"; containernetworking/cni pkg/types (codes 8 and 999).
#pragma once

#include <string>

#include "base/result.h"

namespace weft::cni {

/// 1-99 belong to the protocol, 100 and up to each plugin: a delegate's code is handed on as
/// it is, also one that has no name here.
enum class Code : int {
  kIncompatibleVersion = 1,
  kUnsupportedField = 2,
  kUnknownContainer = 3,
  kInvalidEnvironment = 4,
  kIoFailure = 5,
  kDecodingFailure = 6,
  kInvalidNetworkConfig = 7,
  kInvalidNetns = 8,
  kTryAgainLater = 11,
  kNotAvailable = 50,         ///< STATUS: an ADD would fail
  kLimitedConnectivity = 51,  ///< STATUS: and running containers may suffer
  kInternal = 999,
};

struct CniError {
  CniError(Code c, std::string text, std::string more = {})
      : code(c), message(std::move(text)), details(std::move(more)) {}
  /// A failure below the protocol: kInternal, with the next step as details.
  CniError(const Error& error) : CniError(Code::kInternal, error.what, error.next) {}  // NOLINT

  Code code;
  std::string message;
  std::string details;
};

template <class T>
using CniResult = tl::expected<T, CniError>;
using CniStatus = CniResult<void>;
using CniFailure = tl::unexpected<CniError>;

inline CniFailure refuse(Code code, std::string message, std::string details = {}) {
  return CniFailure(CniError(code, std::move(message), std::move(details)));
}
/// kInternal: what the Go plugins answer for everything that has no code of its own.
inline CniFailure refuse(std::string message) {
  return refuse(Code::kInternal, std::move(message));
}
/// The same failure with one clause in front: "CLAUSE: MESSAGE".
inline CniFailure because(const std::string& clause, CniError error) {
  error.message = clause + ": " + error.message;
  return CniFailure(std::move(error));
}

/// The system's words for an errno as Go prints them: container runtimes compare them.
std::string go_words(int number);
/// A text between double quotes, as Go's %q prints it.
std::string in_quotes(std::string_view text);

}  // namespace weft::cni
