#include "agent/reload.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "agent/config/load.h"
#include "agent/data_directory.h"
#include "agent/reexec.h"
#include "agent/server/listener.h"
#include "wal/store_directory.h"

namespace tideover {
namespace {

std::vector<std::string> addresses_of(const config::Config& config, const SignalKinds& kinds) {
  std::vector<std::string> addresses = {config::print(config.admin.listen)};
  for (const SignalKind& kind : wanted(kinds, config))
    for (std::string& address : kind.addresses(config)) addresses.push_back(std::move(address));
  addresses.push_back(socket_address(config));  // last: it makes a file
  return addresses;
}

// Another directory must be there, ours to use, and nobody's at work.
Result<> rehearse_directory(const std::string& data_dir, const Holding& holding) {
  if (Result<> usable = prepare_home(data_dir); !usable) return usable;
  if (data_dir == holding.data_dir) return {};
  const std::string store = present_store(data_dir);
  if (Result<> usable = wal::prepare_directory(store); !usable) return usable;
  wal::DirectoryLock lock;
  return lock.take(store);
}

// Whoever connects before the next image accepts waits in the backlog.
Result<std::vector<server::Sockets>> bind_new(boost::asio::io_context& io,
                                              const std::vector<std::string>& addresses,
                                              const std::vector<Listening>& now) {
  std::vector<int> ours;
  for (const Listening& listening : now) ours.push_back(listening.descriptor);
  Inheritance bound;
  for (const std::string& address : addresses) {
    const bool have = std::ranges::any_of(now, [&](const Listening& l) { return l.address == address; });
    if (have) continue;
    Result<server::Listener> opened = server::open_listener(io, address, ours);
    if (!opened) {
      close_inheritance(bound);
      return opened.error();
    }
    bound.sockets.push_back({address, server::release_listener(*opened), {}});
  }
  return std::move(bound.sockets);
}

}  // namespace

bool Reload::wants(std::string_view address) const {
  return std::ranges::find(addresses, address) != addresses.end();
}

std::string socket_address(const config::Config& config) { return "unix:" + socket_path(config.data_dir); }

std::optional<std::string> left_behind(const Holding& holding, const config::Config& config,
                                       const SignalKinds& kinds) {
  const char* const ways =
      "put it back and wait until that is delivered, or leave it there with tideover reload --leave-backlog";
  const bool moves = config.data_dir != holding.data_dir;
  if (moves && !holding.opened)
    return fmt::format(
        "data_dir is {} now, and nobody knows what the store in {} still holds, since it cannot be opened: "
        "{}",
        config.data_dir, holding.data_dir, ways);
  const SignalKinds on = wanted(kinds, config);
  for (const auto& [signal, samples] : holding.backlog) {
    const bool stays = std::ranges::find(on, signal, &SignalKind::name) != on.end();
    if (samples == 0 || (stays && !moves)) continue;
    return moves ? fmt::format(
                       "data_dir is {} now, and {} samples of {} that are not delivered yet lie in {}: {}",
                       config.data_dir, samples, signal, holding.data_dir, ways)
                 : fmt::format("the section {} is gone, and {} of its samples are not delivered yet: {}",
                               signal, samples, ways);
  }
  return std::nullopt;
}

Result<Reload> prepare_reload(boost::asio::io_context& io, Clock& clock, const RunOptions& options,
                              const SignalKinds& kinds, const Holding& holding, bool leave_backlog) {
  config::Loaded loaded = config::load(options.config_path, {.expand_env = options.expand_env});
  if (!loaded.config) return fail(Errc::bad_input, loaded.report);
  const config::Config& config = *loaded.config;
  if (auto left = left_behind(holding, config, kinds); left && !leave_backlog)
    return fail(Errc::bad_input, std::move(*left));
  if (Result<> possible = can_restart(); !possible) return possible.error();
  for (const SignalKind& kind : wanted(kinds, config))
    if (Result<> made = kind.rehearse(io, clock, config); !made) return made.error();
  if (Result<> usable = rehearse_directory(config.data_dir, holding); !usable) return usable.error();
  std::vector<std::string> addresses = addresses_of(config, kinds);
  Result<std::vector<server::Sockets>> bound = bind_new(io, addresses, holding.listening);
  if (!bound) return bound.error();
  return Reload{{std::move(loaded.text), std::move(*bound)}, std::move(addresses)};
}

}  // namespace tideover
