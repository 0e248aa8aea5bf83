// What a request may hold beside its bytes.
//
// Bytes alone bound neither memory nor time: two bytes of a message can be a label, which takes 32 in memory,
// and a reference of one byte can stand for a string of megabytes. Every limit is far above what any sender
// makes of a request of ten thousand samples; together they keep the work on one request near what its 32 MiB
// cost anyway.
#pragma once

#include <cstddef>

namespace tideover::remote_write {

// Each of: series, samples and histograms, exemplars, metadata, symbols.
inline constexpr std::size_t kEntriesMax = 500'000;
inline constexpr std::size_t kRequestLabelsMax = 2'000'000;  // of all series together
inline constexpr std::size_t kSeriesLabelsMax = 10'000;      // of a series, of an exemplar
inline constexpr std::size_t kHistogramListMax = 65'536;     // spans, buckets or bounds of a histogram
// Of the strings that a 2.0 request refers to, each as often as it does: what 1.0 would have to say.
inline constexpr std::size_t kReferredBytesMax = 32 << 20;

}  // namespace tideover::remote_write
