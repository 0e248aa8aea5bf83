// Reads one chain: from its position, member after member, as far as its owner asks.
//
// read() gives lines to a sink and answers with the position that stands for exactly these lines. Nothing
// counts as read before the owner says so: it commits lines and position in one batch and then calls
// committed(); when the batch failed it calls rollback(), and the same lines come again (plain ones with
// another time). One slice is out at a time.
// A file is left when it is at its end, another one of its chain has come, and nothing was written to it for
// a while: kubelet renames first and has the runtime open a new file afterwards. A file that was removed is
// read to its end before; what it holds back on disk is pinned_bytes(), which the owner bounds by give_up().
// Descriptors: one while something is read, none after idle(); until committed() also those that the slice
// has left. The buffer is the caller's and serves all chains. Executor: the one of whoever reads logs; every
// verb but chain() and committed() blocks.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/tail/chain.h"
#include "agent/tail/files.h"
#include "agent/tail/gzip_file.h"
#include "agent/tail/line_reader.h"
#include "agent/tail/position.h"
#include "agent/tail/survey.h"

namespace tideover::tail {

struct ReaderOptions {
  std::size_t line_bytes_max = 256 * 1024;  // Loki's max_line_size
  std::int64_t settle_ns = 1'000'000'000;   // for what the runtime still writes while it changes files
  std::size_t names_max = 10'000;           // in a directory
};

// What became of one read().
struct Slice {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;  // of files, inflated
  std::string position;     // to be committed with the lines; empty: nothing has changed
  bool more = false;        // it stopped because it had read enough
  bool ended = false;       // no file is left: with this slice the position can be removed
  bool owed = false;  // the position holds what may never be read again: a part of a line, the end of a file
  Missed missed;      // by rotation
  std::uint64_t truncations = 0;    // of a file that was read
  std::uint64_t damaged_bytes = 0;  // of compressed files, as they lie on disk
  std::vector<std::string> notes;   // sentences for the log: what could not be read, and why
};

class ChainReader {
 public:
  // `position`: as committed; empty for a chain that was never read. `files` outlives it.
  ChainReader(Files& files, Chain chain, const ReaderOptions& options, std::string_view position);

  // About `bytes_max` bytes, in blocks of `buffer`, which is to be larger than a line of a runtime (16 KiB
  // and its head); 256 KiB are well spent. What cannot be read now is tried again by the next call.
  Slice read(LineSink& sink, std::span<char> buffer, std::uint64_t bytes_max, std::int64_t now_ns);
  void committed();
  void rollback();

  const Chain& chain() const { return chain_; }
  std::uint64_t pinned_bytes();                            // of an open file that has no name any more
  std::size_t files_left() const { return left_.size(); }  // by the slice that is out
  std::size_t files_held() const { return left_.size() + (current_ ? 1 : 0); }
  // Closes what can be opened again. While a slice is out, rollback() finds its place as a new life would.
  void idle();
  // Since idle() nothing has come, by a look at the directory and one at the file: read() would give nothing.
  bool quiet();
  std::uint64_t unread_bytes() const;  // of what the last read() saw
  void give_up() { give_up_ = true; }  // the pinned file: the next slice counts its rest as missed

 private:
  // A member being read. The position is in it once something was taken of it.
  struct Current {
    std::unique_ptr<OpenFile> file;
    GzipFile* inflates = nullptr;  // `file`, when it is compressed
    Member member;
    std::uint64_t offset = 0;
    std::uint64_t slice_began = 0;  // the offset, when the slice came to it
    std::string before;             // the last bytes before the offset
    std::string tail;               // behind it, of what was inflated
    bool taken = false;
    std::optional<std::int64_t> successor_ns;  // since when another one is known to follow
    bool info_fresh = false;                   // of `member`: nothing was read since
  };
  struct Block {
    std::string_view text;
    bool full = false;
    bool rewritten = false;  // what stood before it is not there any more
  };
  struct State {
    std::optional<Position> position;
    bool finished = false;  // nothing more will come from the position's file
    bool broken = false;    // its file is gone with the end of what was begun, and a slice was to say so
    std::optional<FileId> passed;  // a newer member that was left without having given anything
  };

  // Was read to its end, with nothing behind it, when idle() closed it.
  struct Resting {
    std::string name;
    FileInfo info;
  };

  bool enter(LineSink& sink, Slice& slice, std::int64_t now_ns);
  bool enter_by_name();
  bool open(const Member& member, std::uint64_t offset, Slice& slice);
  Result<Block> next_block(std::span<char> buffer);
  void take(const Block& block, Rest rest, LineSink& sink, Slice& slice, std::int64_t now_ns);
  bool at_end(std::span<char> buffer, LineSink& sink, Slice& slice, std::int64_t now_ns);
  void leave(std::span<char> buffer, LineSink& sink, Slice& slice, std::int64_t now_ns, bool same_restart);
  void lose(LineSink& sink, const Missed& missed, Slice& slice);
  bool outdated();
  bool refresh(Slice& slice, std::int64_t now_ns);
  std::optional<Position> reference() const;
  std::size_t behind(const std::vector<Member>& members) const;  // the first one after what is read
  void note_position();
  void say(Slice& slice, std::string sentence);
  std::string path(const std::string& name) const { return chain_.directory + "/" + name; }

  Files& files_;
  const Chain chain_;
  const ReaderOptions options_;
  Survey survey_;
  LineReader lines_;
  State committed_;
  State ahead_;
  bool changed_ = false;  // since the last position that was given
  std::optional<Current> current_;
  std::vector<Current> left_;  // by this slice, oldest first
  Missed gone_unread_;         // seen to be gone, and not committed yet: no later look can tell
  std::optional<std::uint32_t> whole_restart_;  // the last one that was seen before it was rotated
  bool give_up_ = false;
  std::optional<bool> outdated_;  // the survey, when this read() or the quiet() before it looked
  std::int64_t read_ns_ = 0;      // when read() was last called
  std::optional<Resting> resting_;
  bool gone_ = false;  // the directory, at the last look
  std::string pending_note_;
  std::string last_note_;
};

}  // namespace tideover::tail
