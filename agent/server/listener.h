// Binding: an address in words becomes a socket that listens.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <span>
#include <string>
#include <sys/types.h>

#include "agent/server/sockets.h"
#include "wal/base/result.h"

namespace tideover::server {

// TCP and unix sockets alike; the executor is the context itself, not its type-erased form.
using Protocol = boost::asio::generic::stream_protocol;
using Socket = boost::asio::basic_stream_socket<Protocol, boost::asio::io_context::executor_type>;
using Acceptor = boost::asio::basic_socket_acceptor<Protocol, boost::asio::io_context::executor_type>;

struct Listener {
  Acceptor acceptor;
  std::string asked_for;  // the address in the words of the configuration
  std::string address;    // with the port that was picked
  std::string unix_path;  // empty for TCP
  dev_t device = 0;       // of the socket file, to remove no other
  ino_t inode = 0;
};

// `beside`: listening sockets of our own that an address may overlap, as 0.0.0.0:1 does 127.0.0.1:1; anybody
// else's keeps the address taken. Errors: io_error with the system's words, bad_input.
Result<Listener> open_listener(boost::asio::io_context& io, const std::string& address,
                               std::span<const int> beside = {});

// Takes over a socket that an earlier image of this process left. It must listen, and on this very address;
// otherwise the descriptor is closed. Errors: bad_input, with what is wrong with it.
Result<Listener> adopt_listener(boost::asio::io_context& io, const std::string& address, int descriptor);

// Gives the descriptor away, still listening, the socket file in its place; -1 when that file is not ours any
// more: nobody could reach the socket.
int release_listener(Listener& listener);

// Ends the listening, and removes the socket file if it is still the one that was made.
void close_listener(Listener& listener);

}  // namespace tideover::server
