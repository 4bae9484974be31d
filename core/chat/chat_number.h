/*
 * chat_number — numbers as text and back, as Python has them: repr(), int() and float().
 */
#ifndef REJUV_CORE_CHAT_NUMBER_H
#define REJUV_CORE_CHAT_NUMBER_H

#include "core/chat/chat_value.h"

/* repr(float): the fewest digits that read back; 1e16 and beyond, and below 1e-4, with an exponent. */
enum { CHAT_NUMBER_SIZE = 64 };
void chat_number_print(double number, char text[CHAT_NUMBER_SIZE]);

/* int(text, base): white space around, a sign, one `_` between digits, a prefix of base 2, 8, 16 or 0. False where
 * it is none; *value is CHAT_INT, or CHAT_BIG beyond 64 bits. */
Status chat_number_read_int(ChatRun *run, const ChatText *text, int base, ChatValue *value,
                            bool *is_number) STATUS_MUST_CHECK;

/* float(text), `inf` and `nan` included. */
bool chat_number_read_float(const ChatText *text, double *number);

/* int(number): false where it is no integer of 64 bits (NaN, infinite, too large). */
bool chat_number_truncate(double number, int64_t *integer);

#endif
