// crash-agent: kills an agent under load with -9, or cuts the power below it, at random moments, and proves
// that every acknowledged sample was delivered: none lost, none altered, none out of its series' order.
//
// Prints its seed and what happened; exit status 0 only when nothing was found, or, with --expect, when
// exactly the expected kind of fault was.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <iostream>
#include <map>
#include <random>
#include <unistd.h>

#include "tests/crash/agent/run.h"

namespace {

using namespace tideover::crash;

void print(const Outcome& outcome, double seconds) {
  const Findings& f = outcome.findings;
  fmt::print("{} kills ({} at a new file), {} power cuts; {} lives ended before the first answer; {:.0f} s\n",
             outcome.kills, outcome.at_new_file, outcome.power_cuts, outcome.before_ready, seconds);
  if (outcome.harmed > 0) fmt::print("{} manifests damaged\n", outcome.harmed);
  if (outcome.unreadable_places > 0)
    fmt::print(
        "{} unreadable places, {} of them for good, {} reads failed; {} samples lay there and are missing, "
        "the "
        "agent counts {} and {} records of last groups\n",
        outcome.unreadable_places, outcome.unreadable_for_good, outcome.failed_reads, f.unreadable,
        outcome.counted_samples, outcome.counted_records);
  fmt::print("{} requests acknowledged, {} refused with 503; the receiver saw {}\n",
             outcome.acknowledged_requests, outcome.refused_requests, outcome.delivered_requests);
  fmt::print(
      "{} samples acknowledged, {} received: {} lost, {} altered, {} out of order, {} duplicates of which {} "
      "unexplained\n",
      f.acknowledged, f.received, f.lost, f.altered, f.out_of_order, f.duplicates, f.unexplained_duplicates);
  for (const auto& [life, lost] : f.lost_of_life)
    fmt::print("  of what life {} acknowledged, {} samples are lost\n", life, lost);
  for (const std::string& example : f.examples) fmt::print("  {}\n", example);
  if (!outcome.harmed_enough()) fmt::print("FAILED: too few manifests were damaged\n");
  if (!outcome.counted()) fmt::print("FAILED: what cannot be read is missing and not counted\n");
  if (!outcome.clean() && !outcome.unreadable_history.empty())
    fmt::print("what could not be read:\n{}", outcome.unreadable_history);
  if (!outcome.failure.empty()) fmt::print("FAILED: {}\n", outcome.failure);
}

bool as_expected(const Outcome& outcome, const std::string& expected) {
  if (expected.empty()) return outcome.clean();
  const Findings& f = outcome.findings;
  const std::map<std::string, std::uint64_t> found = {
      {"lost", f.lost}, {"altered", f.altered}, {"out-of-order", f.out_of_order}};
  const auto it = found.find(expected);
  return it != found.end() && it->second > 0;
}

}  // namespace

int main(int argc, char** argv) {
  RunOptions options;
  options.seed = std::random_device()();
  std::filesystem::path directory = "/var/tmp";
  std::string expected;
  bool keep = false;
  const std::map<std::string, Mischief> mischiefs = {
      {"forgets", Mischief::forgets}, {"alters", Mischief::alters}, {"reorders", Mischief::reorders}};
  CLI::App app{"Kills an agent under load, or cuts its power, and looks for what is missing."};
  app.add_option("--seed", options.seed, "of all choices; timing is the machine's own");
  app.add_option("--kills", options.kills, "lives ended by kill -9");
  app.add_option("--power-cuts", options.power_cuts, "lives ended by a power cut");
  app.add_option("--tideover", options.binary, "the agent's binary")->required()->check(CLI::ExistingFile);
  app.add_option("--disk", options.disk_library, "the library that is its disk")->check(CLI::ExistingFile);
  app.add_option("--dir", directory, "where the run's directory is made");
  app.add_flag("--disk-lies", options.disk_lies, "syncs do nothing");
  app.add_flag("--disk-trouble", options.disk_trouble, "the disk is full, or its syncs fail, for a while");
  app.add_flag("--read-faults", options.read_faults,
               "places of files cannot be read, for a while or for good");
  app.add_flag("--harm-manifest", options.harm_manifest, "damages manifests between lives, for rebuilds");
  app.add_option("--receiver", options.mischief, "what the receiver does wrong")
      ->transform(CLI::CheckedTransformer(mischiefs));
  app.add_option("--expect", expected, "lost, altered or out-of-order: that it is found is the success");
  app.add_flag("--keep", keep, "keep the run's directory in any case");
  CLI11_PARSE(app, argc, argv);
  if (options.read_faults && options.disk_library.empty()) {
    fmt::print(stderr, "--read-faults is done by --disk\n");
    return 2;
  }

  options.directory = std::filesystem::absolute(directory) / fmt::format("tideover-crash-{}", ::getpid());
  options.binary = std::filesystem::absolute(options.binary);
  if (!options.disk_library.empty()) options.disk_library = std::filesystem::absolute(options.disk_library);
  fmt::print("seed {}\n", options.seed);
  std::cout << std::flush;
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = run(options);
  print(outcome, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  const bool well = as_expected(outcome, expected);
  if (well && !keep)
    std::filesystem::remove_all(options.directory);
  else
    fmt::print("everything is in {}\n", options.directory.string());
  return well ? 0 : 1;
}
