#include "tests/support/kubelet_rotator.h"

#include <algorithm>
#include <ctime>
#include <fmt/chrono.h>

#include "tests/support/gzip.h"

namespace tideover::tail {

KubeletRotator::KubeletRotator(FakeFiles& files, std::string directory, std::size_t files_max)
    : files_(files), directory_(std::move(directory)), files_max_(files_max) {
  files_.make_directories(directory_);
  open_ = files_.writer(live());
}

void KubeletRotator::write(std::string_view bytes) { open_->write(bytes); }

void KubeletRotator::restart() {
  while (step()) {
  }
  ++restart_;
  open_ = files_.writer(live());
}

std::vector<std::string> KubeletRotator::rotated() const {
  std::vector<std::string> names;
  const std::string prefix = std::to_string(restart_) + ".log.";
  const std::vector<std::string> all = files_.list(directory_, SIZE_MAX).value();
  for (const std::string& name : all)
    if (name.starts_with(prefix)) names.push_back(directory_ + "/" + name);
  return names;
}

void KubeletRotator::plan() {
  using Does = Step::Does;
  std::vector<Step> steps;
  std::vector<std::string> names = rotated();
  const std::size_t kept = files_max_ - 2;
  const std::size_t excess = names.size() > kept ? names.size() - kept : 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i < excess) {
      steps.push_back({Does::remove, names[i]});
    } else if (!names[i].ends_with(".gz")) {
      steps.push_back({Does::write_tmp, names[i]});
      steps.push_back({Does::rename_tmp, names[i]});
      steps.push_back({Does::remove_plain, names[i]});
    }
  }
  const auto local = static_cast<std::time_t>(files_.now() / 1'000'000'000);
  steps.push_back({Does::rename_live, fmt::format("{}.{:%Y%m%d-%H%M%S}", live(), fmt::gmtime(local))});
  steps.push_back({Does::reopen, live()});
  std::ranges::reverse(steps);
  steps_ = std::move(steps);
}

bool KubeletRotator::step() {
  if (steps_.empty()) return false;
  const Step next = steps_.back();
  steps_.pop_back();
  perform(next);
  return !steps_.empty();
}

void KubeletRotator::rotate() {
  if (steps_.empty()) plan();
  while (step()) {
  }
}

void KubeletRotator::perform(const Step& step) {
  switch (step.does) {
    case Step::Does::remove:
    case Step::Does::remove_plain: return files_.remove(step.name);
    case Step::Does::write_tmp: return files_.append(step.name + ".tmp", gzip(files_.content(step.name)));
    case Step::Does::rename_tmp: return files_.rename(step.name + ".tmp", step.name + ".gz");
    case Step::Does::rename_live: return files_.rename(step.name.substr(0, step.name.rfind('.')), step.name);
    case Step::Does::reopen: open_ = files_.writer(step.name); return;
  }
}

}  // namespace tideover::tail
