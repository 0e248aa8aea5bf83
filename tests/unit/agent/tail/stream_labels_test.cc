// Labels of a container's streams, and what rules make of them.
#include "agent/tail/stream_labels.h"

#include <catch2/catch.hpp>

#include "agent/tail/gathering.h"
#include "agent/tail/tally.h"
#include "forwarders/loki/push_scan.h"
#include "forwarders/remote_write/snappy.h"

namespace tideover::tail {
namespace {

const Container kWeb{"shop", "web-0", "u1", "app"};

relabel::Rule rule(relabel::Action action, std::vector<std::string> source, std::string regex,
                   std::string target = {}, std::string replacement = "$1") {
  relabel::RuleText text;
  text.action = action;
  text.source_labels = std::move(source);
  text.regex = std::move(regex);
  text.target_label = std::move(target);
  text.replacement = std::move(replacement);
  return relabel::Rule::compile(std::move(text)).value();
}

Stream with(relabel::Rule one, Output output = Output::standard) {
  std::vector<relabel::Rule> rules;
  rules.push_back(std::move(one));
  return StreamLabels("n1", "app1", std::move(rules)).of(kWeb, output);
}

TEST_CASE("a stream has the labels of its container, its node and its cluster") {
  const StreamLabels labels("n1", "app1", {});
  CHECK(
      labels.of(kWeb, Output::standard).labels ==
      R"({cluster="app1", container="app", job="shop/app", namespace="shop", node="n1", pod="web-0", stream="stdout"})");
  CHECK(
      labels.of(kWeb, Output::error).labels ==
      R"({cluster="app1", container="app", job="shop/app", namespace="shop", node="n1", pod="web-0", stream="stderr"})");
  CHECK(StreamLabels("n1", "", {}).of(kWeb, Output::error).labels ==
        R"({container="app", job="shop/app", namespace="shop", node="n1", pod="web-0", stream="stderr"})");
}

TEST_CASE("rules drop by labels and by what Promtail's rules read") {
  using relabel::Action;
  CHECK(with(rule(Action::drop, {"namespace"}, "shop")).dropped);
  CHECK_FALSE(with(rule(Action::drop, {"namespace"}, "other")).dropped);
  CHECK(with(rule(Action::drop, {"stream"}, "stderr"), Output::error).dropped);
  CHECK_FALSE(with(rule(Action::drop, {"stream"}, "stderr")).dropped);
  for (const char* name : {"namespace", "pod_name", "pod_uid", "pod_container_name", "pod_node_name"})
    CHECK(with(rule(Action::drop, {std::string("__meta_kubernetes_") + name}, ".+")).dropped);
}

TEST_CASE("rules rewrite labels, and what begins with two underscores is gone afterwards") {
  using relabel::Action;
  const Stream stream = with(rule(Action::replace, {"__meta_kubernetes_pod_uid"}, "(.*)", "uid"));
  CHECK(
      stream.labels ==
      R"({cluster="app1", container="app", job="shop/app", namespace="shop", node="n1", pod="web-0", stream="stdout", uid="u1"})");
}

TEST_CASE("the node stays a label, whatever rules remove; they may give it another value") {
  using relabel::Action;
  CHECK(with(rule(Action::label_drop, {}, ".*")).labels == R"({node="n1"})");
  CHECK(with(rule(Action::label_keep, {}, "pod")).labels == R"({node="n1", pod="web-0"})");
  const Stream other = with(rule(Action::replace, {"node"}, "n(.*)", "node", "rack-$1"));
  CHECK(other.labels.find(R"(node="rack-1")") != std::string::npos);
}

TEST_CASE("a stream that is left without labels is dropped") {
  std::vector<relabel::Rule> rules;
  rules.push_back(rule(relabel::Action::label_drop, {}, ".*"));
  CHECK(StreamLabels("", "", std::move(rules)).of(kWeb, Output::standard).dropped);
}

// "labels: line line; labels: line", of a record.
std::string content(const wal::NewRecord& record) {
  std::string push, all;
  REQUIRE(remote_write::decompress(record.payload(), 1 << 20, push).has_value());
  loki::PushReader reader(push);
  loki::PushEntry entry;
  while (reader.next_stream()) {
    all += std::string(reader.labels()) + ":";
    while (reader.next_entry(entry)) all += " " + std::string(entry.line);
    all += "; ";
  }
  return all;
}

TEST_CASE("lines are gathered by stream, in their order where both outputs are one") {
  Gathering gathering;
  const Streams apart{Stream{false, "{o}"}, Stream{false, "{e}"}};
  const Streams one{Stream{false, "{x}"}, Stream{false, "{x}"}};
  const Streams half{Stream{true, ""}, Stream{false, "{h}"}};
  std::int64_t at = 5'000'000'000;
  const auto write = [&](const Streams& streams) {
    gathering.begin(streams);
    for (const char* text : {"1", "2", "3", "4"})
      gathering.line(
          {at += 1'000'000'000, *text % 2 == 1 ? Output::standard : Output::error, text, 0, false});
    return gathering.end();
  };
  CHECK(write(apart).spooled == 4);
  CHECK(write(one).spooled == 4);
  const Tally tally = write(half);
  CHECK(tally.lines == 4);
  CHECK(tally.spooled == 2);
  CHECK(tally.dropped == 2);
  const auto record = gathering.take(77);
  REQUIRE(record);
  CHECK(content(*record) == "{o}: 1 3; {x}: 1 2 3 4; {e}: 2 4; {h}: 2 4; ");
  CHECK(record->attributes.units == 10);
  CHECK(record->attributes.oldest_ms == 6'000);
  CHECK(record->attributes.newest_ms == 17'000);
  CHECK(record->attributes.arrival_ms == 77);
  CHECK_FALSE(gathering.take(78));
  write(one);
  CHECK(content(*gathering.take(79)) == "{x}: 1 2 3 4; ");
}

}  // namespace
}  // namespace tideover::tail
