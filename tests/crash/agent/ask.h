// What the agent says about itself.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <filesystem>
#include <string>

namespace tideover::crash {

// GET on 127.0.0.1; empty while nobody answers.
boost::asio::awaitable<std::string> ask(std::uint16_t port, std::string target);

// The number behind `before` in `text`; 0 when it is not there.
std::uint64_t number_behind(const std::string& text, const std::string& before);

// What a life's log says of records of a log's last groups, which no cursor will ever come by.
std::uint64_t records_said_lost(const std::filesystem::path& log);

}  // namespace tideover::crash
