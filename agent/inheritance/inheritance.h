// What one image of the process leaves to the next when it restarts in place: the configuration that was
// found valid, and every socket on which somebody may be waiting.
//
// It travels in an anonymous file; an environment variable says which descriptor that is. Both name the
// process, so that a child of another process that happens to see them takes nothing for its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "agent/server/sockets.h"
#include "wal/base/result.h"

namespace tideover {

struct Inheritance {
  std::string config;  // the file's text: what lies on disk may have changed since it was judged
  std::vector<server::Sockets> sockets;

  // The sockets left under that address; without a listener when there are none.
  server::Sockets take(std::string_view address);
};

// Closes what nobody took.
void close_inheritance(Inheritance& inheritance);

// The text of the anonymous file, and back. Pure.
std::string write_inheritance(const Inheritance& inheritance, pid_t process);
std::optional<Inheritance> read_inheritance(std::string_view text, pid_t process);

// Readies the process for execv(): of all descriptors above standard error only those of `inheritance` stay
// open. Errors: io_error; nothing has changed then.
Result<> bequeath(const Inheritance& inheritance);

// What the image before this one left; absent at an ordinary start. A second call finds nothing.
std::optional<Inheritance> inherit();

}  // namespace tideover
