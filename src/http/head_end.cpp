// Where a head ends, searched once over bytes that come piece by piece.
#include "http/parser.hpp"

namespace weir::http {

bool HeadEnd::is_in(std::string_view bytes) {
  while (true) {
    const std::size_t lf = bytes.find('\n', scanned_);
    if (lf == std::string_view::npos) {
      scanned_ = bytes.size();
      return false;
    }
    const std::string_view next = bytes.substr(lf + 1, 2);
    if (next.starts_with('\n') || next == "\r\n") return true;
    if (next.empty() || next == "\r") {
      scanned_ = lf;
      return false;
    }
    scanned_ = lf + 1;
  }
}

bool HeadEnd::has_line(std::string_view bytes) {
  const std::size_t lf = bytes.find('\n', scanned_);
  scanned_ = lf == std::string_view::npos ? bytes.size() : lf;
  return lf != std::string_view::npos;
}

}  // namespace weir::http
