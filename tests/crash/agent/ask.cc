#include "tests/crash/agent/ask.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <fstream>
#include <regex>

namespace tideover::crash {

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<std::string> ask(std::uint16_t port, std::string target) {
  boost::system::error_code error;
  tcp::socket socket(co_await asio::this_coro::executor);
  const tcp::endpoint peer(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(peer, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return "";
  const std::string request = "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  co_await asio::async_write(socket, asio::buffer(request), asio::redirect_error(asio::use_awaitable, error));
  std::string answer;
  co_await asio::async_read(socket, asio::dynamic_buffer(answer),
                            asio::redirect_error(asio::use_awaitable, error));
  co_return answer;
}

std::uint64_t number_behind(const std::string& text, const std::string& before) {
  const auto at = text.find(before);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + before.size(), nullptr, 10);
}

std::uint64_t records_said_lost(const std::filesystem::path& log) {
  static const std::regex words("([0-9]+) records are lost with them");
  std::ifstream file(log);
  std::uint64_t sum = 0;
  std::smatch found;
  for (std::string line; std::getline(file, line);)
    if (std::regex_search(line, found, words)) sum += std::stoull(found[1]);
  return sum;
}

}  // namespace tideover::crash
