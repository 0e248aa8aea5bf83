// Operating errors are values.
//
// `Errc` is the closed set on which code decides; `detail` is the sentence that a person reads and that code
// never parses.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace tideover {

enum class Errc {
  over_budget,      // the lane's byte budget is used up by records that a required destination still needs
  disk_floor,       // the file system has less free space than the operator wants kept
  disk_full,        // the operating system said ENOSPC or EDQUOT
  io_error,         // the operating system said EIO, or a sync failed
  store_busy,       // another process holds the directory
  store_refused,    // wrong owner, mode, or a format written by a newer version
  corrupt,          // bytes on disk do not match their checksum
  unavailable,      // the store is being reopened after a fault; try again
  stopping,         // the agent is shutting down
  bad_input,        // bytes from outside do not follow their format
  too_large,        // a limit of limits.h was exceeded
  timeout,          // a deadline passed
  connect_failed,   // no connection: refused, unreachable, name not resolved, TLS handshake failed
  connection_lost,  // an open connection broke; whether the peer acted is not known
  not_found,
};

std::string_view to_string(Errc code);

struct Error {
  Errc code;
  std::string detail;
};

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

template <class T = void>
using Result = boost::system::result<T, Error>;

inline Error fail(Errc code, std::string detail) { return Error{code, std::move(detail)}; }

}  // namespace tideover
