#include "forwarders/loki/batch.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "forwarders/loki/log_record.h"
#include "forwarders/loki/push_writer.h"
#include "forwarders/remote_write/snappy.h"
#include "wal/base/invariant.h"

namespace tideover::loki {
namespace {

void add(BatchStream& stream, const PushEntry& entry) {
  const bool first = stream.entries.empty();
  stream.oldest_ns = first ? entry.ns : std::min(stream.oldest_ns, entry.ns);
  stream.newest_ns = first ? entry.ns : std::max(stream.newest_ns, entry.ns);
  stream.bytes += entry.line.size() + entry.metadata.size();
  stream.entries.push_back(entry);
}

bool lies_in(std::string_view piece, std::string_view whole) {
  return piece.data() >= whole.data() && piece.data() + piece.size() <= whole.data() + whole.size();
}

}  // namespace

// FNV-1a: it need not withstand an attack, since who could choose labels to collide can as well send the
// stream itself.
std::uint64_t stream_hash(std::string_view labels) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : labels) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

Result<Batch> Batch::decode(std::span<const wal::StoredRecord> records) {
  Batch batch;
  std::unordered_map<std::string_view, std::size_t> known;
  for (const wal::StoredRecord& record : records) {
    if (record.attributes.encoding != static_cast<std::uint16_t>(Encoding::push))
      return fail(Errc::bad_input, "a stored record is in an encoding that this version does not know");
    std::string& raw = batch.raw_.emplace_back();
    if (auto read = remote_write::decompress(record.payload(), kRecordRawBytesMax, raw); !read)
      return read.error();
    PushReader reader(raw);
    PushEntry entry;
    while (reader.next_stream()) {
      const auto [at, is_new] = known.try_emplace(reader.labels(), batch.streams_.size());
      if (is_new) {
        BatchStream& added = batch.streams_.emplace_back();
        added.hash = stream_hash(reader.labels());
        added.labels = reader.labels();
      }
      BatchStream& stream = batch.streams_[at->second];
      for (; reader.next_entry(entry); ++batch.items_) {
        if (!entry.metadata.empty() && !lies_in(entry.metadata, raw))
          entry.metadata = batch.gathered_.emplace_back(entry.metadata);
        add(stream, entry);
      }
    }
    if (reader.broken()) return fail(Errc::bad_input, "a stored record cannot be read at " + reader.where());
  }
  std::erase_if(batch.streams_, [](const BatchStream& stream) { return stream.entries.empty(); });
  if (batch.items_ == 0) return fail(Errc::bad_input, "a stored record holds no entry");
  return batch;
}

void Batch::arrange(const std::vector<std::size_t>& order) {
  invariant(order.size() == streams_.size(), "every stream has its place");
  std::vector<BatchStream> arranged;
  arranged.reserve(streams_.size());
  for (const std::size_t index : order) arranged.push_back(std::move(streams_[index]));
  streams_ = std::move(arranged);
}

std::vector<StreamPart> Batch::streams_of(forward::Part part) const {
  std::vector<StreamPart> parts;
  std::size_t begin = 0;
  for (const BatchStream& stream : streams_) {
    const std::size_t end = begin + stream.entries.size();
    if (begin >= part.last) break;
    if (end > part.first)
      parts.push_back({&stream, std::max(part.first, begin) - begin, std::min(part.last, end) - begin});
    begin = end;
  }
  return parts;
}

std::string Batch::push(forward::Part part) const {
  PushWriter writer;
  for (const StreamPart& piece : streams_of(part)) {
    writer.stream(piece.stream->labels);
    for (std::size_t i = piece.first; i < piece.last; ++i) {
      const PushEntry& entry = piece.stream->entries[i];
      writer.entry(entry.ns, entry.line, entry.metadata);
    }
  }
  return writer.take();
}

}  // namespace tideover::loki
