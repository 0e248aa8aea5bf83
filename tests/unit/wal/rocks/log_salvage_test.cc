// Logs looked through and written anew before RocksDB sees them.
#include "wal/rocks/log_salvage.h"

#include <filesystem>
#include <fstream>

#include "tests/support/catch_result.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/wal/rocks/written_log.h"
#include "wal/rocks/careful_reader.h"
#include "wal/rocks/log_file.h"
#include "wal/rocks/log_mend.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;
using Payloads = std::vector<std::string>;

constexpr LaneId kLane{7};

// A record of the log as it is read again.
struct Batch {
  std::uint64_t sequence;
  std::vector<std::pair<std::string, std::string>> puts;  // keys and values
};

struct Directory {
  TempDirectory root;
  CarefulReader reader{root.path(), {}};

  std::string put(const std::string& name, std::string_view bytes) const {
    std::ofstream(root / name, std::ios::binary) << bytes;
    return root / name;
  }
  std::string content(const std::string& path) { return *reader.read_file(path); }
  std::vector<Batch> batches(const std::string& path) {
    std::vector<Batch> found;
    const auto dropped = read_log(reader, path, [&found](std::string_view bytes) {
      BatchReader batch(bytes);
      found.push_back({batch.sequence(), {}});
      while (const auto put = batch.next()) found.back().puts.emplace_back(put->key, put->value);
      return true;
    });
    REQUIRE(dropped);
    CHECK(*dropped == 0);
    return found;
  }
  // Of the records of a log, in its order; those that do not check are missing.
  Payloads payloads(const std::string& path) {
    Payloads found;
    for (const Batch& batch : batches(path))
      for (const auto& [key, value] : batch.puts)
        if (const auto record = open_envelope(std::make_shared<std::string>(value)); record)
          found.emplace_back(record->payload());
    return found;
  }
};

TEST_CASE("what a log says of the store is gathered from all its groups") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"a"}));
  BatchBuilder batch;
  Groups::put_number(batch, kFormatKey, 9, "2");
  log.append(groups.finish(batch));
  log.append(groups.group({"b"}));
  LogFacts facts;
  const auto findings = look_through_log(directory.reader, directory.put("000001.log", log.bytes), facts);
  REQUIRE(findings);
  CHECK_FALSE(findings->damaged);
  CHECK(findings->lost_at_tail == 0);
  CHECK(facts.meta_families == std::set<std::uint32_t>{kMetaFamily});
  CHECK(facts.last_commit == 9);
  CHECK(facts.format == 2);
}

TEST_CASE(
    "a log is damaged where something intact follows or its end was written whole, and not where it is "
    "torn") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"a"}));
  const Place middle = log.append(groups.group({std::string(kLogBlock, 'b')}));
  const Place last = log.append(groups.group({"c"}));
  const auto look = [&](const WrittenLog& at) {
    LogFacts facts;
    const auto findings = look_through_log(directory.reader, directory.put("000001.log", at.bytes), facts);
    REQUIRE(findings);
    return *findings;
  };
  WrittenLog in_the_midst = log, at_the_end = log, torn = log, both = log;
  in_the_midst.flip(middle.begin + 1000);
  at_the_end.flip(last.begin + 60);
  torn.bytes.resize(last.end - 10);
  both.flip(middle.begin + 1000);
  both.flip(last.begin + 60);
  CHECK(look(in_the_midst).damaged);
  CHECK(look(in_the_midst).lost_at_tail == 0);  // the totals behind it tell
  CHECK(look(at_the_end).damaged);
  CHECK(look(at_the_end).lost_at_tail == 1);
  CHECK_FALSE(look(torn).damaged);
  CHECK(look(torn).lost_at_tail == 0);
  CHECK(look(both).damaged);
}

TEST_CASE(
    "a salvaged log has the intact groups, and of a damaged one the records that are intact in its place") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"first"}));
  const std::uint64_t sequence = groups.sequence();
  const Place hit =
      log.append(groups.group({std::string(300, 'a'), std::string(300, 'b'), std::string(300, 'c')}));
  const std::string behind = groups.group({std::string(kLogBlock, 'z')});
  log.append(behind);
  log.flip(log.bytes.find(std::string(300, 'b')));
  const std::string path = directory.put("000001.log", log.bytes);
  const auto salvage = salvage_log(directory.reader, path, directory.root / "lost", {});
  REQUIRE(salvage);
  CHECK(salvage->kept_groups == 2);
  CHECK(salvage->rescued_records == 2);
  CHECK(salvage->dropped_bytes == hit.end - hit.begin);
  CHECK(log_to_read(path) == path + ".clean");
  CHECK(directory.payloads(clean_log(path)) ==
        Payloads{"first", std::string(300, 'a'), std::string(300, 'c'), std::string(kLogBlock, 'z')});
  const auto batches = directory.batches(clean_log(path));
  REQUIRE(batches.size() == 3);
  CHECK(batches[1].sequence == sequence);  // between its neighbours
  CHECK(directory.content(directory.root / "lost/000001.log") == log.bytes);
}

