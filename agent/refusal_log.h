// What receivers refuse, as lines in the log: in their own words, and at most one line a minute for each
// destination and fate, which then stands for all that was refused meanwhile.
//
// Executor: io. Never a payload, never a secret: for_log() takes both out of what a receiver may echo.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "forwarders/refusal.h"
#include "wal/base/clock.h"

namespace tideover {

// A receiver's sentence without the label sets and the credentials that it quotes. Its length is bounded
// already (forward::kSentenceBytes).
std::string for_log(std::string_view sentence);

class RefusalLog {
 public:
  RefusalLog(std::string signal, std::string destination)
      : signal_(std::move(signal)), destination_(std::move(destination)) {}

  void note(const forward::Refusal& refusal, Time now);
  void write_due(Time now);  // every few seconds: what had to wait for its minute

 private:
  struct Pending {
    forward::Refusal last;  // with the units of all since the last line
    Time not_before{};
  };
  void write(Pending& pending, Time now);

  const std::string signal_;
  const std::string destination_;
  std::array<Pending, 4> pending_;  // by fate
};

}  // namespace tideover
