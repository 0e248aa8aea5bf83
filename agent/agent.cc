#include "agent/agent.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <malloc.h>
#include <optional>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "agent/admin/admin_api.h"
#include "agent/buffer_watch.h"
#include "agent/config/load.h"
#include "agent/data_directory.h"
#include "agent/log/log.h"
#include "agent/operator_verbs.h"
#include "agent/reexec.h"
#include "agent/reload.h"
#include "agent/server/byte_budget.h"
#include "agent/settings.h"
#include "agent/signal.h"
#include "agent/version.h"
#include "wal/base/notifier.h"
#include "wal/base/system_clock.h"
#include "wal/base/task_group.h"
#include "wal/base/thread_worker.h"
#include "wal/metrics.h"
#include "wal/queue.h"
#include "wal/rocks/rocks_store.h"
#include "wal/store_directory.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;
using log::Level;

// What does not end in time is left: all of it is durable.
constexpr Duration kIntakeTime = 5s;  // requests under way get their answer
constexpr Duration kDrainTime = 10s;  // a receiver that is up takes the rest
constexpr Duration kSenderTime = 5s;
constexpr Duration kDiskTime = 5s;
constexpr Duration kAdminTime = 1s;
// Then the process ends whatever hangs: below the 30 s that Kubernetes grants by default.
constexpr Duration kStopTime = 25s;
constexpr unsigned kStopSecondsAtMost = 27;

// How long a restart in place counts as ready: longer than any recovery that nobody needs to know of.
constexpr Duration kRestartTime = 2s;

constexpr Duration kObserveInterval = 2s;
constexpr Duration kOpenAgain = 1s;

class Agent {
 public:
  Agent(const config::Config& config, const RunOptions& options, const SignalKinds& kinds)
      : config_(config),
        options_(options),
        all_kinds_(kinds),
        kinds_(wanted(kinds, config)),
        settings_(derive(config, look_at_node(config.data_dir), sharers())),
        inherited_(options.inheritance.value_or(Inheritance{})) {}