TEST_CASE("what is rescued in front of every intact group stands just below the first of them") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({std::string(300, 'a'), std::string(300, 'b')}));
  const std::uint64_t sequence = groups.sequence();
  log.append(groups.group({std::string(kLogBlock, 'z')}));
  log.flip(log.bytes.find(std::string(300, 'a')));
  const std::string path = directory.put("000001.log", log.bytes);
  REQUIRE(salvage_log(directory.reader, path, directory.root / "lost", {}));
  const auto batches = directory.batches(clean_log(path));
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].sequence == sequence - 1);
  CHECK(batches[0].puts.size() == 1);
  CHECK(batches[1].sequence == sequence);
}

TEST_CASE("a log whose every group is damaged keeps what is intact of their records") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({std::string(300, 'a'), std::string(300, 'b')}));
  log.flip(log.bytes.find(std::string(300, 'a')));
  const std::string path = directory.put("000001.log", log.bytes);
  REQUIRE(salvage_log(directory.reader, path, directory.root / "lost", {}));
  CHECK(directory.payloads(clean_log(path)) == Payloads{std::string(300, 'b')});
  CHECK(directory.batches(clean_log(path))[0].sequence == 1);
}

TEST_CASE("a log is written anew wherever its records meet the end of a block") {
  const std::size_t left = GENERATE(0, 3, 6, 7, 8);
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  const std::size_t overhead = kLogHeader + groups.group({""}).size() + 2;
  const std::string first(kLogBlock - overhead - left, 'a'), last(3 * kLogBlock, 'z');
  REQUIRE(log.append(groups.group({first})).end == kLogBlock - left);
  log.append(groups.group({"second"}));
  log.append(groups.group({last}));
  const std::string path = directory.put("000001.log", log.bytes);
  REQUIRE(salvage_log(directory.reader, path, directory.root / "lost", {}));
  CHECK(directory.payloads(clean_log(path)) == Payloads{first, "second", last});
}

TEST_CASE("a torn end is left out, and a group in parts before it stays unfinished") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"first"}));
  const Place torn = log.append(groups.group({std::string(300, 'a'), std::string(300, 'b')}));
  log.bytes.resize(torn.end - 100);
  const std::string path = directory.put("000001.log", log.bytes);
  const auto salvage = salvage_log(directory.reader, path, directory.root / "lost", {{kMetaFamily}, 9, 2});
  REQUIRE(salvage);
  CHECK(salvage->dropped_bytes == 0);
  CHECK(salvage->rescued_records == 0);
  CHECK(directory.payloads(clean_log(path)) == Payloads{"first"});
  CHECK(directory.batches(clean_log(path)).size() == 1);
}

TEST_CASE(
    "an end that was damaged after it was written finishes a group in parts, in every copy of the meta") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"first"}));
  log.append(groups.group({std::string(300, 'a')}));
  log.flip(log.bytes.size() - 3);
  const std::string path = directory.put("000001.log", log.bytes);
  REQUIRE(salvage_log(directory.reader, path, directory.root / "lost", {{kMetaFamily, 5}, 9, 2}));
  std::size_t finished = 0;
  for (const Batch& batch : directory.batches(clean_log(path)))
    for (const auto& [key, value] : batch.puts) {
      if (key != kUnfinishedKey) continue;
      ++finished;
      CHECK(commit_of(value) == 9);
      CHECK(value.size() == 8);
    }
  CHECK(finished == 2);
}

TEST_CASE("a second salvage of a log replaces what the first one left") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"first"}));
  const std::string path = directory.put("000001.log", log.bytes);
  fs::create_directory(directory.root / "lost");
  directory.put("lost/000001.log", "of a crash");
  directory.put("000001.log.clean", "of a crash");
  REQUIRE(salvage_log(directory.reader, path, directory.root / "lost", {}));
  CHECK(directory.content(directory.root / "lost/000001.log") == log.bytes);
  CHECK(directory.payloads(clean_log(path)) == Payloads{"first"});
}

