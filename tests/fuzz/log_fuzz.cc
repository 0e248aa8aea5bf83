// RocksDB's log files, damaged: what lies in blocks that were not touched is read back, nothing is altered,
// and a log that was salvaged reads the same and is whole.
//
// Input: a program. Each step is an opcode and its operands: a record of so many bytes, a fragment of any
// type with a good checksum, raw bytes, or damage at a place.
#include <boost/crc.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/support/temp_directory.h"
#include "wal/base/invariant.h"
#include "wal/base/little_endian.h"
#include "wal/rocks/careful_reader.h"
#include "wal/rocks/log_file.h"
#include "wal/rocks/log_salvage.h"

namespace tideover::wal {
namespace {

constexpr std::size_t kBlock = 32 << 10;
constexpr std::size_t kHeader = 7;
constexpr std::size_t kLogBytesMax = 256 << 10;

// The writer of the documentation, once more.
class Log {
 public:
  std::string bytes;
  std::vector<std::string> records;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // of each: begin, end
  bool only_records = true;  // nothing but records was written, and nothing damaged

  void append(const std::string& record) {
    const std::size_t begin = bytes.size();
    std::string_view rest = record;
    bool first = true;
    do {
      if (kBlock - bytes.size() % kBlock < kHeader) bytes.append(kBlock - bytes.size() % kBlock, '\0');
      const std::string_view data = rest.substr(0, kBlock - bytes.size() % kBlock - kHeader);
      rest.remove_prefix(data.size());
      fragment(static_cast<char>(first ? (rest.empty() ? 1 : 2) : (rest.empty() ? 4 : 3)), data);
      first = false;
    } while (!rest.empty());
    records.push_back(record);
    places.emplace_back(begin, bytes.size());
  }

  void fragment(char type, std::string_view data) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_byte(static_cast<unsigned char>(type));
    crc.process_bytes(data.data(), data.size());
    const std::uint32_t sum = crc.checksum();
    append_le(bytes, ((sum >> 15) | (sum << 17)) + 0xa282ead8U);
    append_le(bytes, static_cast<std::uint16_t>(data.size()));
    bytes.push_back(type);
    bytes += data;
  }

  void damage(std::size_t at, char with) {
    if (bytes.empty()) return;
    at %= bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ with);
    damaged_blocks.push_back(at / kBlock);
    only_records = false;
  }

  bool touched(std::size_t record) const {
    for (const std::size_t block : damaged_blocks)
      if (places[record].first / kBlock <= block && block <= (places[record].second - 1) / kBlock)
        return true;
    return false;
  }

  std::vector<std::size_t> damaged_blocks;
};

enum Opcode : std::uint8_t { kRecord = 0, kLongRecord = 1, kFragment = 2, kRaw = 3, kDamage = 4, kCut = 5 };

// `foreign` says that bytes were written which no writer writes: then what is read may be more than the
// records.
Log run(std::string_view program, bool& foreign) {
  Log log;
  LittleEndianReader from(program);
  while (!from.at_end() && log.bytes.size() < kLogBytesMax) {
    const auto opcode = static_cast<Opcode>(from.next<std::uint8_t>() % 6);
    const auto operand = from.next<std::uint16_t>();
    const auto pattern = static_cast<char>(from.next<std::uint8_t>());
    switch (opcode) {
      // Numbered, so that one record is not taken for another.
      case kRecord:
        log.append(std::to_string(log.records.size()) + std::string(operand % 300, pattern));
        break;
      case kLongRecord: log.append(std::to_string(log.records.size()) + std::string(operand, pattern)); break;
      case kFragment:
        log.fragment(pattern, std::string(operand % 64, 'f'));
        foreign = true;
        break;
      case kRaw:
        log.bytes.append(operand % 64, pattern);
        foreign = true;
        break;
      case kDamage: log.damage(operand * std::size_t{5}, static_cast<char>(pattern | 1)); break;
      case kCut:
        log.bytes.resize(log.bytes.size() - std::min<std::size_t>(log.bytes.size(), operand % 64));
        foreign = foreign || operand % 64 != 0;
        break;
    }
  }
  return log;
}

std::vector<std::string> records_of(CarefulReader& reader, const std::string& path, std::uint64_t& dropped) {
  std::vector<std::string> records;
  const Result<std::uint64_t> damaged = read_log(reader, path, [&records](std::string_view record) {
    records.emplace_back(record);
    return true;
  });
  invariant(damaged.has_value(), "a file that is there can be read");
  dropped = *damaged;
  return records;
}

// Every record found was written, in its order; every record in untouched blocks was found.
void check_found(const Log& log, const std::vector<std::string>& found) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < log.records.size(); ++i) {
    if (at < found.size() && found[at] == log.records[i])
      ++at;
    else
      invariant(log.touched(i), "a record in blocks that nobody touched is found");
  }
  invariant(at == found.size(), "nothing is found that was not written, and nothing altered");
}

void check(std::string_view program, const TempDirectory& directory) {
  bool foreign = false;
  const Log log = run(program, foreign);
  const std::string path = directory / "000001.log";
  std::ofstream(path, std::ios::binary) << log.bytes;

  CarefulReader reader(path, {});
  std::uint64_t dropped = 0;
  const std::vector<std::string> found = records_of(reader, path, dropped);
  if (!foreign) check_found(log, found);
  if (!foreign && log.damaged_blocks.empty())
    invariant(dropped == 0 && found == log.records, "a whole log is read whole");

  const Result<LogSalvage> salvage = salvage_log(reader, path, directory / "lost", {});
  invariant(salvage.has_value(), "a log can be salvaged");
  invariant(salvage->kept_groups == found.size() && salvage->dropped_bytes <= dropped,
            "the account is that of the reader, less what is torn");
  std::uint64_t dropped_again = 0;
  invariant(records_of(reader, clean_log(path), dropped_again) == found, "a salvaged log says what was left");
  invariant(dropped_again == 0, "a salvaged log is whole");
}

}  // namespace
}  // namespace tideover::wal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tideover::TempDirectory directory;
  tideover::wal::check({reinterpret_cast<const char*>(data), size}, directory);
  return 0;
}
