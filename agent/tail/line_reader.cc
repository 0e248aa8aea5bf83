#include "agent/tail/line_reader.h"

#include <algorithm>
#include <cstring>

#include "agent/tail/text.h"
#include "wal/base/little_endian.h"

namespace tideover::tail {
namespace {

constexpr std::uint8_t kStateVersion = 1;

std::size_t end_of_line(std::string_view bytes) {
  const void* const found = bytes.empty() ? nullptr : std::memchr(bytes.data(), '\n', bytes.size());
  return found == nullptr ? bytes.npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
}

}  // namespace

std::size_t LineReader::take(std::string_view bytes, Rest rest, std::int64_t now_ns, LineSink& sink) {
  const std::size_t all = bytes.size();
  while (!bytes.empty()) {
    const std::size_t end = end_of_line(bytes);
    if (end == bytes.npos && rest == Rest::unknown && !long_) break;
    const std::string_view text = bytes.substr(0, end);
    const bool ends = end != bytes.npos || rest == Rest::none;
    CriLine part;
    bool foreign = false;
    if (long_) {
      part = {long_->time_ns, long_->output, long_->partial, text};
    } else {
      part = parse(text, now_ns);
      foreign = foreign_;
    }
    if (!ends && !long_) long_ = Long{part.time_ns, part.output, part.partial};
    if (ends) long_.reset();
    part.partial = part.partial || !ends;
    add(part, foreign, sink);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  }
  // The line's feed is missing for ever, and all else of it has been taken already.
  if (rest == Rest::none && long_) {
    const CriLine last{long_->time_ns, long_->output, long_->partial, {}};
    long_.reset();
    add(last, false, sink);
  }
  return all - bytes.size();
}

CriLine LineReader::parse(std::string_view line, std::int64_t now_ns) {
  foreign_ = false;
  if (format_ == Format::plain) return {std::max(now_ns, last_time_ns_ + 1), Output::standard, false, line};
  if (const auto parsed = parse_cri_line(line)) return *parsed;
  foreign_ = true;
  return {last_time_ns_ == 0 ? now_ns : last_time_ns_ + 1, Output::standard, false, line};
}

void LineReader::add(const CriLine& part, bool foreign, LineSink& sink) {
  last_time_ns_ = part.time_ns;
  // What is no line of the runtime does not end one of its lines.
  if (part.partial || (!foreign && joiner_.unfinished(part.output))) {
    if (const auto line = joiner_.add(part)) give(*line, sink);
    return;
  }
  const std::size_t kept = std::min(part.content.size(), line_bytes_max_);
  const std::uint64_t cut = part.content.size() - kept;
  ++lines_;
  sink.line({part.time_ns, part.output,
             clean(part.content.substr(0, kept), line_bytes_max_, cut != 0, scratch_), cut, foreign});
}

void LineReader::give(const Line& line, LineSink& sink) {
  ++lines_;
  sink.line({line.time_ns, line.output, clean(line.text, line_bytes_max_, line.cut_bytes != 0, scratch_),
             line.cut_bytes, false});
}

void LineReader::end(LineSink& sink) {
  long_.reset();
  while (const auto line = joiner_.take_unfinished()) give(*line, sink);
}

std::string LineReader::encode() const {
  std::string state;
  append_le(state, kStateVersion);
  append_le(state, last_time_ns_);
  append_le(state, static_cast<std::uint8_t>(long_.has_value()));
  if (long_) {
    append_le(state, long_->time_ns);
    append_le(state, static_cast<std::uint8_t>(long_->output));
    append_le(state, static_cast<std::uint8_t>(long_->partial));
  }
  return state + joiner_.encode();
}

bool LineReader::decode(std::string_view state) {
  long_.reset();
  last_time_ns_ = 0;
  joiner_.decode({});
  if (state.empty()) return true;
  LittleEndianReader from(state);
  const bool ours = from.next<std::uint8_t>() == kStateVersion;
  const auto last_time_ns = from.next<std::int64_t>();
  std::optional<Long> unended;
  if (from.next<std::uint8_t>() != 0) {
    unended = Long{};
    unended->time_ns = from.next<std::int64_t>();
    unended->output = from.next<std::uint8_t>() == 0 ? Output::standard : Output::error;
    unended->partial = from.next<std::uint8_t>() != 0;
  }
  const std::size_t head = 1 + 8 + 1 + (unended ? 10 : 0);
  if (!ours || !from.ok() || !joiner_.decode(state.substr(head))) return false;
  long_ = unended;
  last_time_ns_ = last_time_ns;
  return true;
}

}  // namespace tideover::tail
