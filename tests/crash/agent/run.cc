#include "tests/crash/agent/run.h"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/crash/agent/agent_process.h"
#include "tests/crash/agent/ask.h"
#include "tests/crash/agent/new_files.h"
#include "tests/crash/agent/ports.h"
#include "tests/crash/agent/read_faults.h"
#include "tests/crash/agent/senders.h"
#include "tests/crash/disk/status.h"

namespace tideover::crash {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t kConnections = 12;
constexpr auto kPoll = 1ms;
constexpr auto kDrainMax = 120s;
// A life whose power cut waits for an operation that does not come is ended by a kill.
constexpr auto kLifeMax = 8s;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// How a life ends.
struct End {
  std::optional<DiskFaults> faults;  // with a power cut at a place of its own, or without one
  milliseconds after{0};             // a kill: so long after the start
  bool at_new_file = false;          // or with the first new file after that
};

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        random_(options.seed),
        place_{options.binary, options.directory, free_low_port(), free_low_port()},
        samples_(kConnections, wall_ms()),
        account_(kConnections),
        receiver_(io_, account_, samples_, random_(), options.mischief),
        senders_(io_, account_, samples_, {.port = place_.write_port, .connections = kConnections},
                 random_()) {
    std::filesystem::create_directories(place_.disk());
    place_.write_config(receiver_.port());
    if (options.read_faults)
      read_faults_.emplace(place_.disk(), options.directory / "bad-sectors", samples_, account_, random_());
  }

  Outcome result() {
    asio::co_spawn(io_, lead(), [this](std::exception_ptr fault) {
      if (fault) rethrow(fault);
      io_.stop();
    });
    io_.run();
    outcome_.findings = account_.findings();
    if (read_faults_) {
      outcome_.unreadable_places = read_faults_->strikes();
      outcome_.unreadable_for_good = read_faults_->for_good();
      outcome_.failed_reads = read_faults_->hits();
      outcome_.unreadable_history = read_faults_->history();
    }
    for (std::uint32_t life = 0; life <= life_; ++life)
      outcome_.counted_records += records_said_lost(place_.log(life));
    outcome_.acknowledged_requests = senders_.acknowledged_requests();
    outcome_.refused_requests = senders_.refused_requests();
    outcome_.delivered_requests = receiver_.requests();
    return outcome_;
  }

 private:
  static void rethrow(std::exception_ptr fault) { std::rethrow_exception(fault); }

  asio::awaitable<void> lead() {
    senders_.start();
    asio::co_spawn(io_, change_moods(), [](std::exception_ptr fault) {
      if (fault) rethrow(fault);
    });
    const std::uint32_t lives = options_.kills + options_.power_cuts;
    while (outcome_.kills + outcome_.power_cuts < lives && outcome_.failure.empty())
      co_await live(next_end());
    moody_ = false;
    senders_.stop();
    receiver_.become(Mood::up);
    co_await drain();
  }

  asio::awaitable<void> pause(milliseconds time) {
    asio::steady_timer timer(io_, time);
    co_await timer.async_wait(asio::use_awaitable);
  }

  asio::awaitable<void> change_moods() {
    constexpr Mood kMoods[] = {Mood::up, Mood::up, Mood::away, Mood::flaky};
    while (moody_) {
      receiver_.become(kMoods[random_() % 4]);
      const auto until = steady_clock::now() + milliseconds(200 + random_() % 4000);
      while (moody_ && steady_clock::now() < until) co_await pause(20ms);
    }
    receiver_.become(Mood::up);
  }

  End next_end() {
    End end;
    const std::uint32_t kills_left = options_.kills > outcome_.kills ? options_.kills - outcome_.kills : 0;
    const std::uint32_t cuts_left =
        options_.power_cuts > outcome_.power_cuts ? options_.power_cuts - outcome_.power_cuts : 0;
    if (random_() % (kills_left + cuts_left) < cuts_left) {
      end.faults = disk_with(power_cut_at());
      end.after = kLifeMax;
      return end;
    }
    // In the start and its recovery; soon after; or in the midst of a replay.
    const auto roll = random_() % 100;
    end.after = milliseconds(roll < 30   ? random_() % 150
                             : roll < 75 ? 150 + random_() % 1500
                                         : random_() % 5000);
    end.at_new_file = random_() % 3 == 0;
    // The page cache outlives a kill: a power cut in a later life may still take what this one never synced.
    if (options_.power_cuts > 0 || options_.disk_trouble || read_faults_) end.faults = disk_with("");
    return end;
  }

  DiskFaults disk_with(std::string cut) {
    DiskFaults faults;
    faults.library = options_.disk_library;
    faults.seed = random_();
    faults.cut = std::move(cut);
    faults.sync_us_max = 500 + random_() % 8000;
    faults.lies = options_.disk_lies;
    if (read_faults_) faults.bad_sectors = read_faults_->table();
    if (options_.disk_trouble && random_() % 2 == 0)
      faults.trouble = random_() % 2 == 0 ? fmt::format("full:{}:{}", about(1000), 1 + about(300))
                                          : fmt::format("eio:{}:{}", about(1000), 1 + random_() % 3);
    return faults;
  }

