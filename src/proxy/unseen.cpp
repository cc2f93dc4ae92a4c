#include "proxy/unseen.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <cerrno>

namespace weir::proxy {

bool is_unseen(int fd, int error, std::size_t bytes) {
  // EPIPE: a reset that followed the FIN.
  if (error != 0 && error != EPIPE) return false;
  int unacknowledged = 0;
  return ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged >= 0 &&
         static_cast<std::size_t>(unacknowledged) == bytes;
}

}  // namespace weir::proxy
