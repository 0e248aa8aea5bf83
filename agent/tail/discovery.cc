#include "agent/tail/discovery.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "agent/tail/survey.h"

namespace tideover::tail {
namespace {

void say(std::string& said, std::string sentence, std::vector<std::string>& notes) {
  if (said == sentence) return;
  said = std::move(sentence);
  notes.push_back(said);
}

}  // namespace

std::optional<Container> parse_container_path(std::string_view path) {
  auto file = parse_pod_path("", fmt::format("/{}/0.log", path));
  return file ? std::optional(std::move(file->container)) : std::nullopt;
}

bool Discovery::refresh(std::int64_t now_ns, std::vector<std::string>& notes) {
  bool changed = refresh_pods(now_ns, notes);
  left_out_ = 0;
  for (auto& [name, pod] : pods_) changed = refresh_pod(name, pod, now_ns, notes) || changed;
  if (left_out_ != 0 && !said_left_out_)
    notes.push_back(
        fmt::format("{} has logs of more than {} containers: those of {} are not read until others are gone",
                    options_.pods_directory, options_.containers_max, left_out_));
  said_left_out_ = left_out_ != 0;
  return changed;
}

// Of each pod's directory only that it is there.
bool Discovery::refresh_pods(std::int64_t now_ns, std::vector<std::string>& notes) {
  const auto info = files_.look(options_.pods_directory);
  // The time of a link says nothing of what it leads to.
  if (info && info->kind == Kind::directory && root_.info && unchanged(*root_.info, *info, root_.looked_ns))
    return false;
  root_.info.reset();
  const auto names = files_.list(options_.pods_directory, options_.names_max);
  const bool gone = !names && names.error().code == Errc::not_found;
  if (!names) say(root_.trouble, names.error().detail, notes);
  if (!names && !gone) return false;
  if (names) root_.trouble.clear();
  if (names && info) root_.info = *info;
  root_.looked_ns = now_ns;
  Pods now;
  for (const std::string& name : gone ? std::vector<std::string>() : *names) {
    if (!parse_container_path(name + "/c")) continue;
    const auto known = pods_.find(name);
    if (known == pods_.end())
      now.emplace(name, Listed());
    else
      now.insert(pods_.extract(known));
  }
  bool changed = false;
  for (const auto& [name, pod] : pods_) changed = remove_all_of(name) || changed;
  pods_ = std::move(now);
  return changed;
}

bool Discovery::refresh_pod(const std::string& name, Listed& pod, std::int64_t now_ns,
                            std::vector<std::string>& notes) {
  const std::string directory = options_.pods_directory + "/" + name;
  const auto info = files_.look(directory);
  if (!info && info.error().code == Errc::not_found) return remove_all_of(name);
  if (info && pod.info && unchanged(*pod.info, *info, pod.looked_ns)) return false;
  pod.info.reset();
  if (info && info->kind != Kind::directory) return remove_all_of(name);  // a link leads anywhere
  const auto names = info ? files_.list(directory, options_.names_max) : info.error();
  if (!names) {
    say(pod.trouble, names.error().detail, notes);
    return false;
  }
  pod.trouble.clear();
  bool changed = false;
  bool whole = true;
  Containers now;
  for (const std::string& container : *names) {
    std::string path = name + "/" + container;
    auto parsed = parse_container_path(path);
    if (!parsed) continue;
    if (const auto known = containers_.find(path); known != containers_.end()) {
      now.insert(containers_.extract(known));
      continue;
    }
    const auto kind = files_.look(directory + "/" + container);
    if (!kind) {
      whole = false;
      if (kind.error().code != Errc::not_found) say(pod.trouble, kind.error().detail, notes);
    }
    if (!kind || kind->kind != Kind::directory) continue;
    if (containers_.size() + now.size() >= options_.containers_max) {
      ++left_out_;
      whole = false;
      continue;
    }
    now.emplace(std::move(path), std::move(*parsed));
    changed = true;
  }
  changed = remove_all_of(name) || changed;
  containers_.merge(now);
  if (whole) pod.info = *info;
  pod.looked_ns = now_ns;
  return changed;
}

bool Discovery::remove_all_of(const std::string& pod) {
  const std::string prefix = pod + "/";
  const auto begin = containers_.lower_bound(prefix);
  auto end = begin;
  while (end != containers_.end() && end->first.starts_with(prefix)) ++end;
  const bool any = begin != end;
  containers_.erase(begin, end);
  return any;
}

}  // namespace tideover::tail
