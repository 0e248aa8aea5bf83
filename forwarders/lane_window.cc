#include "forwarders/lane_window.h"

#include <utility>

namespace tideover::forward {

Seq LaneWindow::end_of(std::size_t records) const {
  return records == at_hand().size() ? end_ : next(at_hand()[records - 1].seq);
}

awaitable<Result<>> LaneWindow::fill(std::uint64_t max_bytes) {
  records_.clear();
  front_ = 0;
  auto batch = co_await queue_.read(cursor_, max_bytes);
  if (batch.has_error()) co_return batch.error();
  records_ = std::move(batch->records);
  end_ = batch->next;
  forfeited_ = false;
  if (records_.empty() && batch->first < batch->next) {  // all damaged: the queue counts it
    wal::Ack ack;
    ack.upto = batch->next;
    queue_.ack(cursor_, std::move(ack));
  }
  co_return boost::system::in_place_value;
}

awaitable<Result<bool>> LaneWindow::extend(std::uint64_t more_bytes) {
  const std::vector<wal::StoredRecord> held(at_hand().begin(), at_hand().end());
  const Seq held_end = end_;
  std::uint64_t bytes = more_bytes;
  for (const wal::StoredRecord& record : held) bytes += record.bytes->size();
  const Result<> filled = co_await fill(bytes);
  const bool covers = filled && records_.size() >= held.size() && records_.front().seq == held.front().seq &&
                      records_[held.size() - 1].seq == held.back().seq;
  if (covers) co_return true;
  records_ = held;
  end_ = held_end;
  if (filled.has_error()) co_return filled.error();
  forfeited_ = true;
  co_return false;
}

void LaneWindow::release(Seq upto) {
  while (!at_hand().empty() && at_hand().front().seq < upto) records_[front_++].bytes.reset();
}

void LaneWindow::forget() {
  records_.clear();
  front_ = 0;
  forfeited_ = false;
}

}  // namespace tideover::forward
