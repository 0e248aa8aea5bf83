// What lies where in the data directory.
#pragma once

#include <string>

#include "wal/base/result.h"

namespace tideover {

std::string socket_path(const std::string& data_dir);      // the operators' socket
std::string store_directory(const std::string& data_dir);  // of the queue, whatever signals are in it

// Where the store is now: by the name that it had in earlier versions until adopt_earlier_store(). Blocking.
std::string present_store(const std::string& data_dir);

// Blocking. The store of earlier versions, which was called after the one signal there was, gets its name.
// Crash before or after: it has the one name or the other. Errors: store_busy, io_error; store_refused, when
// both are there.
Result<> adopt_earlier_store(const std::string& data_dir);

}  // namespace tideover
