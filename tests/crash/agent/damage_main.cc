// crash-damage: flips a byte, cuts, empties or removes a file, or makes a page or all of it unreadable, for
// every kind of file of the shipped agent's store, starts the agent on it, and lays what is missing beside
// what the agent says is missing.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <iostream>
#include <random>
#include <set>
#include <unistd.h>

#include "tests/crash/agent/damage.h"
#include "tests/crash/disk/bad_sectors.h"

namespace {

namespace fs = std::filesystem;
using namespace tideover::crash;

struct Options {
  fs::path binary, disk;
  fs::path directory = "/var/tmp";
  std::uint64_t seed = 1;
  std::uint64_t requests = 600;
  int flips = 3;
  std::string only;  // part of a file's name
  bool keep = false;
};

std::string kind_of(const std::string& name) {
  if (name.ends_with(".sst")) return "*.sst";
  if (name.ends_with(".log")) return "*.log";
  const auto dash = name.find('-');
  return dash == std::string::npos ? name : name.substr(0, dash) + "-*";
}

// All places of small files' ends, some in between; tables also in footer, index and properties.
std::vector<Trial> trials_for(const std::string& name, std::uint64_t size, const Options& options,
                              std::mt19937_64& random) {
  std::vector<Trial> trials{{name, Harm::remove, 0}};
  if (size == 0) return trials;
  trials.push_back({name, Harm::empty, 0});
  trials.push_back({name, Harm::cut, size / 2});
  trials.push_back({name, Harm::cut, size - 1});
  std::set<std::uint64_t> places{0, size - 1};
  if (name.ends_with(".sst"))
    for (const std::uint64_t back : {10U, 30U, 45U, 80U, 400U, 900U})
      if (back < size) places.insert(size - back);
  // The newest log's last group: nothing behind it says that it was whole.
  if (name.ends_with(".log"))
    for (const std::uint64_t back : {20U, 200U, 1500U})
      if (back < size) places.insert(size - back);
  for (int i = 0; i < options.flips; ++i) places.insert(random() % size);
  for (const std::uint64_t at : places) trials.push_back({name, Harm::flip, at});
  if (options.disk.empty()) return trials;
  std::set<std::uint64_t> pages;
  for (const std::uint64_t at : places) pages.insert(at / tideover::disk::kPage * tideover::disk::kPage);
  for (const std::uint64_t page : pages)
    for (const Harm harm : {Harm::unreadable, Harm::unreadable_a_while}) trials.push_back({name, harm, page});
  trials.push_back({name, Harm::unreadable_whole, 0});
  return trials;
}

bool may_lose(const std::string& kind) { return kind == "*.sst" || kind == "*.log"; }

// What docs/WAL_FORMAT.md promises.
std::string broken_promise(const Trial& trial, const Verdict& verdict) {
  const Findings& f = verdict.findings;
  const std::string kind = kind_of(trial.file);
  if (!verdict.failure.empty()) return verdict.failure;
  if (f.altered + f.out_of_order > 0) return "altered or out of order";
  if (!verdict.in_balance) return "the agent's account is not in balance";
  if (unreadable(trial.harm)) {
    if (f.lost > 0) return "samples are missing that could be read";
    // How many samples a log's last groups held is not known.
    if (f.unreadable > verdict.counted_samples && verdict.last_group_records == 0)
      return "samples are missing and not counted";
    if (f.unreadable > 0 && !verdict.noted) return "not a word in the log";
    return "";
  }
  if (f.lost == 0) return "";
  if (!may_lose(kind)) return "samples are missing";
  // What a log's end or a whole log held is known to nobody else.
  const bool tail_unknown = kind == "*.log" && trial.harm != Harm::flip;
  if (!tail_unknown && verdict.counted_records == 0) return "samples are missing and not counted";
  if (trial.harm == Harm::flip && kind == "*.sst" && verdict.counted_records > 1)
    return "more than one record";
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Damages an agent's store in one place at a time."};
  app.add_option("--tideover", options.binary, "the agent's binary")->required()->check(CLI::ExistingFile);
  app.add_option("--disk", options.disk, "the library that is its disk, for what cannot be read")
      ->check(CLI::ExistingFile);
  app.add_option("--dir", options.directory, "where the stores are made");
  app.add_option("--seed", options.seed, "of the places");
  app.add_option("--requests", options.requests, "that the store holds")->check(CLI::Range(50, 100000));
  app.add_option("--flips", options.flips, "random places per file, beside the fixed ones");
  app.add_option("--only", options.only, "files whose name contains this");
  app.add_flag("--keep", options.keep, "keep the directory");
  CLI11_PARSE(app, argc, argv);

  const fs::path directory = fs::absolute(options.directory) / fmt::format("tideover-damage-{}", ::getpid());
  std::mt19937_64 random(options.seed);
  DamagedStores stores(fs::absolute(options.binary),
                       options.disk.empty() ? fs::path() : fs::absolute(options.disk), directory,
                       options.seed, options.requests);
  fmt::print("{:<16} {:<7} {:>9} {:>8} {:>7} {:>9} {:>9} {:>8} {:>7} {:>5}  {}\n", "file", "harm", "at", "of",
             "lost", "counted", "records", "altered", "ready s", "noted", "broken promise");
  int broken = 0, run = 0;
  std::set<std::string> seen_kinds;
  for (const fs::path& file : stores.files()) {
    const std::string name = file.string();
    if (name.find(options.only) == std::string::npos) continue;
    const std::uint64_t size = fs::file_size(stores.store() / name);
    for (const Trial& trial : trials_for(name, size, options, random)) {
      const Verdict v = stores.run(trial);
      const std::string promise = broken_promise(trial, v);
      fmt::print("{:<16} {:<7} {:>9} {:>8} {:>7} {:>9} {:>9} {:>8} {:>7.2f} {:>5}  {}\n", name,
                 to_string(trial.harm), trial.at, size, v.findings.lost + v.findings.unreadable,
                 v.counted_samples, v.counted_records, v.findings.altered, v.ready_s, v.noted ? "yes" : "no",
                 promise);
      std::cout << std::flush;
      ++run;
      if (promise.empty()) continue;
      ++broken;
      fs::copy(stores.last_log(), directory / fmt::format("broken-{}.log", broken));
    }
  }
  fmt::print("{} trials, {} broken promises\n", run, broken);
  if (broken == 0 && !options.keep)
    fs::remove_all(directory);
  else
    fmt::print("everything is in {}\n", directory.string());
  return broken == 0 ? 0 : 1;
}
