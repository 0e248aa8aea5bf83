// Thanos Receive, or any receiver of Prometheus remote write, as a destination.
//
// A record goes out in the version in which it came; 2.0 becomes 1.0 for a receiver that does not speak it.
// Records whose labels are sorted and need no addition go out as they are stored; everything else is decoded,
// once per batch.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "forwarders/destination.h"
#include "forwarders/remote_write/message.h"

namespace tideover::thanos {

struct ThanosOptions {
  std::string target;  // behind the path of the transport's URL; usually empty
  std::string tenant;  // THANOS-TENANT; empty: the receiver's default
  remote_write::ExternalLabels external_labels;
  http::Headers headers;  // further ones; the protocol's own cannot be overridden
  std::string user_agent = "tideover";
};

class ThanosDestination final : public forward::Destination {
 public:
  explicit ThanosDestination(ThanosOptions options) : options_(std::move(options)) {}

  // A window that is too small today is wider tomorrow, and no series waits for another.
  bool parks() const override { return true; }
  std::size_t plan(std::span<const wal::StoredRecord> records,
                   const forward::RequestLimits& limits) const override;
  std::unique_ptr<forward::Load> load(std::vector<wal::StoredRecord> records) const override;
  forward::Verdict classify(const forward::Sent& sent, const Result<http::Response>& answer,
                            const forward::History& history, const forward::Memory& memory) const override;
  void learn(const forward::Sent& sent, const forward::Verdict& verdict, forward::Memory& memory,
             Time now) const override;

 private:
  const ThanosOptions options_;
};

}  // namespace tideover::thanos
