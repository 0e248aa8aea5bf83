// One spelling for what two servers may hold in different layouts.
#pragma once

#include <set>
#include <string>

#include "samples.pb.h"

namespace tideover::compare {

// {a="1", b="2"}: sorted by name, values escaped.
std::string canonical_labels(const pb::TimeSeries& message, const std::set<std::string>& ignored);

// All that a histogram says, floats as bits. A TSDB may re-lay a chunk's spans, adding empty buckets, and
// derives counter-reset hints from where its chunks begin: so empty buckets are left out, and of the hint
// only "gauge" counts.
std::string canonical(const pb::Histogram& histogram);

}  // namespace tideover::compare