TEST_CASE("a reader of a log may stop, and is told how much of it is damaged") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  const Place hit = log.append(groups.group({std::string(100, 'a')}));
  log.append(groups.group({std::string(40 * kLogBlock, 'b')}));  // longer than what is read at once
  log.append(groups.group({"c"}));
  log.flip(hit.begin + 60);
  const std::string path = directory.put("000001.log", log.bytes);
  int taken = 0;
  CHECK(*read_log(directory.reader, path, [&](std::string_view) { return ++taken < 9; }) ==
        hit.end - hit.begin);
  CHECK(taken == 2);
  REQUIRE(read_log(directory.reader, path, [&](std::string_view) { return ++taken < 3; }));
  CHECK(taken == 3);
  CHECK(read_log(directory.reader, path + ".gone", [](std::string_view) { return true; }).has_error());
}

TEST_CASE("a log that cannot be read is an error, and does not seem to end there") {
  Directory directory;
  const std::string path = directory.root / "000001.log";
  fs::create_directory(path);  // which opens, and does not read
  LogFacts facts;
  CHECK(look_through_log(directory.reader, path, facts).error().code == Errc::io_error);
  CHECK(read_log(directory.reader, path, [](std::string_view) { return true; }).error().code ==
        Errc::io_error);
  CHECK(salvage_log(directory.reader, path, directory.root / "lost", {}).error().code == Errc::io_error);
}

// ------------------------------------------------------------------------------------ all logs of a
// directory

TEST_CASE("logs are looked through in the order of their numbers, and only the newest one's end is an end") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog older, newer;
  older.append(groups.group({"a"}));
  newer.append(groups.group({"b"}));
  const std::string damaged = directory.put("999999.log", older.bytes);
  {
    WrittenLog hit = older;
    hit.flip(60);
    directory.put("999999.log", hit.bytes);
  }
  directory.put("1000000.log", newer.bytes);  // the longer name is the larger number
  directory.put("1000001.log", "");           // opened, and not written to
  directory.put("999998.sst", "no log");
  const auto logs = look_through_logs(directory.reader, directory.root.path());
  REQUIRE(logs);
  REQUIRE(logs->damaged.size() == 1);
  CHECK(logs->damaged[0].path == damaged);
  CHECK(logs->lost_at_tail == 0);
  CHECK(logs->facts.last_commit == 2);
}

TEST_CASE("mending says what a damaged log cost, and what the end of the newest one") {
  Directory directory;
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"a"}));
  const Place last = log.append(groups.group({std::string(300, 'a'), std::string(300, 'b')}));
  log.flip(log.bytes.find(std::string(300, 'b')));
  const std::string path = directory.put("000001.log", log.bytes);
  const auto logs = look_through_logs(directory.reader, directory.root.path());
  REQUIRE(logs);
  Payloads notes;
  const std::string lost = directory.root / "lost";
  REQUIRE(mend_logs(directory.reader, *logs, lost, [&](const std::string& note) { notes.push_back(note); }));
  REQUIRE(notes.size() == 2);
  CHECK(notes[0] ==
        std::to_string(last.end - last.begin) + " bytes of the log " + path +
            " are damaged: its 1 other groups are kept, 1 records were taken out of damaged ones, and "
            "the original is in " +
            lost);
  CHECK(notes[1] ==
        "the end of the newest log was damaged after it had been written: 1 records are lost with it");
}

TEST_CASE("what an earlier life left in place of a log is removed, and nothing else") {
  Directory directory;
  directory.put("000001.log.clean", "stale");
  directory.put("000003.log", "");
  Payloads notes;
  REQUIRE(mend_logs(directory.reader, {}, directory.root / "lost",
                    [&](const std::string& note) { notes.push_back(note); }));
  CHECK(notes.empty());  // nothing is damaged
  CHECK_FALSE(fs::exists(directory.root / "000001.log.clean"));
  CHECK(fs::exists(directory.root / "000003.log"));
}

TEST_CASE("a stale log that cannot be removed is an error, since it would be read instead of the true one") {
  Directory directory;
  fs::create_directories(directory.root / "000001.log.clean/not empty");
  const auto mended = mend_logs(directory.reader, {}, directory.root / "lost", [](const std::string&) {});
  REQUIRE_FALSE(mended);
  CHECK(mended.error().code == Errc::io_error);
  CHECK(mended.error().detail.find("000001.log.clean") != std::string::npos);
}

}  // namespace
}  // namespace tideover::wal