  int run() {
    boost::asio::co_spawn(io_, live(), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);  // a mistake of ours: end loudly, everything is durable
    });
    watch_signals();
    release_signals();
    io_.run();
    return exit_status_;
  }

  // Set after run() when a new image is to go on. `told_again`: a reload was asked for meanwhile.
  const std::optional<Reload>& next() const { return next_; }
  bool told_again() const { return told_again_; }

 private:
  awaitable<void> live() {
    const Result<> started = co_await start();
    if (started) {
      log::event(Level::info, "tideover is ready",
                 {{"version", version().version},
                  {"cluster", config_.cluster},
                  {"node", config_.node},
                  {"data_dir", config_.data_dir}});
      started_ = true;
      close_inheritance(inherited_);  // what this configuration has no use for
      if (std::exchange(told_again_, false)) (void)reload(false);
      co_await stop_wanted_.wait();
    } else if (started.error().code != Errc::stopping) {
      log::event(Level::error, "tideover does not start", {{"because", started.error().detail}});
      exit_status_ = 1;
      next_.reset();
    }
    if (next_)
      co_await hand_over();
    else
      co_await stop();
    clock_.cancel(stop_timer_);
    hold_signals();
    co_await sleep_until(clock_, clock_.now());  // one turn of the loop: what was caught before is answered
    caught_.cancel();
  }

  Sharers sharers() const {
    Sharers sharers{kinds_.size(), 0};
    for (const SignalKind& kind : kinds_) sharers.listeners += kind.addresses(config_).size();
    return sharers;
  }

  awaitable<Result<>> start() {
    if (!settings_.memory_shortfall.empty())
      log::event(Level::warn, "there is less memory than the agent promises to get along with",
                 {{"so", settings_.memory_shortfall}});
    // The admin listener first: while a long recovery runs, probes see a living process that is not ready.
    if (auto listening = listen_admin(); !listening) co_return listening;
    Result<> opened = co_await open_queue();
    if (!opened) co_return opened;
    opened_ = true;
    if (auto listening = listen_socket(); !listening) co_return listening;
    for (const SignalKind& kind : kinds_) {
      auto signal = kind.make({io_, clock_, queue_, config_, settings_, inflight_});
      if (auto open = signal->open(); !open) co_return open;
      signals_.push_back(std::move(signal));
    }
    for (const auto& signal : signals_) {
      if (auto listening = signal->listen(inherited_); !listening) co_return listening;
      signal->spawn(senders_);
    }
    tasks_.spawn(observe());
    co_return boost::system::in_place_value;
  }

  // A disk that is full or away may come back, and starting anew again and again would not help it. Meanwhile
  // operators can ask, and give another configuration.
  awaitable<Result<>> open_queue() {
    while (true) {
      Result<> opened = open_home();
      if (opened) opened = adopt_earlier_store(config_.data_dir);
      if (opened) opened = co_await queue_.open();
      if (opened) no_store_.clear();
      if (opened || (opened.error().code != Errc::disk_full && opened.error().code != Errc::io_error))
        co_return opened;
      if (const std::string& why = opened.error().detail; std::exchange(no_store_, why) != why)
        log::event(Level::error, "the store cannot be opened yet, and is tried again", {{"because", why}});
      const Time again = clock_.now() + kOpenAgain;
      waits_for_disk_ = true;
      if (std::exchange(told_again_, false)) (void)reload(false);
      const bool asked = co_await stop_wanted_.wait_until(again);
      waits_for_disk_ = false;
      if (asked) co_return fail(Errc::stopping, "it was asked to stop while the store could not be opened");
    }
  }

  // The socket as soon as the directory is ours; where there is no room for its file, once the store is open.
  Result<> open_home() {
    if (Result<> ready = prepare_home(config_.data_dir); !ready) return ready;
    if (Result<> ours = home_.take(config_.data_dir); !ours) return ours;
    (void)listen_socket();
    return boost::system::in_place_value;
  }

  // Intake first, so that nothing new comes; then what a living receiver takes; then the rest, which is
  // durable.
  awaitable<void> stop() {
    const bool was_ready = std::exchange(started_, false);
    const Time intake_ends = clock_.now() + kIntakeTime;
    co_await all_at_once([&](Signal& signal) { return signal.close_intake(intake_ends); });
    const Time drained = clock_.now() + kDrainTime;
    if (was_ready) co_await all_at_once([&](Signal& signal) { return signal.drain_until(drained); });
    co_await stop_senders();
    const bool closed = co_await close_store();
    // Not the operators' socket while the disk hangs: its file is to be removed, and that would hang too.
    if (socket_ && closed) co_await socket_->stop(clock_.now() + kAdminTime);
    if (admin_) co_await admin_->stop(clock_.now() + kAdminTime);
    if (!closed || !joined_) leave_disk();
  }

  // From the moment intake ends clients wait for the next image: what may take its time comes before that.
  // The agent stays ready, and no socket is closed on which the next image listens.
  awaitable<void> hand_over() {
    co_await stop_senders();
    const Time intake_ends = clock_.now() + kIntakeTime;
    TaskGroup intakes(io_.get_executor(), clock_);
    for (server::HttpServer* const server : intake_servers())
      intakes.spawn(hand_over_or_stop(*server, intake_ends));
    co_await intakes.join_until(Time::max());
    const bool closed = co_await close_store();
    if (!closed || !joined_) leave_disk();
    if (socket_) co_await hand_over_or_stop(*socket_, clock_.now() + kAdminTime);
    co_await hand_over_or_stop(*admin_, clock_.now() + kAdminTime);
    pass_on_untaken();
  }

  // Of what the image before this one left, while the store could not be opened.
  void pass_on_untaken() {
    if (next_)
      for (server::Sockets& sockets : inherited_.sockets)
        if (next_->wants(sockets.address)) next_->bequest.sockets.push_back(std::exchange(sockets, {}));
    close_inheritance(inherited_);
  }

  // None waits for another.
  template <class Begin>
  awaitable<void> all_at_once(Begin begin) {
    TaskGroup group(io_.get_executor(), clock_);
    for (const auto& signal : signals_) group.spawn(begin(*signal));
    co_await group.join_until(Time::max());
  }

  std::vector<server::HttpServer*> intake_servers() const {
    std::vector<server::HttpServer*> all;
    for (const auto& signal : signals_)
      for (server::HttpServer* const server : signal->servers()) all.push_back(server);
    return all;
  }

  awaitable<void> hand_over_or_stop(server::HttpServer& server, Time deadline) {
    if (next_ && !next_->wants(server.asked_for())) {
      co_await server.stop(deadline);
      co_return;
    }
    server::Sockets sockets = co_await server.hand_over(deadline);
    if (next_ && sockets.listener >= 0)
      next_->bequest.sockets.push_back(std::move(sockets));
    else
      server::close_sockets(sockets);  // nobody could reach it, or we were told to stop meanwhile
  }

  awaitable<void> stop_senders() {
    for (const auto& signal : signals_) signal->stop_senders();
    joined_ = co_await senders_.join_until(clock_.now() + kSenderTime);
  }

  // False when the disk does not answer.
  awaitable<bool> close_store() {
    stopping_ = true;
    stop_observing_.notify();
    co_await tasks_.join_until(clock_.now() + kSenderTime);
    if (!opened_) co_return true;
    tasks_.spawn(queue_.stop());
    const bool closed = co_await tasks_.join_until(clock_.now() + kDiskTime);
    co_return closed;
  }

  [[noreturn]] void leave_disk() {
    log::event(Level::error,
               "the disk does not answer: the agent ends without it; what was acknowledged is on it already");
    log::flush();
    ::_exit(1);
  }

  awaitable<void> observe() {
    while (!stopping_) {
      for (const auto& signal : signals_) signal->observe();
      co_await stop_observing_.wait_until(clock_.now() + kObserveInterval);
    }
  }

  Result<> listen_admin() {
    admin_ = std::make_unique<server::HttpServer>(io_, clock_, settings_.admin_server,
                                                  admin::reading_routes(hooks()));
    return listen(*admin_, config::print(config_.admin.listen));
  }

  Result<> listen_socket() {
    if (socket_) return boost::system::in_place_value;
    auto server = std::make_unique<server::HttpServer>(io_, clock_, settings_.admin_server,
                                                       admin::operator_routes(hooks()));
    Result<> listening = listen(*server, socket_address(config_));
    if (listening) socket_ = std::move(server);
    return listening;
  }

  Result<> listen(server::HttpServer& server, const std::string& address) {
    server.on_warning([](std::string_view sentence) { log::event(Level::warn, sentence); });
    // A crowd of senders does not keep probes and operators out.
    server.on_no_descriptor([this] {
      return std::ranges::any_of(intake_servers(),
                                 [](server::HttpServer* intake) { return intake->give_up_a_connection(); });
    });
    return server.listen(address, inherited_.take(address));
  }

  admin::Hooks hooks() {
    admin::Hooks hooks;
    hooks.snapshot = [this] { return snapshot(); };
    hooks.not_ready = [this] { return not_ready(); };
    hooks.reload = [this](bool leave_backlog) { return reload(leave_backlog); };
    hooks.retry_now = [this](std::string_view signal) { return verbs_.retry_now(signal); };
    hooks.drop_cursor = [this](std::string_view signal, std::string_view destination) {
      return verbs_.drop_cursor(signal, destination);
    };
    hooks.rejects = [this](std::string signal, std::string destination, Seq from) {
      return verbs_.rejects(std::move(signal), std::move(destination), from);
    };
    return hooks;
  }

  // Why no record can be taken in and kept; empty: they can. A restart in place takes a moment in which
  // clients wait but none is refused. A disk that is full is no reason: a full node can still be rolled.
  std::string not_ready() const {
    const auto fault = opened_ ? queue_.fault() : std::nullopt;
    if (fault && fault->code != Errc::disk_full) return "the store cannot be written to: " + fault->detail;
    if (started_ || (options_.inheritance && clock_.now() < began_ + kRestartTime)) return {};
    if (stop_asked_) return "the agent is stopping";
    if (!no_store_.empty()) return "the store cannot be opened yet: " + no_store_;
    return "the store is being opened";
  }

  admin::Snapshot snapshot() const {
    admin::Snapshot s;
    s.build = version();
    s.cluster = config_.cluster;
    s.node = config_.node;
    for (const Listening& l : listening())
      if (!l.address.starts_with("unix:")) s.listening.push_back(l.address);
    s.now_ms = to_unix_ms(clock_.wall_now());
    s.started_ms = started_ms_;
    s.last_reload_ok = last_reload_ok_;
    s.not_ready = not_ready();
    if (!opened_) return s;
    s.store = describe_store(queue_, settings_.wal, wal_metrics_);
    for (const auto& signal : signals_) s.signals.push_back(signal->describe());
    return s;
  }

  void watch_signals() {
    caught_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      if (signal == SIGHUP)
        (void)reload(false);
      else
        on_stop_signal();
      watch_signals();
    });
  }

  void on_stop_signal() {
    if (std::exchange(stop_signalled_, true)) {
      log::event(Level::warn, "stopping at once on the second signal; everything accepted is on disk");
      log::flush();
      ::_exit(exit_status_);
    }
    next_.reset();  // a restart under way becomes a stop
    log::event(Level::info, "stopping");
    ask_to_stop();
  }

  void ask_to_stop() {
    if (std::exchange(stop_asked_, true)) return;
    stop_timer_ = clock_.call_at(clock_.now() + kStopTime, [] {
      log::event(Level::error, "stopping takes too long; the agent ends, and everything accepted is on disk");
      log::flush();
      ::_exit(1);
    });
    ::alarm(kStopSecondsAtMost);  // for a loop that hangs; see run_agent()
    stop_wanted_.notify();
  }

  // A new process image is the one way to take a new configuration: no part needs to know how to change. What
  // cannot be used changes nothing.
  Result<> reload(bool leave_backlog) {
    if (stop_asked_ && !next_) return fail(Errc::stopping, "the agent is stopping");
    if (next_ || !(started_ || waits_for_disk_)) {
      told_again_ = true;  // the file may have changed since it was read: whoever comes to run looks at it
      return boost::system::in_place_value;
    }
    Result<Reload> prepared = prepare_reload(io_, clock_, options_, all_kinds_, holding(), leave_backlog);
    last_reload_ok_ = prepared.has_value();
    if (!prepared) {
      log::event(Level::error, "the new configuration cannot be used; the old one stays",
                 {{"because", prepared.error().detail}});
      return prepared.error();
    }
    log::event(Level::info, "restarting in place with the new configuration");
    next_ = std::move(*prepared);
    // Nobody would answer on what was bound for it until the store is open.
    if (!started_) close_inheritance(next_->bequest);
    ask_to_stop();
    return boost::system::in_place_value;
  }

  Holding holding() const {
    Holding all{config_.data_dir, listening(), opened_};
    for (const server::Sockets& left : inherited_.sockets)
      all.listening.push_back({left.address, left.listener});
    for (const auto& signal : signals_)
      all.backlog[std::string(signal->name())] = undelivered(signal->describe());
    return all;
  }

  std::vector<Listening> listening() const {
    std::vector<Listening> all;
    std::vector<server::HttpServer*> servers = intake_servers();
    servers.insert(servers.end(), {admin_.get(), socket_.get()});
    for (const server::HttpServer* server : servers)
      if (server != nullptr) all.push_back({server->asked_for(), server->descriptor()});
    return all;
  }

  const config::Config& config_;
  const RunOptions& options_;
  const SignalKinds& all_kinds_;
  const SignalKinds kinds_;  // that are on
  const Settings settings_;

  // Destroyed in reverse: what uses an executor goes before it.
  boost::asio::io_context io_{1};
  SystemClock clock_{io_};
  boost::asio::signal_set caught_{io_, SIGTERM, SIGINT, SIGHUP};  // the system's, not ours
  wal::RocksStore store_{{
      .directory = store_directory(config_.data_dir),
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
  const std::shared_ptr<server::ByteBudget> inflight_ =
      std::make_shared<server::ByteBudget>(settings_.inflight_bytes, settings_.intake_server.patience);
  HomeLock home_;
  bool joined_ =
      true;  // whatever waits for a disk of its own, that of the logs, has ended when it was told to
  std::vector<std::unique_ptr<Signal>> signals_;  // open
  const OperatorVerbs verbs_{signals_, config_, store_, reader_, queue_};
  std::unique_ptr<server::HttpServer> admin_;
  std::unique_ptr<server::HttpServer> socket_;

  Inheritance inherited_;       // what is not taken yet
  std::optional<Reload> next_;  // set: a new image goes on
  bool told_again_ = false;
  const Time began_ = clock_.now();
  Clock::TimerId stop_timer_ = 0;
  const std::int64_t started_ms_ = to_unix_ms(clock_.wall_now());
  std::string no_store_;  // why it cannot be opened, as said last
  bool waits_for_disk_ = false;
  bool opened_ = false;
  bool started_ = false;
  bool stop_asked_ = false;
  bool stop_signalled_ = false;
  bool stopping_ = false;
  bool last_reload_ok_ = true;
  int exit_status_ = 0;
};

}  // namespace

