// Prints the table of keys that docs/CONFIG.md must show.
#include <cstdio>

#include "agent/config/reference.h"

int main() {
  std::fputs(tideover::config::reference_markdown().c_str(), stdout);
  return 0;
}
