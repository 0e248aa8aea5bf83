// Loki, or any receiver of its push API, as a destination of lines.
//
// Oldest first, and nothing is overtaken: a receiver with Loki's rules refuses for good what is an hour older
// than its stream's newest entry. A batch is cut into pushes such that a 204 proves what it seems to prove
// (standing.h). A lone record whose streams are all well known goes out byte for byte.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "forwarders/destination.h"
#include "forwarders/loki/standing.h"

namespace tideover::loki {

struct LokiOptions {
  std::string target;     // behind the path of the transport's URL; usually empty
  std::string tenant;     // X-Scope-OrgID; empty: none
  http::Headers headers;  // further ones; the protocol's own cannot be overridden
  std::string user_agent = "tideover";
  StandingLimits standing;
};

class LokiDestination final : public forward::Destination {
 public:
  explicit LokiDestination(LokiOptions options) : options_(std::move(options)) {}

  bool parks() const override { return false; }
  bool quarantines() const override { return false; }
  std::size_t plan(std::span<const wal::StoredRecord> records,
                   const forward::RequestLimits& limits) const override;
  std::unique_ptr<forward::Load> load(std::vector<wal::StoredRecord> records) const override;
  forward::Verdict classify(const forward::Sent& sent, const Result<http::Response>& answer,
                            const forward::History& history, const forward::Memory& memory) const override;
  void learn(const forward::Sent& sent, const forward::Verdict& verdict, forward::Memory& memory,
             Time now) const override;

 private:
  const LokiOptions options_;
};

}  // namespace tideover::loki
