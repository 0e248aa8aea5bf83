// One budget of bytes over the bodies of all requests under way: what is in memory for clients has a known
// bound, however many servers share it.
//
// Bytes are charged as they come. Where there is no room for more, bodies that are still arriving give way,
// the slowest first (slowest.h); one that has arrived, and waits for its sync, is never cut.
// Executor: io.
#pragma once

#include <cstddef>
#include <limits>
#include <list>
#include <memory>

#include "wal/base/clock.h"

namespace tideover::server {

struct Connection;
class Charge;

class ByteBudget {
 public:
  ByteBudget(std::size_t limit, Duration patience) : limit_(limit), patience_(patience) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

 private:
  friend class ByteShare;
  friend class Charge;

  const std::size_t limit_;
  const Duration patience_;           // for how long a body is not asked to give way
  std::size_t taken_ = 0;             // of each share what it uses, or its own part where that is more
  std::size_t parts_ = 0;             // the shares' own parts
  std::list<Charge*> arriving_ = {};  // that hold bytes
};

// What one server may use: its own part, which nobody else can take, and of the rest what is free.
class ByteShare {
 public:
  ByteShare(std::shared_ptr<ByteBudget> budget, std::size_t own_part);
  ByteShare(const ByteShare&) = delete;
  ByteShare& operator=(const ByteShare&) = delete;
  ~ByteShare();

  std::size_t used() const { return used_; }
  std::size_t most() const;  // that could ever be used here
  std::size_t free() const;  // to be had without asking anybody

 private:
  friend class Charge;
  void use(std::size_t bytes);

  const std::shared_ptr<ByteBudget> budget_;
  const std::size_t own_part_;
  std::size_t used_ = 0;
};

// The bytes of one request; they are given back when it ends.
class Charge {
 public:
  Charge(ByteShare& share, Connection& client);  // both outlive the charge
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge();

  // What its head declares: is there room, or are there others to make it? Charges nothing.
  bool declare(std::size_t bytes);
  // False, and nothing changes, when there is no room for the difference, and who asks is the slowest.
  bool resize(std::size_t bytes);
  void arrived();  // in full

 private:
  struct Rivals;
  Rivals rivals(std::size_t bytes);
  void give_way();
  void set(std::size_t bytes);

  ByteShare& share_;
  Connection& client_;
  std::size_t bytes_ = 0;
  std::size_t declared_ = std::numeric_limits<std::size_t>::max();
  bool arriving_ = true;
  std::list<Charge*>::iterator place_;  // among those that arrive, while it holds bytes and does
};

}  // namespace tideover::server
