#include "tests/crash/agent/stored_requests.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "wal/log_format.h"
#include "wal/wal_format.h"

namespace tideover::crash {
namespace {

// In a table a record's key stands in front of it, behind the lengths of both.
constexpr std::uint64_t kKeyRoom = 64;

struct Part {
  std::string bytes;
  std::uint64_t from = 0, to = 0;  // in the file
};

void add_requests(std::string_view bytes, const Samples& samples, std::set<RequestId>& found) {
  auto record = wal::open_envelope(std::make_shared<const std::string>(bytes));
  if (!record) return;
  Account nobody(0);
  const auto version = static_cast<remote_write::Version>(record->attributes.encoding);
  const auto received = samples.receive(std::string(record->payload()), version, nobody);
  if (received) found.insert(received->from.begin(), received->from.end());
}

// The records in `text` that touch [from, to).
void search(std::string_view text, std::uint64_t from, std::uint64_t to, const Samples& samples,
            std::set<RequestId>& found) {
  for (std::size_t at = wal::find_envelope(text, 0); at != std::string_view::npos && at < to + kKeyRoom;
       at = wal::find_envelope(text, at + 1)) {
    const std::size_t extent = wal::envelope_extent(text.substr(at));
    if (at + extent > from && at < to + kKeyRoom) add_requests(text.substr(at, extent), samples, found);
  }
}

// The write batches of a log, whether or not they check.
std::vector<Part> batches(std::string_view log) {
  std::vector<Part> batches;
  for (std::size_t block = 0; block < log.size(); block += wal::kLogBlock) {
    const std::size_t end = std::min(block + wal::kLogBlock, log.size());
    for (std::size_t at = block; at + wal::kLogHeader <= end;) {
      const std::size_t size =
          static_cast<unsigned char>(log[at + 4]) | static_cast<unsigned char>(log[at + 5]) << 8;
      const char type = log[at + 6];
      if (type < wal::kFull || type > wal::kLast || at + wal::kLogHeader + size > end) break;
      if (type == wal::kFull || type == wal::kFirst || batches.empty()) batches.push_back({{}, at, 0});
      batches.back().bytes += log.substr(at + wal::kLogHeader, size);
      at += wal::kLogHeader + size;
      batches.back().to = at;
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
  if (file.extension() == ".sst") search(bytes, extent.from, to, samples, found);
  if (file.extension() != ".log") return found;
  const std::uint64_t first = extent.from / wal::kLogBlock * wal::kLogBlock;
  const std::uint64_t last = (to + wal::kLogBlock - 1) / wal::kLogBlock * wal::kLogBlock;
  for (const Part& batch : batches(bytes))
    if (batch.from < last && batch.to > first) search(batch.bytes, 0, batch.bytes.size(), samples, found);
  return found;
}

}  // namespace tideover::crash
