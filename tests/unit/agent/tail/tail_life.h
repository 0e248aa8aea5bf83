// A container that writes, kubelet that rotates, and an agent that reads in lives of its own.
#pragma once

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>

#include "agent/tail/chain_reader.h"
#include "tests/support/fake_files.h"
#include "tests/support/kubelet_rotator.h"
#include "tests/unit/agent/tail/collected_lines.h"

namespace tideover::tail {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;
inline const std::string kPodDirectory = "/var/log/pods/ns_pod_uid/app";

inline std::string stamp(std::int64_t unix_ns) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z",
                     fmt::gmtime(static_cast<std::time_t>(unix_ns / kSecondNs)), unix_ns % kSecondNs);
}

class TailLife {
 public:
  explicit TailLife(std::size_t files_max = 5) : kubelet_(files_, kPodDirectory, files_max) { pass(0); }

  FakeFiles& files() { return files_; }
  KubeletRotator& kubelet() { return kubelet_; }
  void pass(std::int64_t ns) {
    now_ns_ += ns;
    files_.set_now(now_ns_);
  }

  // A line of the runtime with the next number; its bytes are known by it.
  std::string next_line(std::size_t padding = 0) {
    pass(1'000);
    const std::string text = fmt::format("line {} {}", written_.size(), std::string(padding, 'x'));
    written_.push_back(text);
    std::string bytes = stamp(now_ns_) + " stdout F " + text + "\n";
    bytes_.push_back(bytes.size());
    return bytes;
  }
  void write(std::size_t lines, std::size_t padding = 0) {
    for (std::size_t i = 0; i < lines; ++i) kubelet_.write(next_line(padding));
  }
  void rotate() {
    pass(10 * kSecondNs);
    kubelet_.rotate();
  }

  bool up() const { return reader_ != nullptr; }
  void start() {
    reader_ = std::make_unique<ChainReader>(files_, Chain{"uid/app", kPodDirectory, {}, Format::cri},
                                            options_, position_);
  }
  void kill() { reader_.reset(); }
  ChainReader& reader() { return *reader_; }

  // One read, and the owner's batch behind it: applied and confirmed, refused, or applied by a dying process.
  enum class Batch { applied, refused, applied_and_killed };
  Slice read(std::uint64_t bytes_max = 1 << 20, Batch batch = Batch::applied) {
    CollectedLines sink;
    Slice slice = reader_->read(sink, buffer_, bytes_max, now_ns_);
    if (batch == Batch::refused) {
      reader_->rollback();
      return slice;
    }
    for (const CollectedLine& line : sink.lines) durable_.push_back(line.text);
    if (!slice.position.empty()) position_ = slice.position;
    if (slice.ended) position_.clear();
    missed_.bytes += slice.missed.bytes;
    missed_.perhaps_more = missed_.perhaps_more || slice.missed.perhaps_more;
    for (const std::string& note : slice.notes) notes_.push_back(note);
    if (batch == Batch::applied_and_killed) {
      kill();
    } else {
      reader_->committed();
    }
    return slice;
  }
  // Until nothing comes any more; each file is left a while after its last line.
  void drain() {
    if (!up()) start();
    for (int quiet = 0; quiet < 4; ++quiet) {
      pass(2 * kSecondNs);
      if (read().bytes != 0) quiet = -1;
    }
  }

  const std::vector<std::string>& written() const { return written_; }
  const std::vector<std::string>& durable() const { return durable_; }
  std::size_t bytes_of(std::size_t line) const { return bytes_[line]; }
  const Missed& missed() const { return missed_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const std::string& position() const { return position_; }
  void set_position(std::string value) { position_ = std::move(value); }
  void set_buffer(std::size_t bytes) { buffer_.resize(bytes); }
  void set_options(const ReaderOptions& options) { options_ = options; }
  std::int64_t now() const { return now_ns_; }

  // A line in pieces, of which the last one makes it count.
  void add_written(std::string text) {
    written_.push_back(std::move(text));
    bytes_.push_back(0);
  }

 private:
  FakeFiles files_;
  std::int64_t now_ns_ = 1'795'860'000 * kSecondNs;
  KubeletRotator kubelet_;
  ReaderOptions options_;
  std::unique_ptr<ChainReader> reader_;
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
  std::vector<std::string> written_;
  std::vector<std::size_t> bytes_;
  std::vector<std::string> durable_;
  std::string position_;
  Missed missed_;
  std::vector<std::string> notes_;
};

}  // namespace tideover::tail
