// One connection to a peer, plain or TLS: bytes in and out, each verb until it ends or close() cuts it short.
//
// HTTP/1.1 tells an answer from another by nothing but its place. So a request is written while its answer is
// listened for, and the connection knows what left the peer before it can have had the request.
// Executor: io. An error_code tells how a verb ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "forwarders/http/message_parser.h"
#include "forwarders/http/read_buffer.h"
#include "wal/base/notifier.h"

namespace boost::asio::ssl {
class context;
}

namespace tideover::http {

class ClientConnection {
 public:
  ClientConnection(boost::asio::io_context& io, Clock& clock);
  ~ClientConnection();  // after written(), if there was a write

  awaitable<boost::system::error_code> connect(boost::asio::ip::tcp::endpoint to);
  // Verifies that the peer is `server_name`.
  awaitable<boost::system::error_code> secure(std::shared_ptr<boost::asio::ssl::context> context,
                                              std::string server_name);
  // Begins as soon as the caller waits for the answer. `head` and `body` live until written() has returned.
  void write(std::string_view head, std::string_view body);
  awaitable<boost::system::error_code> written();    // how the write ended
  awaitable<boost::system::error_code> read_more();  // into buffer()

  // The peer's host does not have all of the request yet. Each of its segments acknowledges what it has: what
  // arrives while this is so left the peer before it can have read the request.
  bool sending();

  void close();
  const boost::asio::ip::tcp::endpoint& peer() const { return peer_; }

  // False when the peer has closed it, or sent what nobody asked for, be it a byte of a TLS record: not to be
  // used for another request.
  bool still_good();

  ReadBuffer& buffer() { return buffer_; }
  MessageParser& parser() { return parser_; }
  std::string& head() { return head_; }  // of the request under way; kept for its memory

  Time idle_since{};
  std::uint64_t generation = 0;  // of the TLS context it was made with
  bool answered = false;         // at least once

 private:
  struct Tls;

  void start_write(std::string_view head, std::string_view body);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::endpoint peer_;  // it is connected to, or was to be
  std::unique_ptr<Tls> tls_;
  ReadBuffer buffer_;
  MessageParser parser_;
  std::string head_;
  bool writing_ = false;
  boost::system::error_code write_error_;
  Notifier write_ended_;
};

// What the peer says about our certificate comes as an alert, under TLS 1.3 only after our handshake is over:
// until then it has not looked at a request.
bool is_handshake_alert(const boost::system::error_code& error);

// The words for a person; TLS errors name what OpenSSL found.
std::string describe(const boost::system::error_code& error);

}  // namespace tideover::http
