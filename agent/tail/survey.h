// What lies in a chain's directory now: its members in order, with what they begin with.
//
// To look again costs a directory and its files, so it is done when the directory has changed, or when it
// changed so lately that a further change might not show in its time.
// Executor: the one of whoever reads logs; every verb blocks.
#pragma once

#include <string>
#include <vector>

#include "agent/tail/chain.h"
#include "agent/tail/files.h"

namespace tideover::tail {

// Of a directory, or a file that is only appended to: nothing has come since it was `known`, at `looked_ns`.
bool unchanged(const FileInfo& known, const FileInfo& now, std::int64_t looked_ns);

class Survey {
 public:
  // `files` and `chain` outlive it.
  Survey(Files& files, const Chain& chain, std::size_t names_max)
      : files_(files), chain_(chain), names_max_(names_max) {}

  // False: nothing has come, gone or been renamed since the last refresh(), whose members() still stand.
  bool outdated();
  // Looks at everything; `at` is compared with what stands before it in each file. Members that cannot be
  // read are left out, with a sentence in `notes`. Errors: not_found when the directory is gone; otherwise
  // what makes it worthless, until the next try.
  Result<> refresh(const Position* at, std::int64_t now_ns, std::vector<std::string>& notes);
  const std::vector<Member>& members() const { return members_; }

 private:
  Result<bool> look_at(Member& member, const Position* at);

  Files& files_;
  const Chain& chain_;
  const std::size_t names_max_;
  std::vector<Member> members_;
  bool known_ = false;
  FileInfo directory_;
  std::int64_t looked_ns_ = 0;
};

}  // namespace tideover::tail
