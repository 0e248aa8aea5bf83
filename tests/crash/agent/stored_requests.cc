#include "tests/crash/agent/stored_requests.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wal/rocks/log_format.h"
#include "wal/wal_format.h"

namespace tideover::crash {
namespace {

// A record's key stands in front of it, and lengths of both.
constexpr std::uint64_t kKeyRoom = 64;

// Bytes that are together once the file's own structure is taken away, and where each piece of them stood.
struct Text {
  std::string bytes;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces;  // where it begins in `bytes`, and in the file

  void add(std::string_view piece, std::uint64_t at) {
    pieces.emplace_back(bytes.size(), at);
    bytes += piece;
  }
  // Whether [from, to) of the text has a byte in [first, last) of the file.
  bool touches(std::uint64_t from, std::uint64_t to, std::uint64_t first, std::uint64_t last) const {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::uint64_t end = i + 1 < pieces.size() ? pieces[i + 1].first : bytes.size();
      const std::uint64_t begin = std::max(from, pieces[i].first), stop = std::min(to, end);
      if (begin >= stop) continue;
      const std::uint64_t in_file = pieces[i].second + (begin - pieces[i].first);
      if (in_file < last && in_file + (stop - begin) > first) return true;
    }
    return false;
  }
};

void add_requests(std::string_view bytes, const Samples& samples, std::set<RequestId>& found) {
  auto record = wal::open_envelope(std::make_shared<const std::string>(bytes));
  if (!record) return;
  Account nobody(0);
  const auto version = static_cast<remote_write::Version>(record->attributes.encoding);
  const auto received = samples.receive(std::string(record->payload()), version, nobody);
  if (!received) return;
  for (const auto& [id, series] : received->from) found.insert(id);
}

// The records in `text` that touch [first, last) of the file.
void search(const Text& text, std::uint64_t first, std::uint64_t last, const Samples& samples,
            std::set<RequestId>& found) {
  const std::string_view bytes = text.bytes;
  for (std::size_t at = wal::find_envelope(bytes, 0); at != std::string_view::npos;
       at = wal::find_envelope(bytes, at + 1)) {
    const std::size_t extent = wal::envelope_extent(bytes.substr(at));
    if (text.touches(at - std::min<std::uint64_t>(at, kKeyRoom), at + extent, first, last))
      add_requests(bytes.substr(at, extent), samples, found);
  }
}

// The write batches of a log, whether or not they check.
std::vector<Text> batches(std::string_view log) {
  std::vector<Text> batches;
  for (std::size_t block = 0; block < log.size(); block += wal::kLogBlock) {
    const std::size_t end = std::min(block + wal::kLogBlock, log.size());
    for (std::size_t at = block; at + wal::kLogHeader <= end;) {
      const std::size_t size =
          static_cast<unsigned char>(log[at + 4]) | static_cast<unsigned char>(log[at + 5]) << 8;
      const char type = log[at + 6];
      if (type < wal::kFull || type > wal::kLast || at + wal::kLogHeader + size > end) break;
      if (type == wal::kFull || type == wal::kFirst || batches.empty()) batches.emplace_back();
      batches.back().add(log.substr(at + wal::kLogHeader, size), at + wal::kLogHeader);
      at += wal::kLogHeader + size;
    }
  }
  return batches;
}

}  // namespace

std::set<RequestId> stored_requests(const std::filesystem::path& file, disk::Extent extent,
                                    const Samples& samples) {
  std::set<RequestId> found;
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  const std::uint64_t to = std::min<std::uint64_t>(extent.to, bytes.size());
  if (extent.from >= to) return found;
  if (file.extension() == ".sst") {
    Text table;
    table.add(bytes, 0);
    search(table, extent.from, to, samples, found);
  } else if (file.extension() == ".log") {
    for (const Text& batch : batches(bytes)) search(batch, extent.from, to, samples, found);
  }
  return found;
}

}  // namespace tideover::crash
