#include "core/support/memory_limit.h"
#include "tui/program/command_dispatch.h"

#include <locale.h>
#ifdef REJUV_STATIC
#include <nss.h>
#endif

int main(int argc, char **argv) {
#ifdef REJUV_STATIC /* readline asks for users: from /etc/passwd, not by a library made for another libc */
    (void)__nss_configure_lookup("passwd", "files");
#endif
    memory_limit_prepare();
    (void)setlocale(LC_CTYPE, ""); /* figures keep their decimal point */
    return command_dispatch_run(argc, argv);
}
