#include "tests/crash/agent/damage.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <regex>
#include <signal.h>
#include <stdexcept>
#include <sys/wait.h>

#include "tests/crash/agent/agent_process.h"
#include "tests/crash/agent/ask.h"
#include "tests/crash/agent/ports.h"
#include "tests/crash/agent/receiver.h"
#include "tests/crash/agent/senders.h"
#include "tests/crash/agent/stored_requests.h"
#include "tests/crash/disk/bad_sectors.h"

namespace tideover::crash {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::uint32_t kConnections = 6;
constexpr auto kTrialMax = 90s;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

asio::awaitable<void> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

bool speaks_of_the_store(const fs::path& log) {
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    const bool loud =
        line.find("level=warn") != std::string::npos || line.find("level=error") != std::string::npos;
    if (loud && line.find("destination") == std::string::npos &&
        line.find("buffer would") == std::string::npos)
      return true;
  }
  return false;
}

disk::Lasting lasting(Harm harm) {
  return harm == Harm::unreadable_a_while ? disk::Lasting{.reads = 2} : disk::Lasting{};
}

void harm(const fs::path& file, const Trial& trial) {
  switch (trial.harm) {
    case Harm::remove: fs::remove(file); return;
    case Harm::empty: fs::resize_file(file, 0); return;
    case Harm::cut: fs::resize_file(file, trial.at); return;
    case Harm::flip: {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekg(static_cast<std::streamoff>(trial.at));
      char byte = 0;
      stream.get(byte);
      stream.seekp(static_cast<std::streamoff>(trial.at));
      stream.put(static_cast<char>(byte ^ 0x20));
      return;
    }
    case Harm::unreadable:
    case Harm::unreadable_a_while:
    case Harm::unreadable_whole: return;  // by the disk
  }
}

}  // namespace

const char* to_string(Harm harm) {
  switch (harm) {
    case Harm::flip: return "flip";
    case Harm::cut: return "cut";
    case Harm::empty: return "empty";
    case Harm::remove: return "remove";
    case Harm::unreadable: return "EIO";
    case Harm::unreadable_a_while: return "EIO, 2x";
    case Harm::unreadable_whole: return "EIO all";
  }
  return "";
}

DamagedStores::DamagedStores(fs::path binary, fs::path disk, fs::path directory, std::uint64_t seed,
                             std::uint64_t requests)
    : binary_(std::move(binary)),
      disk_(std::move(disk)),
      directory_(std::move(directory)),
      write_port_(free_low_port()),
      admin_port_(free_low_port()) {
  write_everything(seed, requests);
}

// The first twentieth is delivered, so that cursors have moved; then the receiver is away. Halfway the agent
// is killed and started again: what it had is in tables then, whose logs are gone.
void DamagedStores::write_everything(std::uint64_t seed, std::uint64_t requests) {
  const AgentPlace place{binary_, directory_ / "original", write_port_, admin_port_};
  fs::create_directories(place.disk());
  asio::io_context io(1);
  samples_ = std::make_unique<Samples>(kConnections, wall_ms());
  written_ = std::make_unique<Account>(kConnections);
  Receiver receiver(io, *written_, *samples_, seed, Mischief::none);
  place.write_config(receiver.port());
  Senders senders(io, *written_, *samples_,
                  {.port = write_port_, .connections = kConnections, .outstanding_max = UINT64_MAX}, seed);
  auto agent = std::make_unique<AgentProcess>(place, 0, std::nullopt);
  auto kill = [&]() -> asio::awaitable<void> {
    agent->signal(SIGKILL);
    while (!agent->ended()) co_await pause(2ms);
    written_->life_ended();
  };
  auto write = [&](std::uint64_t until) -> asio::awaitable<void> {
    while (senders.acknowledged_requests() < until && !agent->ended()) {
      if (senders.acknowledged_requests() > requests / 20) receiver.become(Mood::away);
      co_await pause(5ms);
    }
  };
  auto lead = [&]() -> asio::awaitable<void> {
    senders.start();
    co_await write(requests / 2);
    co_await kill();
    agent = std::make_unique<AgentProcess>(place, 1, std::nullopt);
    co_await write(requests);
    senders.stop();
    while (!senders.stopped()) co_await pause(5ms);
    co_await pause(1s);  // an acknowledgement of the delivered part may still wait for its group
    co_await kill();
    io.stop();
  };
  asio::co_spawn(io, lead(), [](std::exception_ptr fault) {
    if (fault) std::rethrow_exception(fault);
  });
  io.run();
  if (senders.acknowledged_requests() < requests) throw std::runtime_error("the store was not written");
}

