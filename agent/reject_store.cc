#include "agent/reject_store.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "forwarders/side_lanes.h"
#include "wal/read_on_worker.h"

namespace tideover {
namespace {

// What this version does not read shows as a record without a note, rather than not at all.
admin::Reject describe(const wal::StoredRecord& record) {
  const auto view = forward::read_reject(record.payload());
  if (!view) return {record.seq, {}, record.payload().size()};
  return {record.seq, view->note, view->message.size()};
}

}  // namespace

awaitable<Result<admin::RejectPage>> read_rejects(wal::Store& store, Worker& worker, const wal::Queue& queue,
                                                  std::string lane, std::string destination, Seq from) {
  const auto id = queue.find_lane(forward::side_lane_name(lane, forward::kRejectsLane, destination));
  if (!id) co_return fail(Errc::not_found, fmt::format("no destination {} has a reject store", destination));
  const auto cursors = queue.cursors(*id);
  const auto cursor = std::ranges::find(cursors, destination, &wal::CursorUsage::name);
  admin::RejectPage page;
  if (cursor == cursors.end()) co_return page;
  const Seq end{cursor->position.value + cursor->behind.records};  // none of them stands for several numbers
  const Seq begin = std::max(from, cursor->position);
  if (!(begin < end)) co_return page;
  const wal::ReadRequest request{*id, begin, end, kRejectPageBytes};
  const Result<wal::ReadRange> range = co_await wal::read_on(worker, store, request);
  if (!range) co_return range.error();
  for (const wal::StoredRecord& record : range->records) page.rejects.push_back(describe(record));
  if (range->next < end && begin < range->next) page.next = range->next;
  co_return page;
}

}  // namespace tideover
