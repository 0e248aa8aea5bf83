#include "forwarders/give_up.h"

#include "forwarders/side_lanes.h"

namespace tideover::forward {

Result<> give_up_destination(wal::Queue& queue, std::string_view lane_name, std::string_view destination) {
  const auto lane = queue.find_lane(lane_name);
  if (!lane) return fail(Errc::not_found, "no lane of that name");
  auto dropped = queue.drop_cursor(*lane, destination);
  if (!dropped) return dropped;
  // Lanes of their own: nobody else needs what is in them, and a lane without a cursor is given back.
  for (const std::string_view kind : kSideLanes)
    if (const auto side = queue.find_lane(side_lane_name(lane_name, kind, destination)))
      (void)queue.drop_lane(*side);
  return dropped;
}

}  // namespace tideover::forward
