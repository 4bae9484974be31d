#include "core/support/memory_limit.h"
#include "tui/program/command_dispatch.h"

#include <locale.h>

int main(int argc, char **argv) {
    memory_limit_prepare();
    (void)setlocale(LC_CTYPE, ""); /* figures keep their decimal point */
    return command_dispatch_run(argc, argv);
}
