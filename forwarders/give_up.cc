#include "forwarders/give_up.h"

#include "forwarders/side_lanes.h"
#include "wal/queue_state.h"

namespace tideover::forward {

Result<> give_up_destination(wal::Queue& queue, std::string_view lane_name, std::string_view destination) {
  auto dropped = queue.drop_cursor(wal::lane_id(lane_name), destination);
  if (!dropped) return dropped;
  // Lanes of their own: nobody else needs what is in them, and a lane without a cursor is given back.
  for (const std::string_view kind : kSideLanes)
    (void)queue.drop_cursor(queue.open_lane(side_lane_name(lane_name, kind, destination), {0, false}),
                            destination);
  return dropped;
}

}  // namespace tideover::forward
