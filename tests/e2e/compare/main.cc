// tideover-compare: are the samples of two servers the same, as sets of (series, timestamp, value bits)?
// Exit code: 0 the same, 1 they differ, 2 a side cannot be read or the sender's holds nothing.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <limits>

#include "tests/e2e/compare/difference.h"
#include "tests/e2e/compare/source.h"

namespace {

using namespace tideover::compare;

boost::json::object to_json(const Totals& totals) {
  return {{"series", totals.series},
          {"samples", totals.samples},
          {"stale_markers", totals.stale_markers},
          {"histograms", totals.histograms}};
}

void print_json(const Difference& difference) {
  const boost::json::object report{{"sender", to_json(difference.sender)},
                                   {"receiver", to_json(difference.receiver)},
                                   {"missing", difference.missing},
                                   {"altered", difference.altered},
                                   {"extra", difference.extra},
                                   {"examples", boost::json::value_from(difference.examples)}};
  fmt::print("{}\n", boost::json::serialize(report));
}

void print_text(const Difference& difference) {
  const auto side = [](const char* name, const Totals& totals) {
    fmt::print("{}: {} series, {} samples, among them {} stale markers and {} native histograms\n", name,
               totals.series, totals.samples, totals.stale_markers, totals.histograms);
  };
  side("sender  ", difference.sender);
  side("receiver", difference.receiver);
  fmt::print("missing {}, altered {}, extra {}\n", difference.missing, difference.altered, difference.extra);
  for (const std::string& example : difference.examples) fmt::print("  {}\n", example);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares the samples of two servers as sets of (series, timestamp, value bits)."};
  std::string sender;
  std::string receiver;
  Selection selection{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), {}};
  std::vector<std::string> ignored;
  std::size_t examples_max = 5;
  bool allow_extra = false;
  bool json = false;
  app.add_option("--sender", sender, "http://HOST:PORT of a remote-read API, or a dump of tsdbdump")
      ->required();
  app.add_option("--receiver", receiver, "the other side, likewise")->required();
  app.add_option("--from", selection.from_ms, "first timestamp, in ms");
  app.add_option("--to", selection.to_ms, "last timestamp, in ms");
  app.add_option("--ignore-label", ignored,
                 "label that one side adds, such as an external label; repeatable");
  app.add_option("--examples", examples_max, "how many differences of each kind to print");
  app.add_flag("--allow-extra", allow_extra, "the receiver may hold samples of other writers");
  app.add_flag("--json", json, "print the report as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  selection.ignored_labels.insert(ignored.begin(), ignored.end());

  const auto left = read_source(sender, selection);
  const auto right = read_source(receiver, selection);
  if (!left || !right) {
    fmt::print(stderr, "tideover-compare: {}\n", (!left ? left : right).error().detail);
    return 2;
  }
  if (left->empty()) {
    fmt::print(stderr, "tideover-compare: {}: no sample in the window, so nothing is proven\n", sender);
    return 2;
  }
  const Difference difference = compare(*left, *right, examples_max);
  json ? print_json(difference) : print_text(difference);
  const bool same =
      difference.missing == 0 && difference.altered == 0 && (allow_extra || difference.extra == 0);
  return same ? 0 : 1;
}