fs::path DamagedStores::store() const { return AgentPlace{binary_, directory_ / "original", 0, 0}.store(); }

fs::path DamagedStores::last_log() const { return AgentPlace{binary_, directory_ / "trial", 0, 0}.log(0); }

std::vector<fs::path> DamagedStores::files() const {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(store()))
    if (entry.is_regular_file()) files.push_back(entry.path().filename());
  std::sort(files.begin(), files.end());
  return files;
}

Verdict DamagedStores::run(const Trial& trial) {
  const AgentPlace place{binary_, directory_ / "trial", write_port_, admin_port_};
  fs::remove_all(place.root);
  fs::create_directories(place.data());
  fs::copy(store(), place.store());
  for (const fs::path& directory : {place.data(), place.store()})
    fs::permissions(directory, fs::perms::owner_all);
  harm(place.store() / trial.file, trial);

  Verdict verdict;
  asio::io_context io(1);
  Account account = *written_;
  disk::BadSectors sectors(place.root / "bad-sectors");
  std::optional<DiskFaults> faults;
  if (unreadable(trial.harm)) {
    const disk::Extent place_of_it =
        trial.harm == Harm::unreadable_whole ? disk::Extent{} : disk::Extent::page(trial.at / disk::kPage);
    sectors.add(place.store() / trial.file, place_of_it, lasting(trial.harm));
    if (trial.harm != Harm::unreadable_a_while)
      for (const RequestId id : stored_requests(place.store() / trial.file, place_of_it, *samples_))
        account.may_be_lost(id);
    faults = DiskFaults{};
    faults->library = disk_;
    faults->bad_sectors = place.root / "bad-sectors";
  }
  Receiver receiver(io, account, *samples_, 1, Mischief::none);
  place.write_config(receiver.port());
  AgentProcess agent(place, 0, faults);
  auto lead = [&]() -> asio::awaitable<void> {
    const auto start = steady_clock::now();
    bool drained = false;
    while (!drained && !agent.ended() && steady_clock::now() < start + kTrialMax) {
      co_await pause(20ms);
      const std::string ready = co_await ask(admin_port_, "/-/ready");
      if (!verdict.started && ready.starts_with("HTTP/1.1 200")) {
        verdict.started = true;
        verdict.ready_s = std::chrono::duration<double>(steady_clock::now() - start).count();
      }
      const std::string ledger = co_await ask(admin_port_, "/api/v1/status/ledger");
      drained = verdict.started && ledger.find("\"queued\":0,") != std::string::npos;
      verdict.in_balance = ledger.find("\"in_balance\":true") != std::string::npos;
      verdict.counted_samples = number_behind(ledger, "\"damaged\":");
    }
    const std::string metrics = co_await ask(admin_port_, "/metrics");
    verdict.counted_records = number_behind(metrics, "\ntideover_buffer_damaged_records_total ");
    agent.signal(SIGTERM);
    while (!agent.ended()) co_await pause(2ms);
    if (!drained)
      verdict.failure = verdict.started ? "it does not drain" : "it does not start";
    else if (*agent.ended() != 0)
      verdict.failure = "it does not stop cleanly";
    io.stop();
  };
  asio::co_spawn(io, lead(), [](std::exception_ptr fault) {
    if (fault) std::rethrow_exception(fault);
  });
  io.run();
  verdict.findings = account.findings();
  verdict.failed_reads = sectors.hits();
  verdict.last_group_records = records_said_lost(last_log());
  verdict.noted = speaks_of_the_store(last_log());
  return verdict;
}

}  // namespace tideover::crash
