// The texts below are those of Loki 3.7 as a real one says them; how its parts hide what they refuse stands
// in refusal_words.h.
#include "forwarders/loki/classify.h"

#include <catch2/catch.hpp>
#include <deque>

#include "forwarders/loki/push_writer.h"
#include "forwarders/loki/sent.h"

namespace tideover::loki {
namespace {

using forward::Action;
using forward::History;
using forward::Part;
using forward::Sent;
using forward::Verdict;
using wal::Reason;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSeven = 1'795'935'600 * kSecond;  // 2026-11-29T07:00:00Z

// What a push carries, without the records that it came from.
class Push {
 public:
  Push& stream(std::string labels) {
    texts_.push_back(std::move(labels));
    streams_.emplace_back().labels = texts_.back();
    return *this;
  }
  Push& entry(std::int64_t ns, std::size_t line_bytes = 10, std::vector<Pair> metadata = {}) {
    PushWriter writer;
    writer.stream("{}");
    writer.entry(0, "", metadata);
    texts_.push_back(writer.take());
    PushReader reader(texts_.back());
    PushEntry entry;
    reader.next_stream();
    reader.next_entry(entry);
    texts_.emplace_back(line_bytes, 'x');
    streams_.back().entries.push_back({ns, texts_.back(), entry.metadata});
    return *this;
  }
  Push& entries(std::size_t count, std::int64_t from, std::size_t line_bytes = 10) {
    for (std::size_t i = 0; i < count; ++i) entry(from + static_cast<std::int64_t>(i) * kSecond, line_bytes);
    return *this;
  }

  Sent sent(std::uint32_t retries = 0) const {
    SentPush push;
    push.retries = retries;
    std::uint64_t units = 0;
    for (const BatchStream& stream : streams_) {
      push.streams.push_back({&stream, 0, stream.entries.size()});
      units += stream.entries.size();
    }
    return {units, push};
  }