int run_agent(const config::Config& config, const RunOptions& options) {
  return run_agent_with(signal_kinds(), config, options);
}

int run_agent_with(const SignalKinds& kinds, const config::Config& config, const RunOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  // A stop that hangs ends by SIGALRM: nothing is lost by it, and a node that waits for us is worse.
  std::signal(SIGALRM, [](int) { ::_exit(1); });
  ::umask(0077);
  // Few threads share few buffers: more arenas would only hold memory back.
  ::mallopt(M_ARENA_MAX, 2);
  // The largest common buffers (a request of 10,000 samples, decoded) are used again and again; to map each
  // anew was a quarter of the CPU that such requests took.
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 8 << 20);
  log::configure(log_options(config));
  // After exec() of /proc/self/exe the system would call the process "exe".
  ::prctl(PR_SET_NAME, "tideover");
  hold_signals();  // until somebody watches them
  std::optional<Inheritance> bequest;
  bool told_again = false;
  int status = 0;
  {
    Agent agent(config, options, kinds);
    status = agent.run();
    if (agent.next()) bequest = agent.next()->bequest;
    told_again = agent.told_again();
  }
  if (!bequest) log::event(Level::info, "stopped", {{"status", status}});
  log::flush();
  if (!bequest) return status;
  if (told_again) ::kill(::getpid(), SIGHUP);  // held: the next image answers it
  return restart(*bequest);                    // the store is closed by now
}

}  // namespace tideover
