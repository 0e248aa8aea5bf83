// Reading a request's body into the string that its handler gets: within the limits, the budget and the time.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/server/byte_budget.h"
#include "agent/server/core.h"
#include "agent/server/io.h"
#include "forwarders/http/message_parser.h"

namespace tideover::server {

enum class BodyEnd : std::uint8_t {
  complete,
  too_large,    // 413
  over_budget,  // 503
  malformed,    // 400
  too_slow,     // 503
  gave_way,     // 503
  closed,       // nobody is left to answer
};

// Where the head says how much there is: refused before anything is read. What is admitted is not reserved:
// it is charged as it comes.
BodyEnd admit_body(const Core& core, const http::MessageParser& parser, Charge& charge);

// To be called after admit_body() said `complete`. `body` already holds the route's headroom.
awaitable<BodyEnd> read_body(Core& core, Connection& connection, ReadBuffer& buffer,
                             http::MessageParser& parser, Charge& charge, std::string& body);

// Until when a body of which `received` bytes came may take, when it began at `start`. Pure.
Time body_deadline(const ServerLimits& limits, Time start, std::size_t received);

}  // namespace tideover::server
