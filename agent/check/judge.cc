#include "agent/check/judge.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "agent/check/human.h"
#include "agent/check/memory_plan.h"
#include "wal/limits.h"

namespace tideover::check {
namespace {

using config::print;

constexpr std::int64_t kUnix2024 = 1'704'067'200;  // older than every build of this program
constexpr std::int64_t kUnix2100 = 4'102'444'800;

std::string subject_of(const config::Destination& destination, const char* key) {
  return fmt::format("destination {}: {}", destination.name, key);
}

Level level_of(Use use) { return use == Use::no ? Level::error : Level::ok; }

Finding judge_budget(const char* subject, std::uint64_t promised, const DiskFacts& facts,
                     std::uint64_t floor) {
  const std::uint64_t usable = facts.free_bytes > floor ? facts.free_bytes - floor : 0;
  if (promised > facts.size_bytes - floor)
    return {Level::error, subject,
            fmt::format("{} can never fit: the file system has {}, of which {} are to be left free",
                        human_bytes(promised), human_bytes(facts.size_bytes), human_bytes(floor))};
  if (promised > usable)
    return {Level::warning, subject,
            fmt::format("{} are promised to the buffer, and {} are available now above the floor",
                        human_bytes(promised), human_bytes(usable))};
  return {Level::ok, subject,
          fmt::format("{} for the buffer, {} available", human_bytes(promised), human_bytes(usable))};
}

}  // namespace

Finding judge_directory(const std::string& path, const DirectoryFacts& facts) {
  Judgement judged = judge_home(path, facts);
  if (judged.use == Use::as_it_is && facts.owner != facts.user && facts.user == 0)
    return {Level::warning, "data_dir",
            fmt::format("{} belongs to user {}: run this check as the user that runs the agent", path,
                        facts.owner)};
  return {level_of(judged.use), "data_dir", std::move(judged.sentence)};
}

Finding judge_store_directory(const std::string& path, const DirectoryFacts& facts) {
  Judgement judged = judge_store(path, facts);
  return {level_of(judged.use), "data_dir", std::move(judged.sentence)};
}

Finding judge_lock(const std::string& data_dir, const std::optional<std::string>& holder) {
  if (!holder) return {Level::ok, "data_dir", "nobody uses it"};
  return {
      Level::error, "data_dir",
      fmt::format("{} is in use by {}, which does not answer at its admin.sock: two agents cannot share a "
                  "directory; stop that one, or name another directory",
                  data_dir, *holder)};
}

Finding judge_socket(const std::string& path, AtSocket what) {
  switch (what) {
    case AtSocket::nothing:
    case AtSocket::left_behind: break;
    case AtSocket::in_use:
      return {Level::error, "data_dir",
              fmt::format("a process that is no agent listens at {}: end it", path)};
    case AtSocket::no_socket:
      return {
          Level::error, "data_dir",
          fmt::format("{} is no socket: move it away, that is where the operators' socket belongs", path)};
  }
  return {Level::ok, "data_dir", fmt::format("{} is free", path)};
}

Findings judge_disk(const config::Config& config, const std::optional<DiskFacts>& facts, bool kubernetes) {
  if (!facts)
    return {
        {Level::error, "disk", fmt::format("the file system of {} cannot be looked at", config.data_dir)}};
  Findings findings;
  const config::KeepFree keep_free = config::keep_free(config.disk, kubernetes);
  const std::uint64_t floor = keep_free.of({facts->size_bytes});
  const std::string state = fmt::format(
      "{} of {} free, {} ({}) to be left free", human_bytes(facts->free_bytes),
      human_bytes(facts->size_bytes), human_bytes(floor),
      keep_free.most.bytes == floor ? "the most that is kept beside Kubernetes" : print(keep_free.share));
  if (facts->free_bytes < floor)
    findings.push_back(
        {Level::warning, "disk.keep_free",
         fmt::format(
             "{}: samples flow while their receiver takes them, and when it is away only {} of them are "
             "taken: free some space, or keep less free",
             state, human_bytes(wal::SignalLimits().flow_bytes))});
  else
    findings.push_back({Level::ok, "disk.keep_free", state});
  std::uint64_t promised = 0;  // to all signals up to this one: they share the file system
  const auto judge = [&](const char* subject, const std::optional<config::Size>& written, config::Size most) {
    promised += written.value_or(config::default_max_bytes({facts->size_bytes}, most)).bytes;
    findings.push_back(judge_budget(subject, promised, *facts, floor));
  };
  if (config.metrics) judge("metrics.max_bytes", config.metrics->max_bytes, config::kMostForMetrics);
  if (config.logs) judge("logs.max_bytes", config.logs->max_bytes, config::kMostForLogs);
  return findings;
}

Finding judge_clock(const ClockFacts& facts) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(facts.now.time_since_epoch()).count();
  const std::string now =
      fmt::format("it is {:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(seconds)));
  if (seconds < kUnix2024 || seconds > kUnix2100)
    return {Level::error, "clock", now + ": set the clock of the node"};
  if (facts.synchronised == false)
    return {
        Level::warning, "clock",
        now + ", and the kernel says that nothing synchronises it: receivers refuse samples from the future"};
  return {Level::ok, "clock", now};
}

Finding judge_memory(const config::Config& config, std::optional<std::uint64_t> cgroup_limit,
                     std::size_t listeners) {
  const char* subject = "memory.limit";
  const auto planned = config.memory.limit ? std::optional(config.memory.limit->bytes) : cgroup_limit;
  if (config.memory.limit && cgroup_limit && config.memory.limit->bytes > *cgroup_limit)
    return {
        Level::error, subject,
        fmt::format("{} is above the cgroup's limit of {}: the kernel would end the agent before it notices",
                    human_bytes(config.memory.limit->bytes), human_bytes(*cgroup_limit))};
  const std::string less = shortfall(plan_memory(config, cgroup_limit.value_or(0), listeners));
  if (planned && *planned < kPromisedMemoryBytes)
    return {Level::warning, subject,
            fmt::format("{} is less than the {} that the agent may need in an outage: {}",
                        human_bytes(*planned), human_bytes(kPromisedMemoryBytes), less)};
  if (!less.empty()) return {Level::warning, subject, fmt::format("{} addresses: {}", listeners, less)};
  if (!planned) return {Level::ok, subject, "neither the configuration nor the cgroup sets a limit"};
  return {Level::ok, subject,
          fmt::format("{}, of which the agent needs at most {}", human_bytes(*planned),
                      human_bytes(kPromisedMemoryBytes))};
}

Finding judge_file(const std::string& subject, const std::string& path, const FileFacts& facts,
                   Secrecy secrecy) {
  if (!facts.exists) return {Level::error, subject, path + " does not exist"};
  if (!facts.is_file) return {Level::error, subject, path + " is not a file"};
  if (!facts.readable) return {Level::error, subject, path + " cannot be read by this user"};
  if (facts.empty) return {Level::error, subject, path + " is empty"};
  if (secrecy == Secrecy::secret && (facts.mode & 07) != 0)
    return {Level::warning, subject,
            fmt::format("{0} is open to every user (mode {1:04o}): run `chmod o-rwx {0}`, or set defaultMode "
                        "0440 of the mounted secret",
                        path, facts.mode)};
  return {Level::ok, subject, fmt::format("{} is readable, mode {:04o}", path, facts.mode)};
}

Finding judge_logs(const std::string& path, const std::string& trouble) {
  if (trouble.empty()) return {Level::ok, "logs.files", path + " can be read"};
  return {
      Level::warning, "logs.files",
      fmt::format("{} cannot be listed ({}): nothing is read there until it can, and what is rotated away "
                  "meanwhile is missed",
                  path, trouble)};
}

Finding judge_path(const config::Named& named) {
  const bool lines = named.signal == "logs";
  return {Level::warning, subject_of(*named.destination, "url"),
          fmt::format("{} has no path, and {} are sent to \"/\": {}; write a \"/\" behind it if it is meant",
                      print(named.destination->url), lines ? "lines" : "samples",
                      lines ? "Loki takes them at /loki/api/v1/push"
                            : "Thanos Receive takes them at /api/v1/receive, Prometheus at /api/v1/write")};
}

config::Milliseconds window_needed(config::Milliseconds guarantee) {
  // The newest samples of an outage wait while the oldest are replayed; a quarter of the outage is ample for
  // that.
  const auto needed = guarantee + guarantee / 4;
  return std::chrono::ceil<std::chrono::duration<std::int64_t, std::ratio<1800>>>(needed);
}

Finding judge_window(const config::Destination& destination, config::Milliseconds guarantee) {
  const std::string subject = subject_of(destination, "out_of_order_window");
  const auto needed = window_needed(guarantee);
  const auto declared = destination.out_of_order_window;
  if (declared && *declared >= needed)
    return {Level::ok, subject,
            fmt::format("{} holds an outage of {} and its replay", print(*declared), print(guarantee))};
  const std::string cure = fmt::format(
      "start Thanos Receive with --tsdb.out-of-order.time-window={0} and its compactor with "
      "--compact.enable-vertical-compaction "
      "(it halts on overlapping blocks otherwise), then write out_of_order_window: {0} here",
      print(needed));
  if (!declared)
    return {Level::warning, subject,
            fmt::format("is not declared: a receiver without such a window refuses samples more than an hour "
                        "old, and they are parked "
                        "here; {}",
                        cure)};
  return {
      Level::warning, subject,
      fmt::format(
          "{} is less than the guarantee of {} and its replay take: older samples would be parked here; {}",
          print(*declared), print(guarantee), cure)};
}

Findings judge_cursors(const config::Config& config, const std::vector<std::string>& cursors) {
  Findings findings;
  const std::vector<config::Named> destinations = config::destinations_of(config);
  for (const auto& cursor : cursors) {
    const bool named = std::ranges::any_of(
        destinations, [&](const config::Named& one) { return one.destination->name == cursor; });
    if (!named)
      findings.push_back({Level::warning, "destination " + cursor,
                          "is no longer in the configuration, and the buffer keeps its place, as best "
                          "effort, until an operator "
                          "drops it"});
  }
  return findings;
}

}  // namespace tideover::check
