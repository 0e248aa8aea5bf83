// Notices a new file in the store, to strike in the midst of a switch between files.
#pragma once

#include <filesystem>

namespace tideover::crash {

class NewFiles {
 public:
  explicit NewFiles(const std::filesystem::path& directory);
  ~NewFiles();
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;

  // Whether a table, log or manifest was created or renamed since the last call. Does not wait.
  bool any();

 private:
  int fd_;
};

}  // namespace tideover::crash
