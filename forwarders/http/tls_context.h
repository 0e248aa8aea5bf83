// TLS for outgoing connections, from files that are read again when they change.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "forwarders/http/credentials.h"
#include "forwarders/http/watched_file.h"

namespace boost::asio::ssl {
class context;
}

namespace tideover::http {

struct TlsOptions {
  std::string ca_file;    // PEM, one or more; empty: the system's authorities
  std::string cert_file;  // PEM chain of the client; with key_file, or neither
  std::string key_file;
  std::string server_name;  // to verify and to ask for; empty: the host of the URL
};

class TlsContext {
 public:
  TlsContext(const TlsOptions& options, Clock& clock, Warn warn);  // `clock` outlives

  // For a new connection; TLS 1.2 or newer, the peer verified. Looks at the files at most once a second.
  // While they cannot be used (one is unreadable, a key does not fit its certificate) the last good context
  // stays in use; without one, an error that names the file.
  Result<std::shared_ptr<boost::asio::ssl::context>> current();

  // Grows with every change: connections made before are of the past.
  std::uint64_t generation() const { return generation_; }

 private:
  Result<> reload();

  Clock& clock_;
  Warn warn_;
  WatchedFile ca_;
  WatchedFile cert_;
  WatchedFile key_;
  Time next_look_ = Time::min();
  bool pending_ = true;  // read, and not in use yet
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::uint64_t generation_ = 0;
  std::string problem_;  // as last told
};

}  // namespace tideover::http
