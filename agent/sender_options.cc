#include "agent/sender_options.h"

namespace tideover {

forward::SenderOptions sender_options(const config::Destination& destination, const DiskBudget& budget) {
  forward::SenderOptions options;
  options.name = destination.name;
  options.keep = destination.required ? wal::Keep::required : wal::Keep::best_effort;
  options.start = destination.from == config::From::oldest ? wal::StartAt::oldest : wal::StartAt::now;
  options.parked_bytes_max = budget.parked_max_bytes;
  options.rejects_bytes_max = budget.rejects_max_bytes;
  options.request_time = destination.request_timeout;
  // A request that fills its line is answered long before anybody gives it up.
  options.machine.pace.comfortable_time = destination.request_timeout / 3;
  options.machine.request.units = destination.request_max_items.n;
  options.machine.request.raw_bytes = destination.request_max_bytes.bytes;
  if (destination.max_bytes_per_second)
    options.machine.pace.cap_bytes_per_s = static_cast<double>(destination.max_bytes_per_second->bytes);
  return options;
}

}  // namespace tideover
