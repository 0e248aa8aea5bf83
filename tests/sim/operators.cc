#include "tests/sim/operators.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>
#include <vector>

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kBetweenEdits = 12min;
constexpr Duration kSecondThoughts = 2min;
constexpr int kAddedMax = 3;
constexpr std::size_t kSitesMax = 12;
constexpr std::array<std::uint64_t, 4> kBudgets{24 << 10, 96 << 10, 1 << 20, 64 << 20};

}  // namespace

void Operators::begin() {
  world_.every(kBetweenEdits, [this] { edit(); });
}

void Operators::edit() {
  Rng& chance = world_.chance();
  bool edited = false;
  switch (chance.below(8)) {
    case 0: edited = change_url(); break;
    case 1:
      edited = remove();
      if (edited && chance.chance(0.5))
        world_.clock().call_at(world_.clock().now() + kSecondThoughts, [this] {
          if (give_up_removed() && world_.chance().chance(0.5)) crash_soon();
        });
      break;
    case 2: edited = return_removed(); break;
    case 3: edited = add(chance.chance(0.5) ? wal::StartAt::now : wal::StartAt::oldest); break;
    case 4: edited = change_budget(); break;
    case 5: edited = change_requirement(); break;
    default:
      if (give_up_removed() && chance.chance(0.5)) crash_soon();
      return;
  }
  if (!edited) return;
  // Most restart it in order; some pull the plug.
  if (chance.chance(0.8))
    world_.restart_agent();
  else
    world_.crash();
}

// Before or after what was done is durable.
void Operators::crash_soon() {
  if (world_.chance().chance(0.5)) return world_.cut_power(Cut::before_commit, Fault::crash_before_commit, 1);
  const Duration soon = std::chrono::duration_cast<Duration>(Duration(1s) * world_.chance().unit());
  world_.clock().call_at(world_.clock().now() + soon, [this] { world_.crash(); });
}

DestinationOptions& Operators::any_destination() {
  auto& destinations = world_.agent_options().destinations;
  return destinations[world_.chance().below(destinations.size())];
}

std::optional<std::string> Operators::any_removed() const {
  std::vector<std::string> removed;
  const auto& configured = world_.agent_options().destinations;
  for (const auto& site : world_.sites()) {
    const auto same = [&site](const DestinationOptions& d) { return d.name == site->destination; };
    if (std::none_of(configured.begin(), configured.end(), same) &&
        world_.oracle().remembers(site->destination))
      removed.push_back(site->destination);
  }
  if (removed.empty()) return std::nullopt;
  return removed[world_.chance().below(removed.size())];
}

bool Operators::change_url() {
  DestinationOptions& destination = any_destination();
  std::vector<Site*> known;
  for (const auto& site : world_.sites())
    if (site->destination == destination.name && &site->network != destination.network)
      known.push_back(site.get());
  if (!known.empty() && world_.chance().chance(0.5)) {
    destination.network = &known[world_.chance().below(known.size())]->network;
  } else {
    if (world_.sites().size() >= kSitesMax) return false;
    destination.network = &world_.add_site(destination.name).network;
  }
  world_.happened(Fault::url_changed);
  return true;
}

bool Operators::remove() {
  auto& destinations = world_.agent_options().destinations;
  if (destinations.size() < 2) return false;
  const auto n = static_cast<std::ptrdiff_t>(world_.chance().below(destinations.size()));
  destinations.erase(destinations.begin() + n);
  world_.happened(Fault::destination_removed);
  return true;
}

bool Operators::return_removed() {
  const auto name = any_removed();
  if (!name) return false;
  DestinationOptions destination{.name = *name};
  for (const auto& site : world_.sites())
    if (site->destination == *name) destination.network = &site->network;
  world_.agent_options().destinations.push_back(std::move(destination));
  world_.happened(Fault::destination_returned);
  return true;
}

bool Operators::add(wal::StartAt start) {
  if (added_ >= kAddedMax || world_.sites().size() >= kSitesMax) return false;
  DestinationOptions options{.name = fmt::format("added-{}", added_++)};
  options.start = start;
  options.required = world_.chance().chance(0.7);
  world_.add_destination(std::move(options));
  world_.happened(start == wal::StartAt::now ? Fault::destination_added
                                             : Fault::destination_added_from_oldest);
  return true;
}

bool Operators::change_budget() {
  AgentOptions& options = world_.agent_options();
  options.lane_bytes_max = kBudgets[world_.chance().below(kBudgets.size())];
  options.parked_bytes_max = options.lane_bytes_max / 4;
  options.rejects_bytes_max = options.lane_bytes_max / 16;
  world_.happened(Fault::budget_changed);
  return true;
}

bool Operators::change_requirement() {
  DestinationOptions& destination = any_destination();
  destination.required = !destination.required;
  world_.happened(Fault::requirement_changed);
  return true;
}

bool Operators::give_up_removed() {
  const auto name = any_removed();
  Agent* agent = world_.agent();
  if (!name || agent == nullptr || !agent->serving()) return false;
  const auto& configured = agent->options().destinations;
  const auto same = [&name](const DestinationOptions& d) { return d.name == *name; };
  if (std::any_of(configured.begin(), configured.end(), same)) return false;  // it does not know yet
  if (!agent->give_up(*name)) return false;
  world_.happened(Fault::cursor_dropped);
  return true;
}

}  // namespace tideover::sim
