// The agent's own log: a sentence plus key=value, on state change, on standard error.
//
// Any thread. Each call site may write ten lines in ten seconds; what it says beyond is counted, and the
// count is written once the time is over. Never a payload, never a secret: values are cut at kValueBytesMax.
//   log::event(log::Level::warn, "destination is down", {{"destination", name}, {"backlog_bytes", bytes}});
#pragma once

#include <boost/assert/source_location.hpp>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string_view>

#include "agent/log/line.h"

namespace tideover::log {

struct Options {
  Format format = Format::logfmt;
  Level level = Level::info;                              // less important events are not written
  std::function<void(std::string_view line)> write = {};  // for tests; empty: standard error
};

// Before the first event(), or by the only thread.
void configure(Options options);

void event(Level level, std::string_view sentence, std::initializer_list<Field> fields = {},
           const boost::source_location& where = BOOST_CURRENT_LOCATION);

// At the end of the process: the counts of what was left out.
void flush();

}  // namespace tideover::log
