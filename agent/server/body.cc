#include "agent/server/body.h"

#include <algorithm>

namespace tideover::server {
namespace {

using http::MessageParser;

constexpr Duration kRateGrace = std::chrono::seconds(5);
// Memory is touched, and charged, little ahead of what has arrived: as much again, within these.
constexpr std::size_t kStrideMin = 4 << 10;
constexpr std::size_t kStrideMax = 64 << 10;
constexpr std::size_t kReserve = 256 << 10;

// Larger ones could never be admitted, however long the client tries again.
std::size_t body_max(const Core& core) { return std::min(core.limits.body_bytes, core.bytes.most()); }

BodyEnd end_of(const Connection& connection) {
  if (connection.gave_way) return BodyEnd::gave_way;
  return connection.timed_out ? BodyEnd::too_slow : BodyEnd::closed;
}

// Room for `more` bytes at the end of `body`. Memory that is not written to is only an address: growing in
// long strides takes no more of it, and what is copied meanwhile, while both are there, is a quarter of the
// new size, and half of the largest.
void make_room(std::string& body, std::size_t more, std::size_t size_max) {
  const std::size_t needed = body.size() + more;
  if (needed <= body.capacity()) return;
  std::string larger;
  larger.reserve(std::max(needed, std::min(std::max(kReserve, 4 * body.capacity()), size_max)));
  larger += body;
  body.swap(larger);
}

awaitable<BodyEnd> read_counted(Core& core, Connection& connection, ReadBuffer& buffer, std::size_t length,
                                Charge& charge, std::string& body) {
  Time start = core.clock.now();
  connection.take_excuse();
  const std::size_t first = body.size();
  const std::size_t end = first + length;
  const std::size_t buffered = std::min(length, buffer.data().size());
  if (!charge.resize(buffered)) co_return BodyEnd::over_budget;
  make_room(body, buffered, end);
  body.append(buffer.data().substr(0, buffered));
  buffer.consume(buffered);
  std::size_t filled = body.size();
  while (filled < end) {
    start += connection.take_excuse();
    connection.allow_until(body_deadline(core.limits, start, filled - first));
    if (filled == body.size()) {
      const std::size_t stride = std::min(end - filled, std::clamp(filled - first, kStrideMin, kStrideMax));
      if (!charge.resize(filled - first + stride)) co_return BodyEnd::over_budget;
      make_room(body, stride, end);
      body.resize(filled + stride);
    }
    const std::size_t n =
        co_await read_some(connection, boost::asio::buffer(body.data() + filled, body.size() - filled));
    if (n == 0) co_return end_of(connection);
    filled += n;
  }
  charge.arrived();
  co_return BodyEnd::complete;
}

awaitable<BodyEnd> read_chunked(Core& core, Connection& connection, ReadBuffer& buffer, MessageParser& parser,
                                Charge& charge, std::string& body) {
  Time start = core.clock.now();
  connection.take_excuse();
  const std::size_t first = body.size();
  const std::size_t size_max = first + body_max(core);
  parser.body_to(&body, body_max(core));
  while (true) {
    // What comes out of the buffer is at most what is in it: charged before it is stored.
    const std::string_view input = buffer.data();
    if (!charge.resize(body.size() - first + input.size())) co_return BodyEnd::over_budget;
    make_room(body, std::min(input.size(), size_max - body.size()), size_max);
    std::size_t used = 0;
    const MessageParser::Status status = parser.put(input, used);
    buffer.consume(used);
    charge.resize(body.size() - first);
    switch (status) {
      case MessageParser::Status::done: charge.arrived(); co_return BodyEnd::complete;
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

BodyEnd admit_body(const Core& core, const MessageParser& parser, Charge& charge) {
  const std::uint64_t length = parser.content_length().value_or(0);
  if (length > body_max(core)) return BodyEnd::too_large;
  if (!parser.chunked() && !charge.declare(static_cast<std::size_t>(length))) return BodyEnd::over_budget;
  return BodyEnd::complete;
}

awaitable<BodyEnd> read_body(Core& core, Connection& connection, ReadBuffer& buffer, MessageParser& parser,
                             Charge& charge, std::string& body) {
  if (parser.chunked()) return read_chunked(core, connection, buffer, parser, charge, body);
  const auto length = static_cast<std::size_t>(parser.content_length().value_or(0));
  return read_counted(core, connection, buffer, length, charge, body);
}

Time body_deadline(const ServerLimits& limits, Time start, std::size_t received) {
  const std::size_t rate = std::max<std::size_t>(1, limits.body_bytes_per_second_min);
  const Duration earned = std::chrono::milliseconds(received * 1000 / rate);
  return start + std::min(limits.body_time, std::max(kRateGrace, earned));
}

}  // namespace tideover::server
