/*
 * terminal_keys — keys by name, for terminal_host_send_key().
 */
#ifndef REJUV_TESTS_TERMINAL_KEYS_H
#define REJUV_TESTS_TERMINAL_KEYS_H

#include <stdbool.h>
#include <vterm.h>

/* Makes `terminal` put the bytes of the key into its output; false when the name is unknown. */
bool terminal_keys_press(VTerm *terminal, const char *name);

#endif
