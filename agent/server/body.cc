#include "agent/server/body.h"

#include <algorithm>

namespace tideover::server {
namespace {

using http::MessageParser;

constexpr Duration kRateGrace = std::chrono::seconds(5);
constexpr std::size_t kStride = 64 << 10;  // memory is touched little ahead of what has arrived

// Larger ones could never be admitted, however long the client tries again.
std::size_t body_max(const Core& core) {
  return std::min(core.limits.body_bytes, core.limits.inflight_bytes);
}

BodyEnd end_of(const Connection& connection) {
  return connection.timed_out ? BodyEnd::too_slow : BodyEnd::closed;
}

awaitable<BodyEnd> read_counted(Core& core, Connection& connection, ReadBuffer& buffer, std::size_t length,
                                std::string& body) {
  Time start = core.clock.now();
  connection.take_excuse();
  const std::size_t first = body.size();
  const std::size_t end = first + length;
  body.reserve(end);  // admitted in full; pages are only taken as they are written
  const std::size_t buffered = std::min(length, buffer.data().size());
  body.append(buffer.data().substr(0, buffered));
  buffer.consume(buffered);
  std::size_t filled = body.size();
  while (filled < end) {
    start += connection.take_excuse();
    connection.allow_until(body_deadline(core.limits, start, filled - first));
    if (filled == body.size()) body.resize(std::min(end, filled + kStride));
    const std::size_t n =
        co_await read_some(connection, boost::asio::buffer(body.data() + filled, body.size() - filled));
    if (n == 0) co_return end_of(connection);
    filled += n;
  }
  co_return BodyEnd::complete;
}

// Room for `more` bytes at the end of `body`, as exactly as it is charged: a string left to itself doubles.
// While it moves, the old bytes are there, too; nothing is awaited meanwhile, so that happens to one body at
// a time.
bool make_room(std::string& body, std::size_t first, std::size_t more, std::size_t body_bytes_max,
               ByteBudget::Charge& charge) {
  const std::size_t needed = body.size() + more;
  if (needed <= body.capacity()) return true;
  const std::size_t ahead = std::min(body.capacity() + body.capacity() / 2, first + body_bytes_max);
  std::size_t capacity = std::max(needed, ahead);
  if (!charge.resize(capacity - first)) {
    capacity = needed;
    if (!charge.resize(capacity - first)) return false;
  }
  std::string larger;
  larger.reserve(capacity);
  larger += body;
  body.swap(larger);
  return true;
}

awaitable<BodyEnd> read_chunked(Core& core, Connection& connection, ReadBuffer& buffer, MessageParser& parser,
                                ByteBudget::Charge& charge, std::string& body) {
  Time start = core.clock.now();
  connection.take_excuse();
  const std::size_t first = body.size();
  parser.body_to(&body, body_max(core));
  while (true) {
    // What comes out of the buffer is at most what is in it: charged before it is stored.
    const std::string_view input = buffer.data();
    const std::size_t bytes = std::min(input.size(), first + body_max(core) - body.size());
    if (!make_room(body, first, bytes, body_max(core), charge)) co_return BodyEnd::over_budget;
    std::size_t used = 0;
    const MessageParser::Status status = parser.put(input, used);
    buffer.consume(used);
    switch (status) {
      case MessageParser::Status::done: co_return BodyEnd::complete;
      case MessageParser::Status::body_too_large: co_return BodyEnd::too_large;
      case MessageParser::Status::bad:
      case MessageParser::Status::head_too_large: co_return BodyEnd::malformed;
      case MessageParser::Status::head_done:
      case MessageParser::Status::need_more: break;
    }
    if (buffer.full()) co_return BodyEnd::malformed;  // a chunk's head or the trailer has no end
    start += connection.take_excuse();
    connection.allow_until(body_deadline(core.limits, start, body.size() - first));
    const bool more = co_await read_more(connection, buffer);
    if (!more) co_return end_of(connection);
  }
}

}  // namespace

BodyEnd admit_body(const Core& core, const MessageParser& parser, ByteBudget::Charge& charge) {
  const std::uint64_t length = parser.content_length().value_or(0);
  if (length > body_max(core)) return BodyEnd::too_large;
  if (!charge.resize(static_cast<std::size_t>(length))) return BodyEnd::over_budget;
  return BodyEnd::complete;
}

awaitable<BodyEnd> read_body(Core& core, Connection& connection, ReadBuffer& buffer, MessageParser& parser,
                             ByteBudget::Charge& charge, std::string& body) {
  if (parser.chunked()) return read_chunked(core, connection, buffer, parser, charge, body);
  const auto length = static_cast<std::size_t>(parser.content_length().value_or(0));
  return read_counted(core, connection, buffer, length, body);
}

Time body_deadline(const ServerLimits& limits, Time start, std::size_t received) {
  const std::size_t rate = std::max<std::size_t>(1, limits.body_bytes_per_second_min);
  const Duration earned = std::chrono::milliseconds(received * 1000 / rate);
  return start + std::min(limits.body_time, std::max(kRateGrace, earned));
}

}  // namespace tideover::server
