// An agent with a second signal, as small as one can be: a lane into which it counts, and two cursors that
// nobody moves. One has the name of a destination of the metrics.
#include <iostream>
#include <optional>

#include "agent/agent.h"
#include "agent/buffer_watch.h"
#include "agent/cli/command_line.h"
#include "agent/signal.h"
#include "wal/base/notifier.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;

class CountingSignal final : public Signal {
 public:
  explicit CountingSignal(const SignalParts& parts) : parts_(parts), stopped_(parts.clock) {}

  std::string_view name() const override { return "counts"; }

  Result<> open() override {
    if (!parts_.inflight) return fail(Errc::bad_input, "each signal is given the budget that all share");
    const wal::SignalId memory = parts_.queue.open_signal(parts_.settings.signal);
    lane_ = parts_.queue.open_lane(name(), {64 << 20, true, memory});
    for (const char* cursor : {"thanos", "nobody"})
      parts_.queue.open_cursor(lane_, cursor, wal::Keep::best_effort, wal::StartAt::oldest);
    buffer_.emplace(parts_.queue, parts_.clock, parts_.settings.wal,
                    BufferWatch::Of{std::string(name()), "counts", lane_, parts_.config.guarantee});
    return boost::system::in_place_value;
  }
  Result<> listen(Inheritance&) override { return boost::system::in_place_value; }
  void spawn(TaskGroup& tasks) override { tasks.spawn(count()); }
  std::vector<server::HttpServer*> servers() const override { return {}; }

  awaitable<void> close_intake(Time) override { co_return; }
  awaitable<void> drain_until(Time) override { co_return; }
  void stop_senders() override {
    stopping_ = true;
    stopped_.notify();
  }

  void retry_now() override {}
  Result<> drop_cursor(std::string_view cursor) override { return parts_.queue.drop_cursor(lane_, cursor); }

  void observe() override { buffer_->observe(0); }
  admin::SignalSnapshot describe() const override {
    admin::SignalSnapshot s;
    s.name = name();
    s.buffer = buffer_->describe(0);
    for (const wal::CursorUsage& cursor : parts_.queue.cursors(lane_)) {
      admin::DestinationSnapshot& d = s.destinations.emplace_back();
      d.name = cursor.name;
      d.state = "up";
      d.behind = cursor.behind;
      d.account.accepted = cursor.accepted.units;
      d.account.ledger = cursor.ledger;
      d.account.waiting = cursor.behind.units;
    }
    return s;
  }

 private:
  awaitable<void> count() {
    while (!stopping_) {
      wal::NewRecord record;
      record.bytes.assign(wal::kEnvelopeBytes, '\0');
      record.attributes.units = 1;
      (void)co_await parts_.queue.append(lane_, std::move(record));
      co_await stopped_.wait_until(parts_.clock.now() + 5ms);
    }
  }

  const SignalParts parts_;
  LaneId lane_;
  std::optional<BufferWatch> buffer_;
  Notifier stopped_;
  bool stopping_ = false;
};

int run(const config::Config& config, const RunOptions& options) {
  SignalKinds kinds = signal_kinds();
  SignalKind counting;
  counting.name = "counts";
  counting.wanted = [](const config::Config&) { return true; };
  counting.addresses = [](const config::Config&) { return std::vector<std::string>(); };
  counting.rehearse = [](boost::asio::io_context&, Clock&, const config::Config&) { return Result<>(); };
  counting.make = [](const SignalParts& parts) -> std::unique_ptr<Signal> {
    return std::make_unique<CountingSignal>(parts);
  };
  kinds.push_back(counting);
  return run_agent_with(kinds, config, options);
}

}  // namespace
}  // namespace tideover

int main(int argc, char** argv) {
  return tideover::cli::command_line(argc, argv, tideover::run, std::cout, std::cerr);
}
