// The answers of GET /api/v1/status/*. Shapes are stable: scripts read them. docs/STATUS.md describes every
// field.
#pragma once

#include <string>

#include "agent/admin/snapshot.h"

namespace tideover::admin {

std::string buildinfo_json(const Snapshot& snapshot);
std::string buffer_json(const Snapshot& snapshot);
std::string destinations_json(const Snapshot& snapshot);
std::string senders_json(const Snapshot& snapshot);
std::string ledger_json(const Snapshot& snapshot);
std::string logs_json(const Snapshot& snapshot);

}  // namespace tideover::admin
