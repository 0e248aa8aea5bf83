// Which requests' records lie in some bytes of a store's file: what may be missing when these cannot be read.
//
// In a table that is what the bytes touch, and nothing else. A log is believed by the block of 32 KiB, so
// that it is every write batch of which a part lies in a block that they touch. Finds the records by their
// envelopes, whatever the file's own structure says. Records may lie elsewhere as well, so more is named than
// must be lost.
#pragma once

#include <filesystem>
#include <set>

#include "tests/crash/agent/account.h"
#include "tests/crash/agent/samples.h"
#include "tests/crash/disk/bad_sectors.h"

namespace tideover::crash {

std::set<RequestId> stored_requests(const std::filesystem::path& file, disk::Extent extent,
                                    const Samples& samples);

}  // namespace tideover::crash
