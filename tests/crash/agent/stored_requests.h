// Which requests' records lie in some bytes of a store's file: what may be missing when these cannot be read.
//
// Those are the records that the bytes touch, and nothing else: neighbours in the same block, batch or group
// can be told from them. Records may lie elsewhere as well, so more is named than must be lost.
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
