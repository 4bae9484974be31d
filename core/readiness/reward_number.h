/*
 * reward_number — numbers as answers have them, compared by what they are worth: "1,234" is 1234, "3.50" 3.5, "−5" -5.
 *
 * A number is digits, perhaps in groups of three set apart by commas, perhaps with a fraction and an exponent; a minus or plus
 * (ASCII or U+2212) before it is its sign where no letter, digit or closing bracket stands before that. A full stop behind it
 * is the sentence's.
 */
#ifndef REJUV_CORE_REWARD_NUMBER_H
#define REJUV_CORE_REWARD_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Where one is in a text. */
typedef struct RewardNumber {
    const char *at;
    size_t bytes;
} RewardNumber;

/* The last number of a text; false where there is none. */
bool reward_number_find_last(const char *text, size_t bytes, RewardNumber *number);

/* Whether a text is a number and nothing else, but for blanks, a currency sign, a percent sign and a full stop around it. */
bool reward_number_read(const char *text, size_t bytes, RewardNumber *number);

/* Digits are compared one by one, so that long ones do not round; with an exponent, as doubles. */
bool reward_number_equal(const RewardNumber *a, const RewardNumber *b);

#endif
