// The agent's own HTTP surface. Read-only on TCP; whatever changes state only on the unix socket, whose file
// mode is its access control.
//
// Executor: io. Healthy means the event loop answers; ready means records can be taken in and kept. Neither
// depends on mgmt, nor on free space: a full node can still be rolled.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/admin/rejects.h"
#include "agent/admin/snapshot.h"
#include "agent/server/http_server.h"
#include "wal/base/clock.h"
#include "wal/base/result.h"

namespace tideover::admin {

struct Hooks {
  std::function<Snapshot()> snapshot;
  std::function<std::string()> not_ready;  // as Snapshot::not_ready
  // Verbs of the socket. An error's sentence is the answer. `leave_backlog`: what the new configuration does
  // not find any more may be left behind.
  std::function<Result<>(bool leave_backlog)> reload;
  std::function<Result<>(std::string_view signal)> retry_now;  // without one: of all signals
  std::function<Result<>(std::string_view signal, std::string_view destination)> drop_cursor;
  std::function<awaitable<Result<RejectPage>>(std::string signal, std::string destination, Seq from)> rejects;
};

std::vector<server::Route> reading_routes(Hooks hooks);
std::vector<server::Route> operator_routes(Hooks hooks);  // the reading ones included

}  // namespace tideover::admin
