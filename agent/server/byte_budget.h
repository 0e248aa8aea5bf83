// One budget of bytes over all requests under way: what is in memory for clients has a known bound.
//
// Executor: io. A charge gives its bytes back when it ends; the budget outlives its charges.
#pragma once

#include <cstddef>
#include <utility>

namespace tideover::server {

class ByteBudget {
 public:
  class Charge {
   public:
    Charge() = default;
    explicit Charge(ByteBudget& budget) : budget_(&budget) {}
    Charge(Charge&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Charge& operator=(Charge&&) = delete;
    ~Charge() {
      if (budget_ != nullptr) budget_->used_ -= bytes_;
    }

    // False, and nothing changes, when the budget has no room for the difference.
    bool resize(std::size_t bytes) {
      const std::size_t others = budget_->used_ - bytes_;
      if (bytes > bytes_ && bytes > budget_->limit_ - others) return false;
      budget_->used_ = others + bytes;
      bytes_ = bytes;
      return true;
    }

   private:
    ByteBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit ByteBudget(std::size_t limit) : limit_(limit) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  std::size_t used() const { return used_; }

 private:
  const std::size_t limit_;
  std::size_t used_ = 0;
};

}  // namespace tideover::server
