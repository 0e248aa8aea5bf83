// Looks into a closed store's directory, and takes things out of it, past the store itself.
#pragma once

#include <string>
#include <vector>

namespace tideover::wal {

// The version that the directory says it has.
std::string format_of(const std::string& directory);

// Paths of the tables of records that have moved below level 0, in the order of their records.
std::vector<std::string> deep_tables(const std::string& directory);

// Writes the oldest table of records anew, as a compaction below newer ones does: it has the highest number
// then.
void compact_oldest_table(const std::string& directory);

// Both copies of the meta become empty, as if a rebuild had found nothing of them.
void forget_meta(const std::string& directory);

// Every table that holds `text` has it damaged, wherever it stands. How many tables did.
int damage_tables(const std::string& directory, const std::string& text);

}  // namespace tideover::wal
