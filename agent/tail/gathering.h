// Lines of many containers on their way into one record: a push request, stream by stream.
//
// stdout and stderr of a container are written apart, however they take turns in its files: each change would
// repeat the labels. Where rules have made one stream of both they keep the order in which they were written.
// A line that was cut carries how much is missing as structured metadata (kCutBytes), so that a reader sees
// it. Pure; one executor, any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/tail/line_reader.h"
#include "agent/tail/stream_labels.h"
#include "agent/tail/tally.h"
#include "forwarders/loki/push_writer.h"
#include "wal/record.h"

namespace tideover::tail {

inline constexpr std::string_view kCutBytes = "tideover_cut_bytes";

using Streams = std::array<Stream, 2>;  // by Output

class Gathering final : public LineSink {
 public:
  // What comes now is of this container. `streams` outlives the end().
  void begin(const Streams& streams);
  void line(const TailedLine& line) override;
  Tally end();  // of its lines; `spooled` are those that are here

  std::uint64_t bytes() const { return writers_[0].bytes() + writers_[1].bytes(); }
  // Begins anew. nullopt: there was no line.
  std::optional<wal::NewRecord> take(std::int64_t arrival_ms);

 private:
  std::array<loki::PushWriter, 2> writers_;
  const Streams* streams_ = nullptr;
  bool one_ = false;                // both outputs are one stream
  std::array<bool, 2> begun_ = {};  // the stream, in its writer
  Tally tally_;
};

}  // namespace tideover::tail
