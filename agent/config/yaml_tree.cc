#include "agent/config/yaml_tree.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "agent/config/plain_text.h"

namespace tideover::config {
namespace {

Place to_place(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// Leaves the YAML library's recursion; never leaves this file.
struct GiveUp {
  Fault fault;
};

struct Weight {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

Weight weight_of(const Node& node) {
  Weight sum{1, node.text.size()};
  auto add = [&](const Weight& w) { sum = {sum.nodes + w.nodes, sum.bytes + w.bytes}; };
  for (const auto& item : node.items) add(weight_of(item));
  for (const auto& entry : node.entries) {
    add({0, entry.key.size()});
    add(weight_of(entry.value));
  }
  return sum;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::vector<Fault>& faults) : rest_(text), faults_(faults) {}

  std::optional<Node> take_root() { return std::exchange(root_, std::nullopt); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw GiveUp{{to_place(mark), "a second YAML document begins here: the configuration is one document"}};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = to_place(mark);
    add(std::move(node), anchor, Counted::no);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    check_quote(to_place(mark));
    Node node;
    node.kind = Node::Kind::scalar;
    node.place = to_place(mark);
    node.text = value;
    add(std::move(node), anchor, Counted::no);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw GiveUp{{to_place(mark), "this alias refers to the node that it is in"}};
    count(to_place(mark), weight_of(found->second));  // before the copy is made
    add(found->second, 0, Counted::yes);
  }

 private:
  enum class Counted { no, yes };

  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<Node> key;  // of a map: read, its value not yet
  };

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    faults_.push_back(
        {to_place(mark), fmt::format("the tag {} has no meaning here: delete it", in_quotes(tag))});
  }

  // The library closes an open quote at the end of the file, and every key behind it would be swallowed.
  void check_quote(const Place& place) {
    for (; rest_line_ < place.line && !rest_.empty(); ++rest_line_)
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size() - 1) + 1);
    const auto before = std::min(static_cast<std::size_t>(place.column) - 1, rest_.size());
    if (has_open_quote(rest_.substr(before)))
      throw GiveUp{{place, "a quote is opened here and never closed"}};
  }

  void count(const Place& place, const Weight& weight) {
    weight_ = {weight_.nodes + weight.nodes, weight_.bytes + weight.bytes};
    if (weight_.nodes > kNodesMax || weight_.bytes > kTextBytesMax)
      throw GiveUp{{place, "the file holds, with its aliases written out, more than a configuration can"}};
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_tag(mark, tag);
    if (stack_.size() >= kDepthMax)
      throw GiveUp{{to_place(mark), "nested deeper than any key of the configuration"}};
    Frame frame;
    frame.node.kind = kind;
    frame.node.place = to_place(mark);
    frame.anchor = anchor;
    count(frame.node.place, {1, 0});
    stack_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(frame.node), frame.anchor, Counted::yes);
  }

  void add(Node node, YAML::anchor_t anchor, Counted counted) {
    if (counted == Counted::no) count(node.place, {1, node.text.size()});
    if (anchor != 0) {
      count(node.place, weight_of(node));  // the copy kept for aliases
      anchors_.emplace(anchor, node);
    }
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& top = stack_.back();
    if (top.node.kind == Node::Kind::list) {
      top.node.items.push_back(std::move(node));
    } else if (!top.key) {
      if (node.kind != Node::Kind::scalar) faults_.push_back({node.place, "a key must be a plain word"});
      top.key = std::move(node);
    } else {
      add_entry(top, std::move(node));
    }
  }

  void add_entry(Frame& top, Node value) {
    const Node key = *std::exchange(top.key, std::nullopt);
    if (key.kind != Node::Kind::scalar) return;
    auto& entries = top.node.entries;
    // Linear, but bounded: faults end up as one line each, and maps of this size are refused by their table.
    const auto first = std::ranges::find(entries, key.text, &Entry::key);
    if (first != entries.end()) {
      faults_.push_back(
          {key.place, fmt::format("the key {} stands here a second time: the first is at line {}",
                                  in_quotes(key.text), first->place.line)});
      return;
    }
    if (entries.size() >= kEntriesMax) throw GiveUp{{key.place, "more keys in one place than there can be"}};
    // The library finds that a value is missing only where the next word stands.
    if (value.kind == Node::Kind::null) value.place = key.place;
    entries.push_back({key.text, key.place, std::move(value)});
  }

  static constexpr std::size_t kEntriesMax = 1000;

  std::string_view rest_;  // of the text, from the line of the newest scalar
  int rest_line_ = 1;
  std::vector<Fault>& faults_;
  std::optional<Node> root_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  Weight weight_;
  int documents_ = 0;
};

std::string in_our_words(const std::string& message) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kWords = {{
      {"illegal map value",
       "a \":\" where no key can stand: check the indentation, or put the value in quotes"},
      {"end of map not found", "this line is indented unlike its neighbours"},
      {"end of sequence not found", "this line is indented unlike the list around it"},
      {"end of map flow not found", "a \"{\" is never closed, or a \",\" is missing"},
      {"end of sequence flow not found", "a \"[\" is never closed, or a \",\" is missing"},
      {"illegal flow end", "a closing bracket without its opening one"},
      {"illegal EOF in scalar", "a quote is opened here and never closed"},
      {"unknown token", "a character that cannot begin a value: put the value in quotes"},
      {"the referenced anchor is not defined", "this alias refers to an anchor that is not defined above"},
  }};
  for (const auto& [theirs, ours] : kWords)
    if (message.starts_with(theirs)) return std::string(ours);
  return message;
}

Fault syntax_fault(const YAML::Exception& error, std::string_view text) {
  const Place place = to_place(error.mark);
  const int last_line = place.line == 0 ? static_cast<int>(std::ranges::count(text, '\n')) + 1 : place.line;
  if (const auto tab = tab_in_indentation(text, last_line))
    return {*tab, "a tab in the indentation: YAML wants spaces"};
  return {place, "not YAML: " + in_our_words(error.msg)};
}

}  // namespace

Document parse_yaml(std::string_view text) {
  Document document;
  if (text.size() > kFileBytesMax) {
    document.faults.push_back(
        {{}, fmt::format("larger than {} bytes: is this the right file?", kFileBytesMax)});
    return document;
  }
  if (auto fault = unreadable_byte(text)) {
    document.faults.push_back(std::move(*fault));
    return document;
  }
  TreeBuilder builder(text, document.faults);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    document.root = builder.take_root();
    if (!document.root) document.root.emplace();  // an empty file is an empty map to the reader
  } catch (const GiveUp& give_up) {
    document.faults.push_back(give_up.fault);
  } catch (const YAML::Exception& error) {
    document.faults.push_back(syntax_fault(error, text));
  }
  return document;
}

}  // namespace tideover::config
