// Throw-away certificates, made by the openssl command when a test asks for them.
#pragma once

#include <string>

#include "tests/support/temp_directory.h"

namespace tideover::test {

class Certificates {
 public:
  Certificates() { make_authority("ca"); }

  // NAME.pem and NAME.key below path().
  void make_authority(const std::string& name);
  // `alt_name` as in "DNS:localhost,IP:127.0.0.1".
  void issue(const std::string& name, const std::string& alt_name, const std::string& authority = "ca");

  std::string pem(const std::string& name) const { return directory_ / (name + ".pem"); }
  std::string key(const std::string& name) const { return directory_ / (name + ".key"); }

 private:
  void openssl(const std::string& arguments) const;

  TempDirectory directory_;
};

// Puts a file in place the way a mounted secret changes: under another name first, then by rename.
void replace_file(const std::string& path, const std::string& content);
std::string read_file(const std::string& path);

}  // namespace tideover::test
