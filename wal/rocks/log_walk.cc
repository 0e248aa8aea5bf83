#include "wal/rocks/log_walk.h"

#include <utility>

#include "wal/rocks/log_format.h"

namespace tideover::wal {
namespace {

std::optional<FramedFragment> intact_at(std::string_view block, std::size_t at) {
  const auto fragment = fragment_at(block, at);
  return fragment && fragment->checks() ? fragment : std::nullopt;
}

// One that checks alone might be part of a payload; a payload does not know where its block ends.
bool leads_to_the_end(std::string_view block, std::size_t at) {
  while (const auto fragment = intact_at(block, at)) {
    at += fragment->size();
    if (at == block.size() || fragment_begin(at) != at) return true;
  }
  return false;
}

std::size_t next_trusted(std::string_view block, std::size_t at) {
  for (++at; at + kLogHeader <= block.size(); ++at)
    if (leads_to_the_end(block, at)) return at;
  return kLogBlock;
}

}  // namespace

LogWalker::LogWalker(std::string_view log)
    : LogWalker([log](std::uint64_t number) {
        return number * kLogBlock < log.size() ? log.substr(number * kLogBlock, kLogBlock)
                                               : std::string_view();
      }) {}

void LogWalker::lose(std::uint64_t at) {
  if (!lost_) lost_ = open_ ? open_->begin : at;
  open_.reset();
}

std::optional<LogPiece> LogWalker::found(LogPiece intact) {
  if (!lost_) return intact;
  LogPiece damaged{*std::exchange(lost_, std::nullopt), intact.begin, false, {}};
  next_intact_ = std::move(intact);
  return damaged;
}

std::optional<LogPiece> LogWalker::at_end(std::uint64_t end) {
  if (open_) lose(end);
  if (!lost_) return std::nullopt;
  return LogPiece{*std::exchange(lost_, std::nullopt), end, false, {}};
}

std::optional<LogPiece> LogWalker::next() {
  if (next_intact_) return std::exchange(next_intact_, std::nullopt);
  while (true) {
    const std::uint64_t number = at_ / kLogBlock, base = number * kLogBlock;
    const std::string_view block = blocks_(number);
    const std::size_t offset = at_ - base;
    if (offset >= block.size()) return at_end(base + block.size());
    if (const std::uint64_t next = fragment_begin(at_); next != at_) {
      if (block.size() < kLogBlock) return at_end(base + block.size());
      at_ = next;
      continue;
    }
    const auto fragment = intact_at(block, offset);
    if (!fragment) {
      lose(at_);
      at_ = base + next_trusted(block, offset);
      if (block.size() < kLogBlock && at_ == base + kLogBlock) return at_end(base + block.size());
      continue;
    }
    const std::uint64_t begin = std::exchange(at_, at_ + fragment->size());
    if (fragment->type == kFull || fragment->type == kFirst) {
      if (open_) lose(begin);  // its end is missing
      open_ = LogPiece{begin, 0, true, {}};
    } else if (!open_) {
      lose(begin);  // its beginning is missing
      continue;
    }
    open_->record += fragment->data;
    open_->end = at_;
    if (fragment->type == kFull || fragment->type == kLast) return found(*std::exchange(open_, std::nullopt));
  }
}

}  // namespace tideover::wal
