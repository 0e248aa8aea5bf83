#include "forwarders/reject_record.h"

#include <catch2/catch.hpp>
#include <string>

namespace tideover::forward {
namespace {

wal::NewRecord refused(std::string payload) {
  wal::NewRecord record;
  record.bytes = std::string(wal::kEnvelopeBytes, '\0') + std::move(payload);
  record.attributes.encoding = 1;
  record.attributes.units = 7;
  record.attributes.oldest_ms = 5;
  return record;
}

TEST_CASE("a dead letter says what was refused, why and when, and carries the bytes unchanged") {
  const std::string message("\x00\n\"{bytes}\xff", 12);
  const RejectNote note{"out_of_order",         "thanos", 1'700'000'000'000, 1, 7, "{__name__=\"up\"}",
                        "HTTP 409: a \"quote\""};
  const wal::NewRecord letter = reject_record(note, refused(message));
  CHECK(letter.attributes.encoding == kRejectEncoding);
  CHECK(letter.attributes.units == 7);
  CHECK(letter.attributes.oldest_ms == 5);
  const auto view = read_reject(letter.payload());
  REQUIRE(view.has_value());
  CHECK(view->note.reason == note.reason);
  CHECK(view->note.destination == note.destination);
  CHECK(view->note.refused_ms == note.refused_ms);
  CHECK(view->note.encoding == 1);
  CHECK(view->note.units == 7);
  CHECK(view->note.item == note.item);
  CHECK(view->note.sentence == note.sentence);
  CHECK(view->message == message);
}

TEST_CASE("a dead letter can be read whatever the names of the series, and wherever they are cut") {
  RejectNote note;
  for (const std::string front : {"", "x", "xx"}) {
    note.item = front;
    while (note.item.size() < 2'000) note.item += "\xe2\x82\xac";
    const wal::NewRecord letter = reject_record(note, refused("message"));
    const auto view = read_reject(letter.payload());
    REQUIRE(view.has_value());
    CHECK(view->note.item.size() > 990);
    CHECK(note.item.starts_with(view->note.item));
  }
}

TEST_CASE("what is no dead letter is refused with a sentence") {
  for (const char* payload : {"", "{}", "{}\n", "no json\n", "[1]\n", "{\"v\":2}\n"})
    CHECK(read_reject(payload).has_error());
}

}  // namespace
}  // namespace tideover::forward
