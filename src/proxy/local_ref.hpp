// The data plane's name for base's counted pointer of one thread.
#pragma once

#include "base/local_ref.hpp"

namespace weir::proxy {

using weir::LocalRef;

}  // namespace weir::proxy
