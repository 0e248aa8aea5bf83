// What receivers refused for good, as operators read it: a page at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "forwarders/reject_record.h"
#include "wal/base/strong.h"

namespace tideover::admin {

struct Reject {
  Seq number;  // goes up; a gap is a record that is damaged
  forward::RejectNote note;
  std::size_t message_bytes = 0;
};

struct RejectPage {
  std::vector<Reject> rejects;
  std::optional<Seq> next;  // where the next page begins
};

std::string rejects_json(const RejectPage& page);

}  // namespace tideover::admin
