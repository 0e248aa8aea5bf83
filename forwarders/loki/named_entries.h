// Which entries of a push a refusal names, as items of the part that was sent. Pure.
//
// What is named for good is rejected without another look, so a name counts only when the number of entries
// that it fits is the number that was refused; nullopt otherwise, and the part is searched.
#pragma once

#include <optional>
#include <vector>

#include "forwarders/loki/refusal_words.h"
#include "forwarders/loki/sent.h"
#include "forwarders/part.h"

namespace tideover::loki {

using NamedEntries = std::optional<std::vector<forward::Part>>;

NamedEntries entries_of(const SentPush& push, const Clause& clause);

// Exactly those that an ingester ignored because they are behind.
NamedEntries ignored_entries(const SentPush& push, const StreamRefusal& refusal);
// At least those that it ignored, for what is only kept: some may be stored already, and Loki knows an entry
// that it has just stored.
NamedEntries waiting_entries(const SentPush& push, const StreamRefusal& refusal);

// All of a stream; nullopt when the push has none, or several, of that name.
NamedEntries stream_entries(const SentPush& push, const std::optional<StreamName>& name);

// The push holds nothing but this stream, and all of it reached the ingester: what is not counted as ignored
// is stored.
bool speaks_of_whole_push(const SentPush& push, const StreamRefusal& refusal);

}  // namespace tideover::loki
