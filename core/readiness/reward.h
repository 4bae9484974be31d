/*
 * reward — what an answer earns: 1 where it is right, by a rule, else 0; or what a command says (reward_command.h).
 *
 *     exact        the response is the answer, but for blanks at the ends
 *     number       the last number of both is worth the same (reward_number.h)
 *     boxed        what the response's last \boxed{…} holds (or \fbox{…}), braces within it matched
 *     regex:EXPR   what the first group of the last match of a PCRE2 expression holds
 *
 * What boxed and regex find is compared with the answer, or with what the answer's own \boxed{…} holds: as numbers where both
 * are, else as texts but for blanks at the ends. A response in which nothing is found earns 0.
 */
#ifndef REJUV_CORE_REWARD_H
#define REJUV_CORE_REWARD_H

#include "core/readiness/sample_set.h"
#include "core/support/job.h"
#include "core/tokenizer/tokenizer.h"

typedef struct Reward Reward;

/* `rule`: "exact", "number", "boxed", "regex:EXPR". STATUS_ARGUMENT names what is wrong, of an expression where. The caller
 * frees; threads do not share one. */
Status reward_open(const char *rule, Reward **reward, Error *error) STATUS_MUST_CHECK;
void reward_free(Reward *reward); /* takes NULL */

/* Both NUL-terminated. STATUS_UNSUPPORTED where the expression exceeds its limits on this response. */
Status reward_measure(const Reward *reward, const char *response, const char *answer, double *value,
                      Error *error) STATUS_MUST_CHECK;

/* Sets the rewards of all samples. STATUS_ARGUMENT names a prompt without an answer. Texts are there. */
Status reward_apply(const Reward *reward, SampleSet *set, Job *job, Error *error) STATUS_MUST_CHECK;

/* Decodes the responses, without special tokens, and the prompts, with them, that have no text. Needs a tokenizer where one
 * has none. */
Status reward_decode_texts(SampleSet *set, const Tokenizer *tokenizer, Job *job,
                           Error *error) STATUS_MUST_CHECK;

#endif
