// Binding: an address in words becomes a socket that listens.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <sys/types.h>

#include "wal/base/result.h"

namespace tideover::server {

// TCP and unix sockets alike; the executor is the context itself, not its type-erased form.
using Protocol = boost::asio::generic::stream_protocol;
using Socket = boost::asio::basic_stream_socket<Protocol, boost::asio::io_context::executor_type>;
using Acceptor = boost::asio::basic_socket_acceptor<Protocol, boost::asio::io_context::executor_type>;

struct Listener {
  Acceptor acceptor;
  std::string address;    // with the port that was picked
  std::string unix_path;  // empty for TCP
  dev_t device = 0;       // of the socket file, to remove no other
  ino_t inode = 0;
};

Result<Listener> open_listener(boost::asio::io_context& io, const std::string& address);

// Ends the listening, and removes the socket file if it is still the one that was made.
void close_listener(Listener& listener);

}  // namespace tideover::server
