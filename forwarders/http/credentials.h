// The Authorization field, from files that are read again when they change.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "forwarders/http/watched_file.h"
#include "wal/base/clock.h"
#include "wal/base/result.h"

namespace tideover::http {

using Warn = std::function<void(std::string_view sentence)>;  // never told a secret

struct AuthOptions {  // at most one of the two
  std::string bearer_file;
  std::string username;
  std::string password_file;
};

class Credentials {
 public:
  Credentials(const AuthOptions& options, Clock& clock, Warn warn);  // `clock` outlives

  // The value of the field; empty when none is configured. Looks at the file at most once a second. While it
  // cannot be used the last good value stays in use; without one, an error that names the file.
  Result<std::string> authorization();

 private:
  Result<> reload();

  const std::string username_;
  Clock& clock_;
  Warn warn_;
  WatchedFile file_;
  Time next_look_ = Time::min();
  bool pending_ = true;  // read, and not in use yet
  std::string value_;
  std::string problem_;  // as last told
};

}  // namespace tideover::http
