#include "agent/reexec.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>

#include "agent/log/log.h"

namespace tideover {

int reexec() {
  ::alarm(0);  // it outlives execve()
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string words(std::istreambuf_iterator<char>(file), {});
  std::vector<char*> argv;
  for (std::size_t at = 0; at < words.size(); at += std::strlen(words.data() + at) + 1)
    argv.push_back(words.data() + at);
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  log::event(log::Level::error, "the agent could not be started again in place",
             {{"because", std::strerror(errno)}});
  log::flush();
  return 1;
}

}  // namespace tideover
