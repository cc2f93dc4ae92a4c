// Whether a peer has seen nothing of what was sent to it.
#pragma once

#include <cstddef>

namespace weir::proxy {

// `fd`: a connection that has ended with `error` (0: the peer's FIN), and whose last `bytes` are
// the request's. A FIN acknowledges all that the peer's kernel had received when it was sent. Where
// none of the request is acknowledged it came after that, and a program that has closed reads no
// more. After a reset alone nothing is known: it may have come in place of the acknowledgement.
[[nodiscard]] bool is_unseen(int fd, int error, std::size_t bytes);

}  // namespace weir::proxy
