#include "agent/ingest/loki/json_push.h"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <map>

#include "forwarders/loki/labels.h"
#include "forwarders/loki/push_writer.h"
#include "wal/base/utf8.h"

namespace tideover::ingest::loki {
namespace {

using tideover::loki::kLabelsMax;
using tideover::loki::kLabelTextMax;
using tideover::loki::Label;

namespace json = boost::json;
using json::error_code;

constexpr std::size_t kDepthMax = 32;

// Where in the request the parser stands. What is unknown is passed over as a whole.
enum class At : std::uint8_t { document, request, streams, stream, labels, values, entry, metadata };

struct Handler {
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = kLabelTextMax;
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  tideover::loki::PushWriter message;
  std::string fault;  // set when the parser was told to stop

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code& ec) {
    if (skipped_ > 0) return ++skipped_, true;
    if (at_ == At::document) return enter(At::request);
    if (at_ == At::streams) {
      message.stream({});
      message.relabel("{}");
      return enter(At::stream);
    }
    if (at_ == At::stream && key_ == "stream") {
      labels_.clear();
      label_bytes_ = 0;
      return enter(At::labels);
    }
    if (at_ == At::entry && index_ == 2) return enter(At::metadata);
    return skip_or_refuse(ec);
  }

  bool on_object_end(std::size_t, error_code& ec) {
    if (skipped_ > 0) return --skipped_, true;
    switch (at_) {
      case At::request: return enter(At::document);
      case At::stream: return enter(At::streams);
      case At::labels: return enter(At::stream) && name_stream(ec);
      case At::metadata: ++index_; return enter(At::entry);
      default: return refuse(ec, "is not a push request");
    }
  }

  bool on_array_begin(error_code& ec) {
    if (skipped_ > 0) return ++skipped_, true;
    if (at_ == At::request && key_ == "streams") return enter(At::streams);
    if (at_ == At::stream && key_ == "values") return enter(At::values);
    if (at_ == At::values) {
      index_ = 0;
      metadata_.clear();
      return enter(At::entry);
    }
    return skip_or_refuse(ec);
  }

  bool on_array_end(std::size_t, error_code& ec) {
    if (skipped_ > 0) return --skipped_, true;
    switch (at_) {
      case At::streams: return enter(At::request);
      case At::values: return enter(At::stream);
      case At::entry:
        if (index_ < 2) return refuse(ec, "has an entry without a timestamp or without a line");
        message.entry(ns_, line_, metadata_);
        return enter(At::values);
      default: return refuse(ec, "is not a push request");
    }
  }

  bool on_key_part(std::string_view part, std::size_t, error_code&) { return text_ += part, true; }
  bool on_key(std::string_view part, std::size_t, error_code&) {
    if (skipped_ > 0) return text_.clear(), true;
    key_.swap(text_);
    key_ += part;
    text_.clear();
    return true;
  }

  bool on_string_part(std::string_view part, std::size_t, error_code&) {
    if (skipped_ == 0) text_ += part;
    return true;
  }
  bool on_string(std::string_view part, std::size_t, error_code& ec) {
    if (skipped_ > 0) return true;
    text_ += part;
    const bool taken = string(ec);
    text_.clear();
    return taken;
  }

  bool on_null(error_code& ec) {
    const bool none = (at_ == At::request && key_ == "streams") || (at_ == At::stream && key_ == "values");
    return none || scalar(ec);
  }
  bool on_bool(bool, error_code& ec) { return scalar(ec); }
  bool on_number_part(std::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, std::string_view, error_code& ec) { return scalar(ec); }
  bool on_uint64(std::uint64_t, std::string_view, error_code& ec) { return scalar(ec); }
  bool on_double(double, std::string_view, error_code& ec) { return scalar(ec); }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

 private:
  bool enter(At at) { return at_ = at, true; }

  bool refuse(error_code& ec, std::string_view why) {
    fault = why;
    ec = json::error::exception;  // any: the words are in `fault`
    return false;
  }

  bool unknown() const {
    switch (at_) {
      case At::request: return key_ != "streams";
      case At::stream: return key_ != "stream" && key_ != "values";
      case At::entry: return index_ > 2;  // what follows the third is not counted
      default: return false;
    }
  }

  bool skip_or_refuse(error_code& ec) {
    if (!unknown()) return misplaced(ec);
    skipped_ = 1;
    return true;
  }

