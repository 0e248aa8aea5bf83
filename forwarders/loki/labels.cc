#include "forwarders/loki/labels.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>

#include "wal/base/utf8.h"

namespace tideover::loki {
namespace {

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

void put_utf8(std::string& out, std::uint32_t code) {
  const auto more = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    more(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    more(6);
    more(0);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    more(12);
    more(6);
    more(0);
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool parse(std::vector<Label>& out) {
    if (!expect('{')) return false;
    while (!take('}')) {
      if (out.size() == kLabelsMax) return refuse("there are too many");
      Label& label = out.emplace_back();
      if (!name(label.name) || !expect('=') || !quoted(label.value)) return false;
      if (!take(',') && peek() != '}') return refuse("',' or '}' must follow");
    }
    return true;
  }
  bool parse_whole(std::vector<Label>& out) {
    if (!parse(out)) return false;
    skip_space();
    return at_ == text_.size() || refuse("nothing may follow");
  }

  std::size_t taken() const { return at_; }

  std::string fault() const { return fmt::format("{} at byte {}", fault_, at_ + 1); }

 private:
  bool refuse(std::string_view why) {
    fault_ = why;
    return false;
  }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (at_ == text_.size() || peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  bool expect(char c) { return take(c) || refuse(fmt::format("'{}' must follow", c)); }

  bool name(std::string& out) {
    if (!starts_name(peek())) return refuse("a label name [a-zA-Z_][a-zA-Z0-9_]* must follow");
    const std::size_t begin = at_;
    while (at_ < text_.size() && continues_name(text_[at_])) ++at_;
    out = text_.substr(begin, at_ - begin);
    return true;
  }

  bool quoted(std::string& out) {
    const char quote = peek();
    if (quote != '"' && quote != '\'' && quote != '`') return refuse("a value in quotes must follow");
    ++at_;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && quote != '`') {
        if (!escape(quote, out)) return false;
        continue;
      }
      if (text_[at_] == '\n' && quote != '`') return refuse("a value in quotes may not hold a line break");
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return refuse("the text is not UTF-8");
      out.append(text_, at_, length);
      at_ += length;
    }
    if (at_ == text_.size()) return refuse("a quote does not end");
    ++at_;
    return true;
  }

  // Go's: in a quoted text only its own quote may be escaped.
  bool escape(char quote, std::string& out) {
    if (text_.size() - at_ < 2) return refuse("an escape does not end");
    const char c = text_[at_ + 1];
    static constexpr std::string_view kLetters = "abfnrtv\\";
    static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
    if (const auto i = kLetters.find(c); i != std::string_view::npos) {
      out += kMeanings[i];
    } else if (c == quote) {
      out += c;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      return numbered(2, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, c != 'x', out);
    } else if (c >= '0' && c <= '7') {
      return numbered(1, 3, 8, false, out);
    } else {
      return refuse("an escape is unknown");
    }
    at_ += 2;
    return true;
  }

  bool numbered(std::size_t skip, std::size_t digits, std::uint32_t base, bool unicode, std::string& out) {
    if (text_.size() - at_ < skip + digits) return refuse("an escape does not end");
    std::uint64_t code = 0;
    for (const char c : text_.substr(at_ + skip, digits)) {
      const auto digit = static_cast<std::uint32_t>(digit_of(c));
      if (digit >= base) return refuse("an escape has a digit that is none");
      code = code * base + digit;
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (unicode ? code > 0x10ffff || surrogate : code > 0xff)
      return refuse("an escape stands for no character");
    if (unicode)
      put_utf8(out, static_cast<std::uint32_t>(code));
    else
      out += static_cast<char>(code);
    at_ += skip + digits;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string fault_;
};

void put_quoted(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (length == 0 || byte < 0x20) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

// For a sentence: whole characters, no line breaks.
std::string excerpt(std::string_view text) {
  std::string out;
  for (const char c : utf8_front(text, 200)) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return out;
}

}  // namespace

namespace {

// `whole`: nothing may follow. Gives how much of `text` they take.
Result<std::size_t> read_labels(std::string_view text, bool whole, std::vector<Label>& labels) {
  Parser parser(text);
  if (!(whole ? parser.parse_whole(labels) : parser.parse(labels)))
    return fail(Errc::bad_input, fmt::format("couldn't parse labels: {}: {}", parser.fault(), excerpt(text)));
  std::erase_if(labels, [](const Label& label) { return label.value.empty(); });
  std::sort(labels.begin(), labels.end());
  return parser.taken();
}

}  // namespace

Result<std::vector<Label>> parse_labels(std::string_view text) {
  if (text.size() > kLabelTextMax)
    return fail(Errc::bad_input,
                fmt::format("couldn't parse labels: {} bytes, more than {} are not parsed: {}", text.size(),
                            kLabelTextMax, excerpt(text)));
  std::vector<Label> labels;
  const Result<std::size_t> taken = read_labels(text, true, labels);
  if (!taken) return taken.error();
  return labels;
}

Result<std::vector<Label>> take_labels(std::string_view& text) {
  std::vector<Label> labels;
  const Result<std::size_t> taken = read_labels(text.substr(0, kLabelTextMax), false, labels);
  if (!taken) return taken.error();
  text.remove_prefix(*taken);
  return labels;
}

std::string label_string(const std::vector<Label>& labels) {
  std::string text = "{";
  for (const Label& label : labels) {
    if (text.size() > 1) text += ", ";
    text += label.name;
    text += '=';
    put_quoted(text, label.value);
  }
  return text += '}';
}

}  // namespace tideover::loki
