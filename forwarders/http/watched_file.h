// A small file that others replace while we run: a certificate, a key, a token.
#pragma once

#include <string>
#include <sys/types.h>

#include "wal/base/result.h"

namespace tideover::http {

class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  // Blocking: looks, and reads it if time, size or inode differ from the last look; true when it was read
  // anew. After an error the content stays as it was, and the next call tries again.
  Result<bool> refresh();

  bool named() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  const std::string& content() const { return content_; }

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;
    long long changed_ns = 0;
    bool operator==(const Identity&) const = default;
  };

  std::string path_;
  Identity identity_;
  std::string content_;
};

}  // namespace tideover::http
