// Reading and writing one connection: each verb ends by the connection's deadline, and says whether to go on.
//
// False means that the connection is of no more use: closed by the peer, broken, or timed out.
#pragma once

#include <boost/asio/buffer.hpp>
#include <string_view>

#include "agent/server/connections.h"
#include "forwarders/http/read_buffer.h"

namespace tideover::server {

using http::ReadBuffer;

awaitable<bool> read_more(Connection& connection, ReadBuffer& buffer);

// Reads some bytes into `to`; 0 is the end.
awaitable<std::size_t> read_some(Connection& connection, boost::asio::mutable_buffer to);

// One write for head and body where the socket takes them.
awaitable<bool> write_all(Connection& connection, std::string_view head, std::string_view body);

// Says goodbye so that the last answer arrives: a close with unread input makes the kernel send a reset,
// which discards what the peer has not read yet. Bounded in time by the deadline and in bytes.
awaitable<void> linger(Connection& connection, ReadBuffer& buffer, std::size_t bytes_max);

}  // namespace tideover::server
