#include "agent/damage_log.h"

#include <utility>

#include "agent/log/log.h"

namespace tideover {
namespace {

std::uint64_t damaged(const forward::SenderStatus& status) {
  std::uint64_t units = 0;
  for (const wal::CursorUsage* cursor : {&status.main, &status.parked, &status.quarantine})
    units += cursor->ledger.lost[static_cast<std::size_t>(wal::Reason::damaged)];
  return units;
}

}  // namespace

DamageLog::DamageLog(std::string signal, std::string destination, const forward::SenderStatus& found)
    : signal_(std::move(signal)), destination_(std::move(destination)), told_(damaged(found)) {}

void DamageLog::look(const forward::SenderStatus& status) {
  const std::uint64_t all = damaged(status);
  if (all <= told_) return;
  log::event(log::Level::error, "samples are lost: what the disk held of them is damaged or cannot be read",
             {{"signal", signal_},
              {"destination", destination_},
              {"samples", static_cast<std::int64_t>(all - told_)},
              {"so_far", static_cast<std::int64_t>(all)}});
  told_ = all;
}

}  // namespace tideover
