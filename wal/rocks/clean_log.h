// A log that is written anew, record by record, to stand for a damaged one. Internal to wal/rocks/log_*.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wal/rocks/write_batch_format.h"

namespace tideover::wal {

class CleanLog {
 public:
  // `sequence`: of its first operation at the least; 0: any.
  explicit CleanLog(std::uint64_t sequence) : least_(sequence) {}

  void keep(std::string_view batch);    // an intact record of the old one
  void put(const BatchOperation& put);  // out of a damaged one
  void end_stretch();                   // what was put comes before what is kept from now on
  std::string finish();                 // the bytes of the log

 private:
  void flush(std::uint64_t sequence);

  const std::uint64_t least_;
  std::string log_;
  BatchBuilder rescued_;
  std::uint64_t sequence_ = 0;  // of the next operation; 0: not known yet
};

}  // namespace tideover::wal