  // Small numbers as likely as large ones: a start and its recovery are some dozens of operations.
  std::uint64_t about(double most) {
    const double part = static_cast<double>(random_() % 1'000'000) / 1e6;
    return static_cast<std::uint64_t>(std::exp(part * std::log(most)));
  }

  std::string power_cut_at() {
    const auto roll = random_() % 100;
    if (roll < 60) return fmt::format("any:{}", about(3000));
    if (roll < 85) return fmt::format("name:{}", about(60));
    return fmt::format("sync:{}", about(1000));
  }

  // Nothing is lost by it: the tables and logs hold everything.
  void harm_manifest() {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(place_.store(), ignored)) {
      if (!entry.path().filename().string().starts_with("MANIFEST-")) continue;
      std::filesystem::resize_file(entry, 0);
      ++outcome_.harmed;
    }
  }

  asio::awaitable<void> live(End end) {
    if (options_.harm_manifest && random_() % 3 == 0) harm_manifest();
    if (read_faults_ && random_() % 2 == 0) read_faults_->strike(false);
    auto next_bad = steady_clock::now() + milliseconds(random_() % 3000);
    const std::uint64_t acknowledged_before = senders_.acknowledged_requests();
    AgentProcess agent(place_, life_, end.faults);
    NewFiles files(place_.store());
    const auto strike = steady_clock::now() + end.after;
    bool struck = false;
    while (!agent.ended()) {
      if (!struck && steady_clock::now() >= strike) {
        const bool waits = end.at_new_file && steady_clock::now() < strike + kLifeMax;
        const bool here = files.any();
        if (!waits || here) {
          if (end.at_new_file && here) ++outcome_.at_new_file;
          agent.signal(SIGKILL);
          struck = true;
        }
      } else {
        (void)files.any();
      }
      co_await pause(kPoll);
      if (read_faults_ && !struck && steady_clock::now() >= next_bad) {
        read_faults_->strike(true);
        next_bad += milliseconds(random_() % 6000);
      }
      if (!senders_.failure().empty()) outcome_.failure = senders_.failure();
      if (!outcome_.failure.empty()) co_return;
    }
    account_.life_ended();
    receiver_.hang_up();
    if (senders_.acknowledged_requests() == acknowledged_before) ++outcome_.before_ready;
    const int status = *agent.ended();
    if (WIFEXITED(status) && WEXITSTATUS(status) == disk::kPowerCutStatus)
      ++outcome_.power_cuts;
    else if (struck)
      ++outcome_.kills;
    else
      outcome_.failure = fmt::format("life {} ended by itself with wait status {:#x}: see {}", life_, status,
                                     place_.log(life_).string());
    ++life_;
  }

  // A last life without faults: what the agent holds must all arrive, and its own account must agree.
  asio::awaitable<void> drain() {
    std::optional<DiskFaults> disk;
    if (read_faults_) {  // what is bad stays bad
      disk = DiskFaults{};
      disk->library = options_.disk_library;
      disk->bad_sectors = read_faults_->table();
    }
    AgentProcess agent(place_, life_, disk);
    const auto deadline = steady_clock::now() + kDrainMax;
    while (outcome_.failure.empty() && !outcome_.drained) {
      co_await pause(100ms);
      const std::string ledger = co_await ask(place_.admin_port, "/api/v1/status/ledger");
      outcome_.drained = senders_.stopped() && ledger.find("\"queued\":0,") != std::string::npos;
      if (agent.ended()) outcome_.failure = "the last life ended by itself";
      if (steady_clock::now() > deadline) outcome_.failure = "the agent does not drain: " + ledger;
    }
    const std::string ledger = co_await ask(place_.admin_port, "/api/v1/status/ledger");
    if (outcome_.failure.empty() && ledger.find("\"in_balance\":true") == std::string::npos)
      outcome_.failure = "the agent's account is not in balance: " + ledger;
    outcome_.counted_samples = number_behind(ledger, "\"damaged\":");
    agent.signal(SIGTERM);
    while (!agent.ended()) co_await pause(5ms);
    if (outcome_.failure.empty() && *agent.ended() != 0) outcome_.failure = "the agent did not stop cleanly";
  }

  const RunOptions& options_;
  std::mt19937_64 random_;
  const AgentPlace place_;
  asio::io_context io_{1};
  const Samples samples_;
  Account account_;
  Receiver receiver_;
  Senders senders_;
  std::optional<ReadFaults> read_faults_;
  Outcome outcome_;
  std::uint32_t life_ = 0;
  bool moody_ = true;
};

}  // namespace

Outcome run(const RunOptions& options) { return Run(options).result(); }

}  // namespace tideover::crash
