// HTTP/1 messages out of a stream of bytes, for both edges: no I/O, no copy of a head into another form.
//
// Give it bytes with put(); it says how many it used. It stops behind the head (`head_done`, once), so that
// the caller can decide about the body before a byte of it is stored.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "forwarders/http/message.h"

namespace tideover::http {

class MessageParser {
 public:
  enum class Kind : std::uint8_t { request, response };
  enum class Status : std::uint8_t {
    need_more,
    head_done,       // the head is complete; put() again for the body
    done,            // the message is complete; bytes behind it belong to the next one
    bad,             // not HTTP, or framing that two parsers could read in two ways; see error()
    head_too_large,  // the head, or a field behind a chunked body, exceeds `head_bytes_max`, or has too many
                     // fields
    body_too_large,  // body_to()'s `max` is reached; what fits was stored
  };

  MessageParser(Kind kind, std::size_t head_bytes_max);
  ~MessageParser();

  void next();         // forgets everything: a new message begins
  void expect_bare();  // before the first byte: an answer to HEAD, which has no body whatever its head says

  // Decoded body bytes are appended to `body`, at most `max` of them; without it they are dropped.
  void body_to(std::string* body, std::size_t max);

  Status put(std::string_view input, std::size_t& used);
  Status put_eof();  // the peer closed: the end of an answer without a length, else `bad`

  // Once the head is done.
  Request& request();
  Response& response();
  bool keep_alive() const;
  bool chunked() const;
  bool http_1_0() const;
  std::optional<std::uint64_t> content_length() const;

  const std::string& error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideover::http