  bool scalar(error_code& ec) {
    if (skipped_ > 0) return true;
    return unknown() || misplaced(ec);
  }

  bool misplaced(error_code& ec) {
    switch (at_) {
      case At::request: return refuse(ec, "has \"streams\" that are not an array");
      case At::streams: return refuse(ec, "has a stream that is not an object");
      case At::stream:
        return refuse(ec, key_ == "stream" ? "has labels (\"stream\") that are not an object"
                                           : "has \"values\" that are not an array");
      case At::labels: return refuse(ec, "has a label whose value is not a string");
      case At::values: return refuse(ec, "has an entry that is not an array");
      case At::metadata: return refuse(ec, "has structured metadata whose value is not a string");
      case At::entry:
        if (index_ == 0) return refuse(ec, "has a timestamp that is not a string of nanoseconds");
        return refuse(ec, index_ == 1 ? "has a line that is not a string"
                                      : "has structured metadata that is not an object");
      case At::document: break;
    }
    return refuse(ec, "is not an object");
  }

  bool string(error_code& ec) {
    switch (at_) {
      case At::labels: return label(ec);
      case At::metadata: return tideover::loki::put_pair(metadata_, {key_, text_}), true;
      case At::entry:
        if (index_ > 1) return scalar(ec);
        if (index_ == 0 && !timestamp()) return misplaced(ec);
        if (index_ == 1) line_.swap(text_);
        ++index_;
        return true;
      default: return scalar(ec);
    }
  }

  // As Go's ParseInt: an optional sign, digits, and nothing else.
  bool timestamp() {
    std::string_view digits = text_;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    if (digits.starts_with('-') && text_.starts_with('+')) return false;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ns_);
    return error == std::errc() && end == digits.data() + digits.size();
  }

  bool label(error_code& ec) {
    label_bytes_ += key_.size() + text_.size();
    if (label_bytes_ > kLabelTextMax || labels_.size() == kLabelsMax)
      return refuse(ec, "has a stream with more labels than are parsed");
    labels_[key_] = text_;
    return true;
  }

  bool name_stream(error_code& ec) {
    std::vector<Label> labels;
    for (const auto& [name, value] : labels_) {
      for (std::string_view rest = value; !rest.empty(); rest.remove_prefix(utf8_length(rest)))
        if (utf8_length(rest) == 0) return refuse(ec, "has a label whose value is not UTF-8");
      labels.push_back({name, value});
    }
    labels_.clear();
    message.relabel(tideover::loki::label_string(labels));
    return true;
  }

  At at_ = At::document;
  std::size_t skipped_ = 0;  // depth inside of what is unknown
  std::size_t index_ = 0;    // within an entry
  std::string key_;
  std::string text_;  // of the string or key under way
  std::string line_;
  std::string metadata_;
  std::int64_t ns_ = 0;
  std::map<std::string, std::string> labels_;
  std::size_t label_bytes_ = 0;
};

json::parse_options options() {
  json::parse_options options;
  options.max_depth = kDepthMax;
  options.allow_invalid_utf8 = true;
  return options;
}

}  // namespace

class JsonPush::Reader {
 public:
  Result<> read(std::string_view piece, bool more) {
    error_code ec;
    const std::size_t used = parser_.write_some(more, piece.data(), piece.size(), ec);
    read_ += used;
    if (ec && !parser_.handler().fault.empty())
      return fail(Errc::bad_input, fmt::format("the body {} at byte {}", parser_.handler().fault, read_));
    if (ec)
      return fail(Errc::bad_input,
                  fmt::format("the body is not JSON: {} at byte {}", ec.message(), read_ + 1));
    if (used < piece.size())
      return fail(Errc::bad_input,
                  fmt::format("the body has something behind its JSON at byte {}", read_ + 1));
    return {};
  }
  std::string take() { return parser_.handler().message.take(); }

 private:
  json::basic_parser<Handler> parser_{options()};
  std::uint64_t read_ = 0;
};

JsonPush::JsonPush() : reader_(std::make_unique<Reader>()) {}
JsonPush::~JsonPush() = default;

Result<> JsonPush::read(std::string_view piece) { return reader_->read(piece, true); }

Result<std::string> JsonPush::finish() {
  if (const Result<> ended = reader_->read({}, false); !ended) return ended.error();
  return reader_->take();
}

}  // namespace tideover::ingest::loki
