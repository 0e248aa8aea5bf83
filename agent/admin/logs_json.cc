// GET /api/v1/status/logs: what was read of logs, container by container.
#include <boost/json/object.hpp>

#include "agent/admin/status_json.h"
#include "agent/json/plain.h"

namespace tideover::admin {
namespace {

namespace json = boost::json;

json::object json_of(const tail::Tally& t) {
  return {
      {"lines", t.lines},
      {"bytes", t.bytes},
      {"spooled_lines", t.spooled},
      {"dropped_lines", t.dropped},
      {"cut_lines", t.cut},
      {"foreign_lines", t.foreign},
      {"missed_bytes", t.missed_bytes},
      {"gaps", t.perhaps_more},
      {"truncations", t.truncations},
      {"damaged_bytes", t.damaged_bytes},
      {"containers", t.chains},
      {"open_files", t.open_files},
      {"pinned_bytes", t.pinned_bytes},
      {"lag_bytes", t.lag_bytes},
  };
}

}  // namespace

std::string logs_json(const Snapshot& s) {
  json::object all{{"files", nullptr}};
  for (const SignalSnapshot& signal : s.signals) {
    if (!signal.files) continue;
    json::array largest;
    for (const tail::ContainerTally& container : signal.files->largest) {
      json::object entry = json_of(container.tally);
      entry["path"] = container.path;
      largest.push_back(std::move(entry));
    }
    all["files"] = json::object{{"total", json_of(signal.files->total)},
                                {"largest", std::move(largest)},
                                {"rest", json_of(signal.files->rest)},
                                {"gone", json_of(signal.files->gone)},
                                {"left_out_containers", signal.files->left_out}};
  }
  return plain_json(all) + "\n";
}

}  // namespace tideover::admin
