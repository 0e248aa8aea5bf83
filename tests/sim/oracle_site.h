// One receiver's side of the oracle: what is heard there, for the destination that it belongs to.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "tests/sim/oracle.h"

namespace tideover::sim {

class Oracle::Site final : public ReceiverWitness {
 public:
  Site(Oracle& oracle, SiteId id, std::string destination)
      : oracle_(oracle), id_(id), destination_(std::move(destination)) {}

  void arrived(const test::Contents& contents, remote_write::Version version) override {
    oracle_.arrived(*this, contents, version);
  }
  void seen(const Sample& sample) override { oracle_.seen(*this, sample); }
  void stored(const Sample& sample) override;
  void refused(const Sample& sample, Refused why) override { oracle_.refused(*this, sample, why); }
  void swallowed(const Sample& sample) override;

 private:
  friend Oracle;
  std::uint16_t bit() const { return static_cast<std::uint16_t>(1u << id_); }

  Oracle& oracle_;
  const SiteId id_;
  const std::string destination_;
  std::map<SeriesId, std::uint64_t> newest_seen_;  // rank
};

}  // namespace tideover::sim
