// The data directory as the operating system sees it, and whether an agent can live there: what `check` says
// of it is what the agent does at its start.
//
// The directory itself may be another's, as a volume's root is, so long as nobody can take from us what lies
// in it; what is in it is ours alone. A directory of ours that was opened, as kubelet opens volumes for a
// pod's fsGroup before every start, is closed again.
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

namespace tideover {

struct DirectoryFacts {
  bool exists = false;
  bool is_directory = false;
  uid_t owner = 0;
  mode_t mode = 0;
  uid_t user = 0;             // who asks
  bool writable = false;      // by who asks; of a missing directory: of its nearest parent
  bool kernels = false;       // on a file system of the kernel's own, which keeps no files
  std::string stranger = {};  // the first entry that is none of the agent's
  std::string parent = {};    // the nearest parent that exists, of a missing directory
  std::string error = {};     // the system's words, when it cannot be looked at
};
DirectoryFacts look_at_directory(const std::string& path);        // Blocking; changes nothing
std::filesystem::path nearest_existing(const std::string& path);  // Blocking: itself, or a parent

enum class Use {
  as_it_is,
  create,
  narrow,  // ours, and open to others: it is closed
  no,
};
struct Judgement {
  Use use = Use::no;
  std::string sentence;  // what it is, or why not and what to do
};

// Pure.
Judgement judge_home(const std::string& path, const DirectoryFacts& facts);
Judgement judge_store(const std::string& path, const DirectoryFacts& facts);  // below it: nobody else's

}  // namespace tideover
