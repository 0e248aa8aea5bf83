// The node's file system.
#pragma once

#include "agent/tail/files.h"

namespace tideover::tail {

class PosixFiles final : public Files {
 public:
  Result<std::vector<std::string>> list(const std::string& directory, std::size_t names_max) override;
  Result<FileInfo> look(const std::string& path) override;
  Result<std::unique_ptr<OpenFile>> open(const std::string& path) override;
};

}  // namespace tideover::tail
