#include "agent/promtail/positions.h"

#include <charconv>
#include <fmt/format.h>
#include <set>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "wal/base/utf8.h"

namespace tideover::promtail {
namespace {

constexpr std::size_t kPathBytesMax = 4096;  // PATH_MAX; labels have as much again
constexpr std::size_t kUnusableNamed = 100;

// Leaves the YAML library's recursion; never leaves this file.
struct GiveUp {
  std::string sentence;
};

[[noreturn]] void give_up(const YAML::Mark& mark, std::string_view why) {
  throw GiveUp{fmt::format("line {}: {}", mark.line + 1, why)};
}

// What stands around the next event.
enum class In : std::uint8_t { document, top, positions, key, done };

class Reader final : public YAML::EventHandler {
 public:
  Positions take() { return std::move(positions_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (in_ == In::done) give_up(mark, "a second YAML document begins here");
  }
  void OnDocumentEnd() override { in_ = In::done; }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { give_up(mark, "an alias is no position"); }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    give_up(mark, "a list is no position");
  }
  void OnSequenceEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (in_ == In::document) return;  // an empty file
    if (in_ == In::top && named_) {
      named_ = false;  // "positions:" with nothing in it
      return;
    }
    if (in_ != In::positions || !has_key_) give_up(mark, "a key is missing");
    leave_out("has no offset");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    const bool foreign = !tag.empty() && tag != "?" && tag != "!";
    switch (in_) {
      case In::top:
        if (named_ || value != "positions")
          give_up(mark, "only \"positions\" may stand here, and a map in it");
        if (seen_positions_) give_up(mark, "\"positions\" comes twice");
        named_ = seen_positions_ = true;
        return;
      case In::key: return key_part(mark, value);
      case In::positions:
        if (has_key_) return offset(value);
        key_ = {};
        key_.path = value;
        foreign_ = foreign;  // how Go writes a path that is not UTF-8
        key_mark_ = mark;
        return key_ends(mark);
      default: give_up(mark, "it is not a map with \"positions\" in it");
    }
  }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    if (in_ == In::document) {
      in_ = In::top;
    } else if (in_ == In::top && named_) {
      named_ = false;
      in_ = In::positions;
    } else if (in_ == In::positions && !has_key_) {
      in_ = In::key;
      key_ = {};
      foreign_ = false;
      parts_.clear();
      part_.clear();
      key_mark_ = mark;
    } else {
      give_up(mark, "a map is no position");
    }
  }

  void OnMapEnd() override {
    if (in_ == In::top) {
      in_ = In::document;
    } else if (in_ == In::positions) {
      in_ = In::top;
    } else {
      if (!part_.empty() || !parts_.contains("path")) give_up(key_mark_, "a key has no path");
      in_ = In::positions;
      key_ends(key_mark_);
    }
  }

 private:
  void key_part(const YAML::Mark& mark, const std::string& value) {
    if (part_.empty()) {
      if (value != "path" && value != "labels")
        give_up(mark, "a key has a path and labels, and nothing else");
      if (!parts_.insert(value).second) give_up(mark, "a key names its " + value + " twice");
      part_ = value;
      return;
    }
    (part_ == "path" ? key_.path : key_.labels) = value;
    part_.clear();
  }

  void key_ends(const YAML::Mark& mark) {
    if (seen_.size() == kPositionsMax) give_up(mark, "more positions than are read");
    if (!seen_.emplace(key_.path, key_.labels).second) give_up(mark, "this key comes twice");
    has_key_ = true;
  }

  void offset(const std::string& value) {
    const std::string_view path = key_.path;
    if (path.starts_with("cursor-") || path.starts_with("journal-")) {
      positions_.cursors.push_back(key_.path);
      has_key_ = false;
      return;
    }
    if (path.empty()) return leave_out("has no path");
    if (path.size() > kPathBytesMax || key_.labels.size() > kPathBytesMax)
      return leave_out("is longer than a path can be");
    if (foreign_) return leave_out("is a path that is not UTF-8");
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, key_.offset);
    // Promtail's are of 63 bits.
    if (error != std::errc() || stop != end || key_.offset >> 63 != 0)
      return leave_out("has an offset that is no number of bytes");
    key_.counts_lines = path.ends_with(".gz") || path.ends_with(".z") || path.ends_with(".bz2");
    positions_.files.push_back(std::move(key_));
    has_key_ = false;
  }

  void leave_out(std::string_view why) {
    has_key_ = false;
    if (++positions_.unusable_count <= kUnusableNamed)
      positions_.unusable.push_back(
          fmt::format("line {}: {} {}", key_mark_.line + 1, utf8_front(key_.path, 200), why));
  }

  Positions positions_;
  In in_ = In::document;
  bool named_ = false;  // "positions" was read, its map comes
  bool seen_positions_ = false;
  bool has_key_ = false;
  bool foreign_ = false;
  FilePosition key_;
  YAML::Mark key_mark_;
  std::string part_;  // of a key that is a map: whose value comes
  std::set<std::string> parts_;
  std::set<std::pair<std::string, std::string>> seen_;
};

// Behind a byte that is no text the YAML library sees something else than people do.
Result<> readable(std::string_view text) {
  if (text.size() > kPositionsBytesMax)
    return fail(Errc::bad_input,
                fmt::format("larger than {} bytes: is this the right file?", kPositionsBytesMax));
  // It is written with a line break at its end. Without one it was cut, perhaps within a number.
  if (!text.empty() && text.back() != '\n')
    return fail(Errc::bad_input, "it breaks off: its last line has no end");
  std::size_t line = 1;
  for (std::string_view rest = text; !rest.empty();) {
    const char c = rest.front();
    const std::size_t length = utf8_length(rest);
    if (length == 0 || (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r'))
      return fail(Errc::bad_input, fmt::format("line {}: a byte that is no text", line));
    line += c == '\n' ? 1 : 0;
    rest.remove_prefix(length);
  }
  return {};
}

}  // namespace

Result<Positions> parse_positions(std::string_view text) {
  if (const Result<> checked = readable(text); !checked) return checked.error();
  Reader reader;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(reader)) {
    }
  } catch (const GiveUp& given_up) {
    return fail(Errc::bad_input, given_up.sentence);
  } catch (const YAML::Exception& error) {
    return fail(Errc::bad_input, fmt::format("line {}: {}", error.mark.line + 1, error.msg));
  }
  return reader.take();
}

}  // namespace tideover::promtail
