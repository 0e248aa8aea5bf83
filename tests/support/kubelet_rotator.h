// Kubelet's rotation of one container's log, step by step, as
// kubernetes pkg/kubelet/logs/container_log_manager.go does it: what a compression that was cut off has left
// is removed, the oldest beyond the bound are, all rotated ones are compressed (through .tmp, renamed, the
// plain one removed), the live one gets a name with the node's local time, and the runtime opens a new one.
// Also the runtime: it writes on into the file it has open until it is told.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_files.h"

namespace tideover::tail {

class KubeletRotator {
 public:
  KubeletRotator(FakeFiles& files, std::string directory, std::size_t files_max = 5);

  void write(std::string_view bytes);  // by the runtime
  void restart();                      // of the container: 1.log after 0.log
  void rotate();                       // all of it at once

  // The same in steps, between which an agent may look.
  void begin() { plan(); }
  bool step();  // false when the rotation is over

  std::uint32_t restarts() const { return restart_; }
  std::string live() const { return directory_ + "/" + std::to_string(restart_) + ".log"; }

 private:
  std::vector<std::string> rotated() const;  // of this restart, sorted as kubelet does, by name
  void plan();

  struct Step {
    enum class Does { remove, write_tmp, rename_tmp, remove_plain, rename_live, reopen } does;
    std::string name;
  };
  void perform(const Step& step);

  FakeFiles& files_;
  const std::string directory_;
  const std::size_t files_max_;
  std::uint32_t restart_ = 0;
  std::unique_ptr<FakeFiles::Writer> open_;
  std::vector<Step> steps_;  // last first
};

}  // namespace tideover::tail
