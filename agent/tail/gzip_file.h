// A compressed member read as if it were plain: places are those of what it inflates to.
//
// A stream with bounded memory: zlib's window and 64 KiB, however much it inflates to. Reading on is cheap, a
// place further on is reached by inflating up to it, one further back from the start again. Members of a
// .gz that were put behind each other are one text (RFC 1952 2.2); what follows them and is none is ignored,
// as gzip does.
// Damage ends it: what could be read before is given, then it is at its end, and damage() says why.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/tail/files.h"

namespace tideover::tail {

class GzipFile final : public OpenFile {
 public:
  explicit GzipFile(std::unique_ptr<OpenFile> compressed);
  ~GzipFile() override;

  Result<FileInfo> info() override;  // of the compressed file
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override;

  // How much the last member says that it inflates to, in 32 bits (RFC 1952 2.3.1): nothing is inflated.
  static Result<std::uint32_t> claimed_size(OpenFile& compressed);

  struct Damage {
    std::string sentence;
    std::uint64_t compressed_bytes = 0;  // from where on nothing could be read
  };
  const std::optional<Damage>& damage() const { return damage_; }

 private:
  class Inflater;

  Result<std::size_t> next(std::span<char> into);
  void rewind();

  const std::unique_ptr<OpenFile> compressed_;
  std::unique_ptr<Inflater> inflater_;
  std::uint64_t at_ = 0;  // in what it inflates to
  std::optional<Damage> damage_;
};

}  // namespace tideover::tail
