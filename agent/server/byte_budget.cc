#include "agent/server/byte_budget.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/server/connections.h"
#include "agent/server/slowest.h"

namespace tideover::server {

ByteShare::ByteShare(std::shared_ptr<ByteBudget> budget, std::size_t own_part)
    : budget_(std::move(budget)), own_part_(own_part) {
  budget_->taken_ += own_part_;
  budget_->parts_ += own_part_;
}

ByteShare::~ByteShare() {
  budget_->taken_ -= std::max(used_, own_part_);
  budget_->parts_ -= own_part_;
}

std::size_t ByteShare::most() const {
  const std::size_t of_others = budget_->parts_ - own_part_;
  return std::max(own_part_, budget_->limit_ - std::min(budget_->limit_, of_others));
}

std::size_t ByteShare::free() const {
  const std::size_t of_others = budget_->taken_ - std::max(used_, own_part_);
  const std::size_t here = std::max(own_part_, budget_->limit_ - std::min(budget_->limit_, of_others));
  return here - std::min(here, used_);
}

void ByteShare::use(std::size_t bytes) {
  budget_->taken_ -= std::max(used_, own_part_);
  used_ = bytes;
  budget_->taken_ += std::max(used_, own_part_);
}

Charge::Charge(ByteShare& share, Connection& client)
    : share_(share), client_(client), place_(share.budget_->arriving_.end()) {}

Charge::~Charge() { set(0); }

// Those that can make room, and the last that wants it.
struct Charge::Rivals {
  std::vector<Charge*> charges;
  std::vector<Arriving> bodies;
};

Charge::Rivals Charge::rivals(std::size_t bytes) {
  Rivals all;
  const auto add = [&all](Charge& charge, std::size_t holds) {
    all.charges.push_back(&charge);
    all.bodies.push_back({charge.client_.waited(), holds, charge.declared_});
  };
  for (Charge* other : share_.budget_->arriving_) {
    // What another server has of its own part would be of no use here.
    const bool useful = &other->share_ == &share_ || other->share_.used_ > other->share_.own_part_;
    if (useful && other != this) add(*other, other->bytes_);
  }
  add(*this, bytes);
  return all;
}

bool Charge::declare(std::size_t bytes) {
  declared_ = bytes;
  std::size_t room = share_.free();
  if (bytes <= room) return true;
  const Rivals all = rivals(bytes);
  const double part = average(all.bodies);
  for (std::size_t i = 0; i + 1 < all.bodies.size(); ++i) {
    const Arriving& body = all.bodies[i];
    const bool larger = is_small(bytes, part) && static_cast<double>(body.bytes) > part;
    if (larger || body.waited > share_.budget_->patience_) room += body.bytes;
  }
  return bytes <= room;
}

bool Charge::resize(std::size_t bytes) {
  while (bytes > bytes_ && bytes - bytes_ > share_.free()) {
    const Rivals all = rivals(bytes);
    Charge& loser = *all.charges[slowest(all.bodies, share_.budget_->patience_)];
    if (&loser == this) return false;
    loser.give_way();
  }
  set(bytes);
  return true;
}

void Charge::arrived() {
  const std::size_t bytes = bytes_;
  set(0);
  arriving_ = false;
  set(bytes);
}

// Its memory is free once its coroutine has had its turn, the next of the loop; meanwhile who asked has read
// some kilobytes.
void Charge::give_way() {
  set(0);
  client_.give_way();
}

void Charge::set(std::size_t bytes) {
  std::list<Charge*>& arriving = share_.budget_->arriving_;
  share_.use(share_.used_ - bytes_ + bytes);
  bytes_ = bytes;
  const bool listed = place_ != arriving.end();
  const bool wanted = arriving_ && bytes > 0;
  if (wanted && !listed) place_ = arriving.insert(arriving.end(), this);
  if (!wanted && listed) {
    arriving.erase(place_);
    place_ = arriving.end();
  }
}

}  // namespace tideover::server
