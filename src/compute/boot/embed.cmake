# Writes the source that holds INIT and APP as bytes (see embedded.hpp).
file(SHA256 ${INIT} init_hash)
file(SHA256 ${APP} app_hash)
file(WRITE ${OUT} "// ${init_hash} ${app_hash}
#include \"compute/boot/embedded.hpp\"

#include <cstddef>

asm(R\"(
.section .rodata
.balign 16
weir_embedded_init:
.incbin \"${INIT}\"
weir_embedded_init_end:
.balign 16
weir_embedded_app:
.incbin \"${APP}\"
weir_embedded_app_end:
.text
)\");

extern \"C\" {
extern const char weir_embedded_init[];
extern const char weir_embedded_init_end[];
extern const char weir_embedded_app[];
extern const char weir_embedded_app_end[];
}

namespace weir::compute::boot {

std::string_view init_program() {
  return {weir_embedded_init, static_cast<std::size_t>(weir_embedded_init_end - weir_embedded_init)};
}

std::string_view cluster_app_program() {
  return {weir_embedded_app, static_cast<std::size_t>(weir_embedded_app_end - weir_embedded_app)};
}

}  // namespace weir::compute::boot
")
