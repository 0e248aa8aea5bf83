#include "agent/config/reference.h"

#include "agent/config/schema.h"

namespace tideover::config {

std::string reference_markdown() {
  std::string out = "| Key | Type | Default | Bounds | What it is |\n|---|---|---|---|---|\n";
  for (const Row& row : rows_of(schema())) {
    out += fmt::format("| `{}`{} | {} | {} | {} | {} |\n", row.path, row.required ? " \\*" : "", row.type,
                       row.fallback, row.bounds, row.help);
  }
  return out;
}

}  // namespace tideover::config
