#include "tests/support/certificates.h"

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace tideover::test {
namespace {

constexpr std::string_view kKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";

}  // namespace

void Certificates::openssl(const std::string& arguments) const {
  const std::string command = "openssl " + arguments + " 2>/dev/null";
  invariant(std::system(command.c_str()) == 0, "this openssl command works: " + command);
}

void Certificates::make_authority(const std::string& name) {
  openssl(fmt::format("req -x509 {} -keyout {} -out {} -subj /CN={}", kKey, key(name), pem(name), name));
}

void Certificates::issue(const std::string& name, const std::string& alt_name, const std::string& authority) {
  openssl(
      fmt::format("req -x509 {} -keyout {} -out {} -subj /CN={} -CA {} -CAkey {} -addext subjectAltName={} "
                  "-addext basicConstraints=critical,CA:FALSE",
                  kKey, key(name), pem(name), name, pem(authority), key(authority), alt_name));
}

void replace_file(const std::string& path, const std::string& content) {
  const std::string next = path + ".next";
  std::ofstream(next) << content;
  invariant(std::rename(next.c_str(), path.c_str()) == 0, "a file can be renamed");
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tideover::test
