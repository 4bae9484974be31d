/*
 * sample_file — samples made elsewhere, read; and samples written in the same form.
 *
 * A sample a line, or an array of them; packed by gzip or zstd, a pipe, standard input ("-"):
 *
 *     {"prompt": 0, "sample": 1, "prompt_ids": [1, 2], "response_ids": [3], "reward": 1.0}
 *     {"prompt": "2 + 2 =", "response": " 4", "answer": "4"}
 *
 *     prompt       the number of its group, its text (input, prompt_text), or chat messages, as verl's and TRL's data
 *                  have them; tools, documents and chat_template_kwargs beside them
 *     prompt_ids   prompt_token_ids
 *     response     output, completion, text; or one message of the assistant
 *     response_ids token_ids, response_token_ids, output_token_ids, output_ids
 *     reward       score: a number, true or false
 *     answer       gts, ground_truth, reward_model.ground_truth: a text or a number
 *     outputs      several samples of one prompt: texts, or objects with the members above (responses)
 *
 * verl's dumps (input, output, gts, score, step; what its reward function added, under any key, is left out) and vLLM's outputs
 * read as they are. What stands there under two keys must be the same.
 * Messages are rendered by the SFT model's chat template with its generation prompt (reading->directory, reading->template).
 * Ids count before texts. Samples of
 * one number are one group; without numbers, those of one prompt and one answer. A text under a key that nothing is made of is
 * an error, as among calibration rows.
 *
 * Prompt and response that are both texts are tokenized as one, as calibration rows are (calibration.h); one beside ids by
 * itself. Behind a response that is a text comes the token that ends texts, unless it is there.
 */
#ifndef REJUV_CORE_SAMPLE_FILE_H
#define REJUV_CORE_SAMPLE_FILE_H

#include "core/evaluation/calibration.h"
#include "core/readiness/sample_set.h"

/* Zero-initialise; sample_file_free() releases. */
typedef struct SampleFile {
    SampleSet set;
    Calibration *facts; /* counts of what was read, for calibration_remark(); its rows are empty */
} SampleFile;

/* As calibration_read(); messages name the line. */
Status sample_file_read(const char *path, const CalibrationReading *reading, Job *job, SampleFile *file,
                        Error *error) STATUS_MUST_CHECK;
void sample_file_free(SampleFile *file);

/* A line a sample: number and ids of its prompt, its own number and ids, its reward where it is known; and texts, where they
 * are. Read again it is the same set. The file appears whole or not at all; what stood there before is replaced. */
Status sample_file_write(const SampleSet *set, const char *path, Error *error) STATUS_MUST_CHECK;

#endif
