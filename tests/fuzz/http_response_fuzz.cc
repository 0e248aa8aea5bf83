// Answers as the agent's client reads them: the same however they were cut, never more than is allowed, and
// whole or not at all. What our own server would write of an answer reads back as that answer.
//
// Input: one byte that says how to cut, then what the peer sends.
#include <cstdint>

#include "agent/server/response_head.h"
#include "forwarders/http/message_parser.h"
#include "wal/base/invariant.h"

namespace tideover::http {
namespace {

using Status = MessageParser::Status;

constexpr std::size_t kHeadBytesMax = 512;
constexpr std::size_t kBodyBytesMax = 1024;

struct Reading {
  Status end = Status::need_more;
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::size_t used = 0;  // of the input
  bool keep_alive = false;

  bool operator==(const Reading&) const = default;
};

Reading read(std::string_view input, std::size_t cut, bool bare) {
  MessageParser parser(MessageParser::Kind::response, kHeadBytesMax);
  Reading reading;
  if (bare) parser.expect_bare();
  parser.body_to(&reading.body, kBodyBytesMax);
  std::string held;  // what came and was not used yet
  bool eof = false;
  while (reading.end == Status::need_more || reading.end == Status::head_done) {
    std::size_t used = 0;
    reading.end = parser.put(held, used);
    invariant(used <= held.size(), "no more is used than there is");
    held.erase(0, used);
    reading.used += used;
    if (reading.end == Status::head_done) {
      invariant(reading.status == 0, "a head is done once");
      reading.status = parser.response().status;
    } else if (reading.end == Status::need_more) {
      if (eof) {
        reading.end = parser.put_eof();
        break;
      }
      const std::size_t size = std::min(cut, input.size());
      eof = size == 0;
      held += input.substr(0, size);
      input.remove_prefix(size);
    }
  }
  invariant(reading.body.size() <= kBodyBytesMax, "no more of a body is kept than is allowed");
  invariant(reading.end != Status::bad || !parser.error().empty(), "what is bad has words");
  if (reading.end != Status::done) return reading;
  reading.status = parser.response().status;
  for (const auto& [name, value] : parser.response().headers.fields())
    reading.fields.emplace_back(name, value);
  reading.keep_alive = parser.keep_alive();
  return reading;
}

bool is_refusal(Status status) {
  return status == Status::bad || status == Status::head_too_large || status == Status::body_too_large;
}

void check_round_trip(const Reading& reading) {
  if (reading.status < 200 || reading.status == 204 || reading.status == 304) return;
  Response response;
  response.status = reading.status;
  response.body = reading.body;
  std::string written;
  server::append_head(written, response, {true, false, "Sun, 06 Nov 1994 08:49:37 GMT"});
  written += response.body;
  const Reading again = read(written, written.size(), false);
  invariant(again.end == Status::done && again.used == written.size(), "what we write is one answer");
  invariant(again.status == reading.status && again.body == reading.body, "and says what was meant");
}

void check(std::string_view input) {
  const auto choice = static_cast<unsigned char>(input[0]);
  const bool bare = (choice & 0x80) != 0;
  const std::size_t cut = 1 + (choice & 0x7f);
  input.remove_prefix(1);
  const Reading whole = read(input, input.size() + 1, bare);
  const Reading in_pieces = read(input, cut, bare);
  if (is_refusal(whole.end))
    invariant(is_refusal(in_pieces.end), "what is refused whole is refused in pieces");
  else
    invariant(whole == in_pieces, "how the bytes were cut does not matter");
  if (whole.end == Status::done) check_round_trip(whole);
}

}  // namespace
}  // namespace tideover::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1) tideover::http::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