 private:
  std::deque<std::string> texts_;
  std::deque<BatchStream> streams_;
};

const History kFirst{};
const History kDoubt{.in_doubt = true};
const History kOne{.divisible = false};
const History kOneInDoubt{.in_doubt = true, .divisible = false};

Verdict answered(const Push& push, int status, const std::string& text, const History& history = kFirst,
                 std::uint32_t retries = 0) {
  return classify(push.sent(retries), http::Response{status, {}, text + "\n"}, history);
}

std::string too_old(const std::string& stream, const std::string& time) {
  return "entry for stream '" + stream + "' has timestamp too old: " + time +
         ", oldest acceptable timestamp is: 2026-11-30T07:00:00Z";
}

std::string too_long(const std::string& stream, std::size_t bytes) {
  return "max entry size '262144' bytes exceeded for stream '" + stream +
         "' while adding an entry with length '" + std::to_string(bytes) + "' bytes";
}

std::string ignored(const std::string& time, const std::string& reason) {
  return "entry with timestamp 2026-11-29 " + time + " +0000 UTC ignored, reason: '" + reason + "',\n";
}

const std::string kBehind =
    "entry too far behind, entry timestamp is: 2026-11-29T07:00:00Z, oldest acceptable timestamp is: "
    "2026-11-29T08:00:00Z";
const std::string kRate =
    "Per stream rate limit exceeded (limit: 2KB/sec) while attempting to ingest for stream '{app=\"b\"}' "
    "totaling 1kB, consider splitting a stream via additional labels";

std::string total(std::size_t bad, std::size_t of, const std::string& stream = "{app=\"b\"}") {
  return "user 't1', total ignored: " + std::to_string(bad) + " out of " + std::to_string(of) +
         " for stream: " + stream;
}

TEST_CASE("204 alone is success") {
  const Push push = std::move(Push().stream("{app=\"a\"}").entries(3, kSeven));
  CHECK(answered(push, 204, "").action == Action::advance);
  CHECK(answered(push, 204, "").losses.empty());
  for (const int status : {200, 201, 202, 206, 260}) {
    INFO(status);
    CHECK(
        answered(push, status, "ingestion blocked for user t1 until '2027' with status code '260'").action ==
        Action::pause);
  }
}

TEST_CASE("faults of the configuration keep everything") {
  const Push push = std::move(Push().stream("{app=\"a\"}").entries(3, kSeven));
  for (const int status : {301, 401, 403, 404, 405, 415}) {
    INFO(status);
    CHECK(answered(push, status, "no").action == Action::pause);
  }
  CHECK(answered(push, 400, "multiple org IDs present").action == Action::pause);
  CHECK(answered(push, 400, "no org id").action == Action::pause);
}

TEST_CASE("what says nothing of the data is sent again") {
  const Push push = std::move(Push().stream("{app=\"a\"}").entries(3, kSeven));
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
    INFO(status);
    CHECK(answered(push, status, "at capacity").action == Action::retry);
  }
  CHECK(classify(push.sent(), fail(Errc::timeout, "no answer"), kFirst).action == Action::retry);
  http::Response patient{429, {{"Retry-After", "7"}}, "later"};
  CHECK(classify(push.sent(), patient, kFirst).retry_after == std::chrono::seconds(7));
}

TEST_CASE("too large for the receiver, or for what is behind it, is halved") {
  const Push push = std::move(Push().stream("{app=\"a\"}").entries(3, kSeven));
  CHECK(answered(push, 413, "").action == Action::halve);
  CHECK(answered(push, 400, "request body too large: 9 bytes, limit: 8 bytes").action == Action::halve);
  CHECK(answered(push, 500,
                 "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5000000 "
                 "vs. 4194304)")
            .action == Action::halve);
}

TEST_CASE("entries that are too old are named, and the rest of their stream is stored") {
  const Push push = std::move(
      Push().stream("{app=\"a\"}").entries(2, kSeven).stream("{app=\"w\", job=\"x\"}").entries(4, kSeven));
  const std::string name = "{app=\"w\", job=\"x\", service_name=\"w\"}";
  const Verdict verdict = answered(push, 400,
                                   "1 errors like: " + too_old(name, "2026-11-29T07:00:01Z") +
                                       "; 1 errors like: " + too_old(name, "2026-11-29T07:00:00Z"));
  CHECK(verdict.action == Action::bisect);
  CHECK(verdict.reason == Reason::out_of_bounds);
  CHECK(verdict.understood);
  CHECK_FALSE(verdict.rest_stored);  // the other stream may be blocked
  CHECK(verdict.named == std::vector<Part>{{3, 4}, {2, 3}});
  const Push alone = std::move(Push().stream("{app=\"w\", job=\"x\"}").entries(4, kSeven));
  CHECK(answered(alone, 400, too_old(name, "2026-11-29T07:00:01Z")).rest_stored);
}

TEST_CASE("of one second, the oldest are those that are too old, and the newest those that are too new") {
  const Push push = std::move(Push()
                                  .stream("{app=\"w\"}")
                                  .entry(kSeven + 30)
                                  .entry(kSeven + 10)
                                  .entry(kSeven + 20)
                                  .entry(kSeven + 9));
  const std::string name = "{app=\"w\"}";
  CHECK(answered(push, 400, "2 errors like: " + too_old(name, "2026-11-29T07:00:00Z")).named ==
        std::vector<Part>{{1, 2}, {3, 4}});
  const Verdict ahead =
      answered(push, 400,
               "2 errors like: entry for stream '" + name + "' has timestamp too new: 2026-11-29T07:00:00Z");
  CHECK(ahead.action == Action::park);
  CHECK(ahead.reason == Reason::out_of_bounds);
  CHECK(ahead.named == std::vector<Part>{{0, 1}, {2, 3}});
}

TEST_CASE("names that fit another number of entries than were refused are not used") {
  const Push push =
      std::move(Push().stream("{app=\"w\"}").entry(kSeven).entry(kSeven).entry(kSeven + kSecond));
  const Verdict verdict = answered(push, 400, too_old("{app=\"w\"}", "2026-11-29T07:00:00Z"));
  CHECK(verdict.action == Action::bisect);
  CHECK(verdict.understood);
  CHECK(verdict.named.empty());
  CHECK(answered(push, 400, too_old("{app=\"z\"}", "2026-11-29T07:00:01Z")).named.empty());
}

TEST_CASE("two streams of one name are no name") {
  const Push push = std::move(
      Push().stream("{app=\"w\"}").entry(kSeven).stream("{app=\"w\", service_name=\"v\"}").entry(kSeven));
  CHECK(
      answered(push, 400, too_old("{app=\"w\", service_name=\"w\"}", "2026-11-29T07:00:00Z")).named.empty());
}

TEST_CASE("a line that is too long is found by its length") {
  const Push push = std::move(Push().stream("{app=\"long\"}").entry(kSeven, 300'000).entry(kSeven, 5));
  const Verdict verdict = answered(push, 400, too_long("{app=\"long\"}", 300'000));
  CHECK(verdict.action == Action::bisect);
  CHECK(verdict.reason == Reason::too_large);
  CHECK(verdict.rest_stored);
  CHECK(verdict.named == std::vector<Part>{{0, 1}});
}

TEST_CASE("metadata that is too large or too much is found by its size") {
  const Push push = std::move(Push()
                                  .stream("{app=\"m\"}")
                                  .entry(kSeven)
                                  .entry(kSeven, 10, {{"k", "vvvv"}})
                                  .entry(kSeven, 10, {{"k", "v"}, {"l", "w"}}));
  const std::string name = "stream '{app=\"m\"}' ";
  Verdict verdict =
      answered(push, 400, name + "has structured metadata too large: '5' bytes, limit: '4' bytes.");
  CHECK(verdict.reason == Reason::too_large);
  CHECK(verdict.named == std::vector<Part>{{1, 2}});
  verdict = answered(push, 400, name + "has too many structured metadata labels: '2', limit: '1'.");
  CHECK(verdict.named == std::vector<Part>{{2, 3}});
  verdict = answered(push, 400,
                     "2 errors like: " + name +
                         "includes structured metadata, but this feature is disallowed. Please see ...");
  CHECK(verdict.action == Action::park);
  CHECK(verdict.named == std::vector<Part>{{1, 3}});
}

TEST_CASE("a stream whose labels are refused is named as a whole") {
  const Push push = std::move(
      Push().stream("{app=\"a\"}").entries(2, kSeven).stream("{b=\"b\", app=\"d\"}").entries(3, kSeven));
  for (const std::string fault :
       {"has label value too long: 'd'", "has duplicate label name: 'app'", "has label name too long: 'b'"}) {
    INFO(fault);
    const Verdict verdict = answered(push, 400, "stream '{app=\"d\", b=\"b\"}' " + fault);
    CHECK(verdict.action == Action::bisect);
    CHECK(verdict.reason == Reason::bad_request);
    CHECK(verdict.understood);
    CHECK_FALSE(verdict.rest_stored);  // where ingestion is blocked, the other one is gone
    CHECK(verdict.named == std::vector<Part>{{2, 5}});
  }
}

TEST_CASE("labels that cannot be parsed refuse the whole push, and only they are named") {
  const Push push =
      std::move(Push().stream("{app=\"a\"}").entries(2, kSeven).stream("{app=").entries(1, kSeven));
  const Verdict quoted = answered(push, 400, "Error parsing labels '{app=' with error: unexpected end");
  CHECK(quoted.action == Action::bisect);
  CHECK(quoted.named == std::vector<Part>{{2, 3}});
  CHECK_FALSE(quoted.rest_stored);
  const Push other =
      std::move(Push().stream("{app=\"a\"}").entries(2, kSeven).stream("{1a=\"x\"}").entry(kSeven));
  CHECK(answered(other, 400, "Error parsing labels '{1a=\"x\"}' with error: no").named ==
        std::vector<Part>{{2, 3}});
  const Push lone = std::move(Push().stream("{1a=\"x\"}").entries(3, kSeven));
  const Verdict verdict = answered(lone, 400, "couldn't parse labels: 1:2: parse error");
  CHECK(verdict.understood);
  CHECK_FALSE(verdict.rest_stored);
  CHECK(verdict.named == std::vector<Part>{{0, 3}});
}

TEST_CASE("of several reasons one is named, and the others are asked for again") {
  const Push push = std::move(Push()
                                  .stream("{app=\"w\"}")
                                  .entry(kSeven)
                                  .entry(kSeven + kSecond, 300'000)
                                  .entry(kSeven + 2 * kSecond));
  const std::string ahead = "entry for stream '{app=\"w\"}' has timestamp too new: 2026-11-29T07:00:02Z";
  const std::string old = too_old("{app=\"w\"}", "2026-11-29T07:00:00Z");
  const std::string large = too_long("{app=\"w\"}", 300'000);
  const auto join = [](const std::vector<std::string>& clauses) {
    std::string text;
    for (const std::string& clause : clauses)
      text += (text.empty() ? "1 errors like: " : "; 1 errors like: ") + clause;
    return text;
  };
  Verdict verdict = answered(push, 400, join({ahead, large, old}));
  CHECK(verdict.reason == Reason::out_of_bounds);
  CHECK(verdict.action == Action::bisect);
  CHECK_FALSE(verdict.rest_stored);
  CHECK(verdict.named == std::vector<Part>{{0, 1}});
  verdict = answered(push, 400, join({ahead, large}));
  CHECK(verdict.reason == Reason::too_large);
  CHECK_FALSE(verdict.rest_stored);
  CHECK(verdict.named == std::vector<Part>{{1, 2}});
  verdict = answered(push, 400, ahead);
  CHECK(verdict.action == Action::park);
  CHECK(verdict.rest_stored);
}

TEST_CASE("words that nobody knows are not final") {
  const Push push = std::move(Push().stream("{app=\"a\"}").entries(3, kSeven));
  for (const std::string text : {"no", "mime: no media type", "snappy: corrupt input",
                                 "1 errors like: news; 1 errors like: entry for stream '{app=\"a\"}' has "
                                 "timestamp too old: 2026-11-29T07:00:00Z"}) {
    INFO(text);
    const Verdict verdict = answered(push, 400, text);
    CHECK(verdict.action == Action::bisect);
    CHECK_FALSE(verdict.understood);
    CHECK(verdict.named.empty());
    CHECK(answered(push, 400, text, {.divisible = false, .side = true}).action == Action::park);
  }
  CHECK(answered(push, 422, "error at least one valid stream is required for ingestion").action ==
        Action::bisect);
}

TEST_CASE("what is too far behind is named by its time") {
  const Push push = std::move(Push().stream("{app=\"b\"}").entries(5, kSeven));
  const Verdict verdict =
      answered(push, 400, ignored("07:00:00", kBehind) + ignored("07:00:01", kBehind) + total(2, 5));
  CHECK(verdict.action == Action::bisect);
  CHECK(verdict.reason == Reason::out_of_order);
  CHECK(verdict.understood);
  CHECK(verdict.rest_stored);
  CHECK_FALSE(verdict.probable_duplicate);
  CHECK(verdict.named == std::vector<Part>{{0, 2}});
}

TEST_CASE("beyond the ten that are listed, the oldest are those that are behind") {
  const Push push = std::move(Push().stream("{app=\"b\"}").entries(20, kSeven));
  std::string text;
  for (int i = 0; i < 10; ++i) text += ignored("07:00:0" + std::to_string(i), kBehind);
  CHECK(answered(push, 400, text + total(15, 20)).named == std::vector<Part>{{0, 15}});
  CHECK(answered(push, 400, text + total(20, 20)).named == std::vector<Part>{{0, 20}});
  CHECK(answered(push, 400, ignored("07:00:19", kBehind) + total(5, 20)).named.empty());
}

TEST_CASE("what an ingester says of one stream says nothing of the others, nor of what never reached it") {
  const Push two =
      std::move(Push().stream("{app=\"a\"}").entry(kSeven).stream("{app=\"b\"}").entries(2, kSeven));
  Verdict verdict = answered(two, 400, ignored("07:00:00", kBehind) + total(1, 2));
  CHECK(verdict.named == std::vector<Part>{{1, 2}});
  CHECK_FALSE(verdict.rest_stored);
  const Push some = std::move(Push().stream("{app=\"b\"}").entries(3, kSeven));
  verdict = answered(some, 400, ignored("07:00:00", kBehind) + total(1, 2));  // one was refused before
  CHECK(verdict.named == std::vector<Part>{{0, 1}});
  CHECK_FALSE(verdict.rest_stored);
}

TEST_CASE("behind after an attempt whose outcome is not known: the attempt had arrived") {
  const Push push = std::move(Push().stream("{app=\"b\"}").entries(3, kSeven));
  const std::string text = ignored("07:00:00", kBehind) + total(1, 3);
  CHECK(answered(push, 400, text, kDoubt).probable_duplicate);
  CHECK(answered(push, 400, text, kDoubt).named == std::vector<Part>{{0, 1}});
  CHECK_FALSE(answered(push, 400, text, {.in_doubt = true, .overtaken = true}).probable_duplicate);
  const Push one = std::move(Push().stream("{app=\"z\"}").entry(kSeven));
  const Verdict verdict = answered(one, 400, ignored("07:00:00", kBehind) + total(1, 1), kOneInDoubt);
  CHECK(verdict.action == Action::advance);
  CHECK(verdict.probable_duplicate);
  CHECK_FALSE(answered(push, 400, too_old("{app=\"b\"}", "2026-11-29T07:00:00Z"), kDoubt).probable_duplicate);
}

TEST_CASE("a tenant's rate is waited for, and what is more than a second of it goes in parts") {
  const Push push = std::move(Push().stream("{app=\"r\"}").entries(3, kSeven));
  const auto rate = [](int bytes) {
    return "ingestion rate limit exceeded for user small (limit: 10485 bytes/sec) while attempting to ingest "
           "'1' lines totaling '" +
           std::to_string(bytes) + "' bytes, reduce log volume";
  };
  CHECK(answered(push, 429, rate(8000)).action == Action::retry);
  CHECK(answered(push, 429, rate(30'000)).action == Action::halve);
  CHECK(answered(push, 429, rate(8000), kFirst, 8).action == Action::halve);  // the burst is even smaller
  CHECK(answered(push, 429, rate(8000), kOne, 100).action == Action::retry);
  CHECK(answered(push, 429, rate(30'000), kOne, 7).action == Action::retry);
  const Verdict never = answered(push, 429, rate(30'000), kOne, 8);
  CHECK(never.action == Action::halve);
  CHECK(never.reason == Reason::too_large);
  CHECK(never.understood);  // rejected when it stands alone
}

TEST_CASE("a stream's rate holds that stream alone") {
  const Push push =
      std::move(Push().stream("{app=\"a\"}").entry(kSeven).stream("{app=\"b\"}").entries(3, kSeven));
  const Verdict verdict = answered(push, 429, ignored("07:00:00", kRate) + total(3, 3));
  CHECK(verdict.action == Action::park);
  CHECK(verdict.named == std::vector<Part>{{1, 4}});
  CHECK_FALSE(verdict.rest_stored);
}

TEST_CASE("where a stream's rate took the front of it, only the rest waits") {
  const Push push = std::move(Push().stream("{app=\"b\"}").entries(4, kSeven));
  const Verdict verdict =
      answered(push, 429, ignored("07:00:02", kRate) + ignored("07:00:03", kRate) + total(2, 4));
  CHECK(verdict.action == Action::park);
  CHECK(verdict.named == std::vector<Part>{{2, 4}});
  CHECK(verdict.rest_stored);
}

TEST_CASE("a stream that is more than its rate in one push goes in parts") {
  const Push push = std::move(Push().stream("{app=\"b\"}").entries(4, kSeven, 1000));
  const std::string text = ignored("07:00:00", kRate) + total(4, 4);
  CHECK(answered(push, 429, text).action == Action::halve);
  const Push less = std::move(Push().stream("{app=\"b\"}").entries(4, kSeven, 100));
  CHECK(answered(less, 429, text).action == Action::park);
  CHECK(answered(less, 429, text, kFirst, 8).action == Action::halve);
  const Push one = std::move(Push().stream("{app=\"b\"}").entry(kSeven, 4000));
  CHECK(answered(one, 429, ignored("07:00:00", kRate) + total(1, 1), kOne, 100).action == Action::park);
}

TEST_CASE("the number of streams holds only the stream that is new") {
  const Push push =
      std::move(Push().stream("{app=\"s0\"}").entry(kSeven).stream("{app=\"s2\"}").entries(2, kSeven));
  const Verdict verdict = answered(push, 429,
                                   "maximum active stream limit exceeded when trying to create stream "
                                   "{app=\"s2\", service_name=\"s2\"}, reduce the number of active streams");
  CHECK(verdict.action == Action::park);
  CHECK(verdict.named == std::vector<Part>{{1, 3}});
  CHECK_FALSE(verdict.rest_stored);
  CHECK(answered(push, 429, "Maximum active stream limit exceeded, reduce").action == Action::park);
}

TEST_CASE("a record that does not decode, and says nothing of what it holds, is judged by the words alone") {
  const http::Response old{400, {}, too_old("{app=\"w\"}", "2026-11-29T07:00:00Z")};
  for (const Sent& sent : {Sent{5, SentPush{}}, Sent{5, {}}}) {
    CHECK(classify(sent, http::Response{204, {}, ""}, kOne).action == Action::advance);
    const Verdict verdict = classify(sent, old, kOne);
    CHECK(verdict.action == Action::bisect);
    CHECK(verdict.understood);
    CHECK(verdict.named.empty());
    CHECK(classify(sent, http::Response{429, {}, ignored("07:00:00", kRate) + total(4, 4)}, kOne).action ==
          Action::park);
  }
}

}  // namespace
}  // namespace tideover::loki
