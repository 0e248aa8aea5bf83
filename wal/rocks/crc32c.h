// CRC32C (Castagnoli) by the CPU's own instruction, for RocksDB's log.
//
// RocksDB checks every byte of its log with it. Debian builds the library for the oldest CPU of the
// architecture, so that it computes the sum by table, which was a fifteenth of all of the agent's CPU time.
// crc32c.cc defines the function that the library itself calls, rocksdb::crc32c::Extend: the dynamic
// linker prefers the program's definition to the library's. docs/adr/0016 says why that is safe.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tideover::wal {

// The sum over what `crc` was computed of, followed by `size` bytes. Starts from 0.
std::uint32_t extend_crc32c(std::uint32_t crc, const char* bytes, std::size_t size);

}  // namespace tideover::wal
