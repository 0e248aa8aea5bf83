// crash_opener DIR: opens the store in DIR, as an agent does when it starts, and ends. It is a process of its
// own so that its power can be cut.
#include <iostream>

#include "wal/rocks/rocks_store.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  // Room for everything: what is not written on purpose is not written by chance.
  tideover::wal::RocksOptions options{
      .directory = argv[1], .ballast_bytes = 0, .memtable_bytes = 8 << 20, .note = {}};
  options.note = [](const std::string& sentence) { std::cerr << sentence << std::endl; };
  options.read_patience = std::chrono::milliseconds(2);
  tideover::wal::RocksStore store(std::move(options));
  const auto image = store.open();
  if (!image) std::cerr << image.error().detail << std::endl;
  return image ? 0 : 1;
}
