// What the agent says about itself.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

namespace tideover::crash {

// GET on 127.0.0.1; empty while nobody answers.
boost::asio::awaitable<std::string> ask(std::uint16_t port, std::string target);

}  // namespace tideover::crash
