// Prints the table of keys that docs/CONFIG.md must show.
#include "agent/config/reference.h"

#include <cstdio>

int main() {
  std::fputs(tideover::config::reference_markdown().c_str(), stdout);
  return 0;
}
