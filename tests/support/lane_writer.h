// Sealed records with running numbers and totals, as the queue would hand them to a store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "wal/store.h"
#include "wal/wal_format.h"

namespace tideover::wal {

class LaneWriter {
 public:
  explicit LaneWriter(LaneId lane, Seq first = Seq{1}) : lane_(lane), next_(first) {}

  LaneId lane() const { return lane_; }
  Seq tail() const { return Seq{next_.value - 1}; }

  StoreBatch::Put put(std::string_view payload, std::int64_t arrival_ms = 0) {
    NewRecord record;
    record.bytes.reserve(kEnvelopeBytes + payload.size());
    record.bytes.assign(kEnvelopeBytes, '\0');
    record.bytes += payload;
    record.attributes.units = 1;
    record.attributes.arrival_ms = arrival_ms;
    totals_ = totals_ + Totals{1, 1, record.bytes.size()};
    seal_envelope(record, next_, totals_);
    const Seq seq = std::exchange(next_, next(next_));
    return {lane_, seq, std::make_shared<const std::string>(std::move(record.bytes))};
  }

 private:
  LaneId lane_;
  Seq next_;
  Totals totals_;
};

inline StoreBatch batch_of(std::vector<StoreBatch::Put> records,
                           std::vector<std::pair<std::string, std::string>> meta = {}) {
  return {std::move(records), std::move(meta)};
}

}  // namespace tideover::wal
