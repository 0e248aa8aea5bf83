// The disk of the power-cut tests, held to what it claims: it forgets what was not synced, and only that.
#include "tests/crash/disk/model.h"

#include <catch2/catch.hpp>
#include <random>

namespace tideover::disk {
namespace {

Dice dice(std::uint64_t seed) {
  return
      [random = std::make_shared<std::mt19937_64>(seed)](std::uint64_t below) { return (*random)() % below; };
}

// Over many cuts: in how many of them `holds`.
int count(const Model& model, const std::function<bool(const Aftermath&)>& holds) {
  int times = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) times += holds(model.after_power_cut(dice(seed))) ? 1 : 0;
  return times;
}

}  // namespace

TEST_CASE("a name survives a power cut only if its directory was synced, or by luck", "[crash]") {
  Model model;
  model.found("/d", {1, true}, 0);
  model.added("/d/file", {2, false});
  const auto there = [](const Aftermath& after) { return after.names.contains("/d/file"); };
  const int lucky = count(model, there);
  CHECK(lucky > 0);
  CHECK(lucky < 200);
  model.file_synced(2, model.serial());  // says nothing about the name
  CHECK(count(model, there) == lucky);
  model.directory_synced("/d", model.serial());
  CHECK(count(model, there) == 200);
}

TEST_CASE("a sync covers what was there when it began", "[crash]") {
  Model model;
  model.found("/file", {2, false}, 0);
  model.written(2, 0, 100, "");
  const auto begin = model.serial();
  model.written(2, 100, 50, "");
  model.file_synced(2, begin);
  const auto size = [](const Aftermath& after) {
    const auto loss = after.losses.find(2);
    return loss == after.losses.end() ? 150 : loss->second.size;
  };
  CHECK(count(model, [&](const Aftermath& after) { return size(after) < 100; }) == 0);
  CHECK(count(model, [&](const Aftermath& after) { return size(after) == 100; }) > 0);
  CHECK(count(model, [&](const Aftermath& after) { return size(after) > 100 && size(after) < 150; }) > 0);
}

TEST_CASE("a rename that was not synced happened as a whole or not at all", "[crash]") {
  Model model;
  model.found("/d", {1, true}, 0);
  model.found("/d/old", {2, false}, 0);
  model.found("/d/new", {3, false}, 0);
  model.moved("/d/new", "/d/old");
  const auto before = [](const Aftermath& after) {
    return after.names.at("/d/old").inode == 2 && after.names.contains("/d/new");
  };
  const auto behind = [](const Aftermath& after) {
    return after.names.at("/d/old").inode == 3 && !after.names.contains("/d/new");
  };
  CHECK(count(model, before) > 0);
  CHECK(count(model, behind) > 0);
  CHECK(count(model, before) + count(model, behind) == 200);
}

TEST_CASE("what lies in a directory that did not survive is gone", "[crash]") {
  Model model;
  model.found("/", {1, true}, 0);
  model.added("/d", {2, true});
  model.added("/d/file", {3, false});
  model.directory_synced("/d", model.serial());
  CHECK(count(model, [](const Aftermath& after) {
          return after.names.contains("/d/file") && !after.names.contains("/d");
        }) == 0);
  CHECK(count(model, [](const Aftermath& after) { return !after.names.contains("/d"); }) > 0);
}

TEST_CASE("changes of one name happen in their order", "[crash]") {
  Model model;
  model.found("/d", {1, true}, 0);
  model.found("/d/file", {2, false}, 0);
  model.moved("/d/file", "/d/aside");
  model.added("/d/file", {3, false});
  const auto replaced = [](const Aftermath& after) {
    const auto file = after.names.find("/d/file");
    return file != after.names.end() && file->second.inode == 3 && !after.names.contains("/d/aside");
  };
  CHECK(count(model, replaced) == 0);
  CHECK(count(model, [](const Aftermath& after) {
          return !after.names.contains("/d/file") && after.names.contains("/d/aside");
        }) > 0);
}

TEST_CASE("a removed directory takes with it what was in it, synced or not", "[crash]") {
  Model model;
  model.found("/d", {1, true}, 0);
  model.found("/d/in", {2, true}, 0);
  model.found("/d/in/file", {3, false}, 0);
  model.removed("/d/in/file");
  model.removed("/d/in");
  model.directory_synced("/d", model.serial());
  CHECK(count(model, [](const Aftermath& after) { return after.names.contains("/d/in/file"); }) == 0);
}

TEST_CASE("bytes that were overwritten and not synced come back", "[crash]") {
  Model model;
  model.found("/file", {2, false}, 4);
  model.written(2, 0, 4, "past");
  CHECK(count(model, [](const Aftermath& after) {
          const auto loss = after.losses.find(2);
          return loss != after.losses.end() && loss->second.size == 4 && loss->second.patches.size() == 1 &&
                 loss->second.patches[0].bytes == "past";
        }) > 0);
}

}  // namespace tideover::disk
