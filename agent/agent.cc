#include "agent/agent.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "agent/admin/admin_api.h"
#include "agent/config/load.h"
#include "agent/log/log.h"
#include "agent/metrics_signal.h"
#include "agent/reexec.h"
#include "agent/settings.h"
#include "agent/version.h"
#include "wal/base/notifier.h"
#include "wal/base/system_clock.h"
#include "wal/base/task_group.h"
#include "wal/base/thread_worker.h"
#include "wal/metrics.h"
#include "wal/queue.h"
#include "wal/rocks_store.h"
#include "wal/store_directory.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;
using log::Level;

// Together below the 60 s that Kubernetes grants. What does not end in time is left: all of it is durable.
constexpr Duration kIntakeTime = 5s;  // requests under way get their answer
constexpr Duration kDrainTime = 10s;  // a receiver that is up takes the rest
constexpr Duration kSenderTime = 5s;
constexpr unsigned kStopSeconds = 30;  // then the process ends whatever hangs, a stuck sync included

constexpr Duration kObserveInterval = 2s;
constexpr Duration kOpenAgain = 1s;

class Agent {
 public:
  Agent(const config::Config& config, const RunOptions& options)
      : config_(config), options_(options), settings_(derive(config, look_at_node(config.data_dir))) {}

  int run() {
    boost::asio::co_spawn(io_, live(), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);  // a mistake of ours: end loudly, everything is durable
    });
    watch_signals();
    io_.run();
    return exit_status_;
  }

  bool wants_reexec() const { return reexec_; }

 private:
  awaitable<void> live() {
    const Result<> started = co_await start();
    if (started) {
      log::event(Level::info, "tideover is ready",
                 {{"version", version().version}, {"data_dir", config_.data_dir}});
      started_ = true;
      co_await stop_wanted_.wait();
    } else if (started.error().code != Errc::stopping) {
      log::event(Level::error, "tideover does not start", {{"because", started.error().detail}});
      exit_status_ = 1;
    }
    co_await stop();
  }

  awaitable<Result<>> start() {
    // The admin listener first: while a long recovery runs, probes see a living process that is not ready.
    if (auto listening = listen_admin(); !listening) co_return listening;
    Result<> opened = co_await open_queue();
    if (!opened) co_return opened;
    opened_ = true;
    // The socket lies in the data directory, which is ours only once the store is open.
    if (auto listening = listen_socket(); !listening) co_return listening;
    if (config_.metrics) {
      metrics_ = std::make_unique<MetricsSignal>(io_, clock_, queue_, wal_metrics_, config_, settings_);
      if (auto open = metrics_->open(); !open) co_return open;
      if (auto listening = metrics_->listen(); !listening) co_return listening;
      metrics_->spawn_senders(senders_);
    }
    tasks_.spawn(observe());
    co_return boost::system::in_place_value;
  }

  // A disk that is full or away may come back, and starting anew again and again would not help it.
  awaitable<Result<>> open_queue() {
    std::string said;
    while (true) {
      Result<> opened = wal::prepare_directory(config_.data_dir);
      if (opened) opened = co_await queue_.open();
      if (opened || (opened.error().code != Errc::disk_full && opened.error().code != Errc::io_error))
        co_return opened;
      if (const std::string& why = opened.error().detail; std::exchange(said, why) != why)
        log::event(Level::error, "the store cannot be opened yet, and is tried again", {{"because", why}});
      const bool asked = co_await stop_wanted_.wait_until(clock_.now() + kOpenAgain);
      if (asked) co_return fail(Errc::stopping, "it was asked to stop while the store could not be opened");
    }
  }

  // Intake first, so that nothing new comes; then what a living receiver takes; then the rest, which is
  // durable.
  awaitable<void> stop() {
    const bool was_ready = std::exchange(started_, false);
    stopping_ = true;
    stop_observing_.notify();
    if (metrics_) {
      co_await metrics_->close_intake(clock_.now() + kIntakeTime);
      if (was_ready && !reexec_) co_await metrics_->drain_until(clock_.now() + kDrainTime);
      metrics_->stop_senders();
      co_await senders_.join_until(clock_.now() + kSenderTime);
    }
    co_await tasks_.join_until(clock_.now() + kSenderTime);
    if (opened_) co_await queue_.stop();
    if (socket_) co_await socket_->stop(clock_.now() + 1s);
    if (admin_) co_await admin_->stop(clock_.now() + 1s);
    signals_.cancel();
  }

  awaitable<void> observe() {
    while (!stopping_) {
      if (metrics_) metrics_->observe();
      co_await stop_observing_.wait_until(clock_.now() + kObserveInterval);
    }
  }

  Result<> listen_admin() {
    admin_ = std::make_unique<server::HttpServer>(io_, clock_, settings_.admin_server,
                                                  admin::reading_routes(hooks()));
    return admin_->listen(config::print(config_.admin.listen));
  }

  Result<> listen_socket() {
    socket_ = std::make_unique<server::HttpServer>(io_, clock_, settings_.admin_server,
                                                   admin::operator_routes(hooks()));
    return socket_->listen("unix:" + config_.data_dir + "/admin.sock");
  }

  admin::Hooks hooks() {
    admin::Hooks hooks;
    hooks.snapshot = [this] { return snapshot(); };
    hooks.ready = [this] { return started_; };
    hooks.reload = [this] { return reload(); };
    hooks.retry_now = [this] {
      if (metrics_) metrics_->retry_now();
    };
    hooks.drop_cursor = [this](std::string_view name) -> Result<> {
      if (!metrics_) return fail(Errc::not_found, "no signal is on");
      return metrics_->drop_cursor(name);
    };
    return hooks;
  }

  admin::Snapshot snapshot() const {
    admin::Snapshot s;
    s.build = {std::string(version().version), std::string(version().revision),
               std::string(version().compiler)};
    s.now_ms = to_unix_ms(clock_.wall_now());
    s.started_ms = started_ms_;
    s.last_reload_ok = last_reload_ok_;
    if (metrics_ && opened_) metrics_->describe(s);
    return s;
  }

  void watch_signals() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        (void)reload();
      } else if (stopping_ || stop_asked_) {
        log::event(Level::warn, "stopping at once on the second signal; everything accepted is on disk");
        log::flush();
        ::_exit(exit_status_);
      } else {
        ask_to_stop();
      }
      watch_signals();
    });
  }

  void ask_to_stop() {
    log::event(Level::info, "stopping");
    stop_asked_ = true;
    ::alarm(kStopSeconds);  // its default action ends the process; see run_agent()
    stop_wanted_.notify();
  }

  // A new process image is the one way to take a new configuration: no part needs to know how to change. A
  // faulty file changes nothing.
  Result<> reload() {
    const config::Loaded loaded = config::load(options_.config_path, {.expand_env = options_.expand_env});
    last_reload_ok_ = loaded.config.has_value();
    if (!loaded.config) {
      log::event(Level::error, "the new configuration is faulty; the old one stays in use",
                 {{"faults", loaded.report}});
      return fail(Errc::bad_input, loaded.report);
    }
    if (stop_asked_) return fail(Errc::stopping, "the agent is stopping");
    log::event(Level::info, "restarting in place with the new configuration");
    reexec_ = true;
    ask_to_stop();
    return boost::system::in_place_value;
  }

  const config::Config& config_;
  const RunOptions& options_;
  const Settings settings_;

  // Destroyed in reverse: what uses an executor goes before it.
  boost::asio::io_context io_{1};
  SystemClock clock_{io_};
  boost::asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
  wal::RocksStore store_{{
      .directory = config_.data_dir + "/metrics",
      .memtable_bytes = settings_.memtable_bytes,
      .note = [](const std::string& sentence) { log::event(Level::warn, sentence); },
  }};
  wal::WalMetrics wal_metrics_;
  ThreadWorker writer_{"wal-write", io_.get_executor()};
  ThreadWorker reader_{"wal-read", io_.get_executor()};
  wal::Queue queue_{store_, writer_, reader_, clock_, settings_.wal, wal_metrics_};
  Notifier stop_wanted_{clock_};
  Notifier stop_observing_{clock_};
  TaskGroup senders_{io_.get_executor(), clock_};
  TaskGroup tasks_{io_.get_executor(), clock_};
  std::unique_ptr<MetricsSignal> metrics_;
  std::unique_ptr<server::HttpServer> admin_;
  std::unique_ptr<server::HttpServer> socket_;

  const std::int64_t started_ms_ = to_unix_ms(clock_.wall_now());
  bool opened_ = false;
  bool started_ = false;
  bool stop_asked_ = false;
  bool stopping_ = false;
  bool last_reload_ok_ = true;
  bool reexec_ = false;
  int exit_status_ = 0;
};

}  // namespace

int run_agent(const config::Config& config, const RunOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  // A stop that hangs ends by SIGALRM: nothing is lost by it, and a node that waits for us is worse.
  std::signal(SIGALRM, [](int) { ::_exit(1); });
  ::umask(0077);
  // Few threads share few buffers: more arenas would only hold memory back.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
  log::configure(
      {.format = config.log.format == config::LogFormat::json ? log::Format::json : log::Format::logfmt,
       .level = static_cast<Level>(config.log.level)});
  bool again = false;
  int status = 0;
  {
    Agent agent(config, options);
    status = agent.run();
    again = agent.wants_reexec();
  }
  if (!again) log::event(Level::info, "stopped", {{"status", status}});
  log::flush();
  if (again) return reexec();  // the store is closed by now
  return status;
}

}  // namespace tideover
