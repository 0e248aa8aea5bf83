// Loki's push request in JSON: refused with a sentence, or a message that generated code reads, the same
// however it is cut, and not larger than its text by much.
#include <algorithm>
#include <cstdint>
#include <string>

#include "agent/ingest/loki/json_push.h"
#include "agent/ingest/loki/sift.h"
#include "tests/support/push_oracle.h"
#include "wal/base/invariant.h"

namespace tideover::ingest::loki {
namespace {

Result<std::string> message_of(std::string_view text, std::size_t piece) {
  JsonPush json;
  while (!text.empty()) {
    const std::string_view front = text.substr(0, piece);
    // Of its own on the heap: the address sanitizer then sees what is kept of a piece that is gone.
    if (const Result<> read = json.read(std::string(front)); !read) return read.error();
    text.remove_prefix(front.size());
  }
  return json.finish();
}

void check(std::string_view text) {
  const Result<std::string> whole = message_of(text, text.size());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    const Result<std::string> cut = message_of(text, piece);
    invariant(cut.has_value() == whole.has_value(), "cuts do not decide whether it is JSON");
    if (whole) invariant(*cut == *whole, "cuts do not change what it says");
  }
  if (!whole) {
    invariant(whole.error().code == Errc::bad_input, "what is refused is bad input");
    invariant(!whole.error().detail.empty() && whole.error().detail.size() < 500, "in a sentence");
    return;
  }
  invariant(whole->size() <= 4 * text.size() + 64, "a message is not much larger than its JSON");
  const auto streams = test::pushed_as_generated_code_reads(*whole);
  invariant(streams.has_value(), "generated code reads what was written");
  for (const test::PushedStream& stream : *streams)
    invariant(!stream.entries.empty(), "a stream has entries");
  (void)sift(*whole, 0, {});
}

}  // namespace
}  // namespace tideover::ingest::loki

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tideover::ingest::loki::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
