// Which of a peer's addresses to try first, and when to leave the one in use. Pure: no I/O, no clock.
//
// A name may stand for several addresses, and stop standing for one of them while that goes on answering: an
// old load balancer with nothing behind it says 503, 404 or 429 for as long as it is asked. So after
// `kRefusalsMax` refusals in a row the address counts as failed: its connections are closed, the name is
// looked up again, and every other address of it has its turn first. Executor: io.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <map>
#include <vector>

namespace tideover::http {

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

class AddressBook {
 public:
  // Fewer are a hiccup of the receiver, and a new connection would be one more burden to it.
  static constexpr std::uint32_t kRefusalsMax = 3;
  // Answers in a row that found fault with the data, where none took any: a receiver that means it, or a
  // stranger who says 400 to everything. The former loses nothing by a new connection now and then.
  static constexpr std::uint32_t kFaultsFoundMax = 32;

  // As just looked up, the one whose last failure is longest ago first; the system's order among those that
  // have not failed. What is not among them is forgotten.
  Endpoints in_order(Endpoints found);

  // No connection, no TLS session, no answer.
  void failed(const boost::asio::ip::tcp::endpoint& address);
  // True when the address is to be left: its answers have refused whatever they were asked, again and again.
  bool answered(const boost::asio::ip::tcp::endpoint& address, int status);

 private:
  std::map<boost::asio::ip::tcp::endpoint, std::uint64_t> failures_;  // the number of the last one of each
  std::uint64_t failures_ever_ = 0;
  std::uint32_t refusals_ = 0;      // in a row
  std::uint32_t faults_found_ = 0;  // since the last success
};

}  // namespace tideover::http
