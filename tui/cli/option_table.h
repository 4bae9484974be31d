/*
 * option_table — every option there is, one row each. The parser, its messages, `--help` and what else
 * documents options derive from these rows; nothing else lists options.
 *
 *     X(IDENTIFIER, "name", letter, "argument", KIND, least, most, "default", commands, "help")
 *
 *     letter     of the short form, 0 for none
 *     argument   as help shows it; NULL for a FLAG; of a CHOICE the values themselves: "base|sft"
 *     KIND       FLAG; NUMBER and COUNT from `least` to `most`; SHARE is a NUMBER that may be written as 1%;
 *                SIZE in bytes, with a unit; CHOICE; RANGE is FROM:TO:POINTS, the ends within `least` to
 *                `most`, or one NUMBER; SHARES the same of SHAREs; TEXT
 *     default    as the user would write it, or NULL: then options_has() tells
 *     commands   those that take it
 *
 * One name may have several rows where commands understand it differently; their commands do not overlap.
 */
#ifndef REJUV_TUI_OPTION_TABLE_H
#define REJUV_TUI_OPTION_TABLE_H

#define ON(command) (1U << COMMAND_##command)
#define ON_EVERY    (~0U)
#define ON_DIALS                                                                                             \
    (ON(PREVIEW) | ON(NEURONS) | ON(RESET) | ON(SWEEP) | ON(LANDSCAPE) | ON(ROLLOUT) | ON(SHOT) |            \
     ON(FIGURE) | ON(REPORT) | ON(EXPORT))
#define ON_STEPS    (ON(LANDSCAPE) | ON(FIGURE))
#define ON_AROUND   (ON_STEPS | ON(REPORT))
#define ON_JOBS     (ON(OPEN) | ON(CHECK) | ON(DRIFT) | ON(LADDER) | ON_DIALS | ON(VERIFY))
#define ON_PICTURES (ON(SHOT) | ON(FIGURE))
#define ON_TABLES                                                                                            \
    (ON(INFO) | ON(CHECK) | ON(DRIFT) | ON(LADDER) | (ON_DIALS & ~ON_PICTURES & ~ON(REPORT)) | ON(VERIFY))

/* clang-format off */
#define OPTION_TABLE(X) \
    /* ---- the dials and what they are measured on ---- */ \
    X(ALPHA, "alpha", 'a', "A", NUMBER, 0, 1, "0.5", ON(OPEN) | (ON_DIALS & ~ON(SWEEP) & ~ON(FIGURE)), \
      "the fusion weight: 0 is the base model, 1 the SFT model") \
    X(ALPHA_RANGE, "alpha", 'a', "A|FROM:TO:POINTS[:chebyshev]", POINTS, -1, 2, "0:1:11", ON(SWEEP) | ON(FIGURE), \
      "the fusion weights to measure, evenly spaced or at Chebyshev's points, both ends included, or one; below 0 and above 1 extrapolates; with a range of --rho it is 0.5 unless given") \
    X(ALPHA_LAYERS, "alpha-layers", 0, "A0:A1|A,A,...", TEXT, 0, 0, NULL, ON(OPEN) | ON_DIALS, \
      "a fusion weight for each layer: a line from the first layer's to the last's, or a list of as many as there are layers") \
    X(ALPHA_KIND, "alpha-kind", 0, "KIND=A,...", TEXT, 0, 0, NULL, ON(OPEN) | ON_DIALS, \
      "a fusion weight for tensors of a kind, in every layer: q, k, v, o, gate, up, down, expert, embed, norm, lm_head and others (Tune lists the model's); may be repeated") \
    X(PROTECT, "protect", 0, "KIND,...=sft|base", TEXT, 0, 0, NULL, ON(OPEN) | ON_DIALS, \
      "keep embed, norm, lm_head, position, router, vision or audio as the SFT or the base model has them; may be repeated") \
    X(RHO, "rho", 0, "R", SHARE, 0, 1, "0", ON(OPEN) | ON(PREVIEW) | ON(LANDSCAPE) | ON(ROLLOUT) | ON(SHOT) | ON(REPORT) | ON(EXPORT), \
      "the reset fraction, 0.01 or 1%: the share of all neurons that each target may reset; the set is their union") \
    X(RHO_SET, "rho", 0, "R", SHARE, 0, 1, "1%", ON(NEURONS) | ON(RESET), \
      "the reset fraction, 0.01 or 1%: the share of all neurons that each target may reset; the set is their union") \
    X(RHO_RANGE, "rho", 0, "R|FROM:TO:POINTS", SHARES, 0, 1, "0", ON(SWEEP) | ON(FIGURE), \
      "the reset fractions to measure, 0.01 or 1%, evenly spaced, both ends included, or one; a range of both is the plane") \
    X(OMEGA, "omega", 0, "W", NUMBER, 0, 1, "1", ON(OPEN) | ON_DIALS, \
      "how far a reset goes: 1 writes base values back, 0 does nothing") \
    X(SELECT, "select", 0, "attribution|drift|dormancy|gradient|random", CHOICE, 0, 0, "attribution", ON(OPEN) | ON_DIALS, \
      "what neurons are chosen by: the paper's attribution; or, to compare with it, how far they moved, how little they speak or learn on the SFT model, chance") \
    X(TARGETS, "targets", 0, "N", COUNT, 1, DIALS_MOST_TARGETS, "32", ON(OPEN) | ON_DIALS, \
      "how many positions attribution explains: those of the largest change in entropy") \
    X(SEED_RANDOM, "seed", 's', "S", COUNT, 0, 9007199254740991.0, "0", ON_DIALS & ~ON(PREVIEW) & ~ON(ROLLOUT) & ~ON(SHOT) & ~ON_AROUND, \
      "the seed of --select random") \
    X(SEED_DIRECTIONS, "seed", 's', "S", COUNT, 0, 18446744073709551615.0, "0", ON_AROUND, \
      "the seed of the directions of a landscape, of samples, and of --select random") \
    X(CALIBRATION, "calibration", 'c', "FILE", TEXT, 0, 0, NULL, ON(OPEN) | ON_DIALS | ON(LADDER), \
      "rows to measure and to choose neurons on, one a line: JSON with prompt and response (or completion), with messages (or conversations, or instruction and output), or with ids, or a prompt as text; gzip and zstd are unpacked, - is standard input (rejuv help calibration)") \
    X(END_TOKEN, "end-token", 0, "TOKEN|ID|none", TEXT, 0, 0, NULL, ON(OPEN) | ON_DIALS | ON(LADDER), \
      "what is put behind the responses of --calibration; otherwise the eos_token of the SFT model's tokenizer, else the first of generation_config.json or config.json") \
    X(TEMPLATE, "template", 0, "NAME", TEXT, 0, 0, NULL, ON(OPEN) | ON_DIALS | ON(LADDER) | ON(CHAT), \
      "the SFT model's chat template of this name, for conversations; otherwise tool_use for one with tools where there is one, else default") \
    X(PROMPT, "prompt", 'p', "TEXT", TEXT, 0, 0, NULL, ON(OPEN) | ON(PREVIEW) | ON(SWEEP) | ON(LADDER) | ON_PICTURES, \
      "the text to run the models on") \
    X(PROMPT_FILE, "prompt-file", 0, "FILE", TEXT, 0, 0, NULL, ON(PREVIEW) | ON(SWEEP) | ON(LADDER) | ON(FIGURE), \
      "the same from a file, byte for byte (a final newline is part of the prompt); - reads standard input") \
    X(CHAT, "chat", 0, "FILE", TEXT, 0, 0, NULL, ON(PREVIEW) | ON(SWEEP) | ON(LADDER) | ON(FIGURE), \
      "the same from one conversation in JSON, an object as chat takes it or its list of messages, rendered by the SFT model's chat template; unless it says, an answer is asked for where the last message is not the assistant's; - reads standard input") \
    X(TOKENIZER_FILE, "tokenizer-file", 0, NULL, FLAG, 0, 0, NULL, ON(OPEN) | ON(INFO) | ON(CHECK) | ON(TOKENIZE) | ON(LADDER) | ON_DIALS, \
      "follow tokenizer.json alone; otherwise the class that AutoTokenizer of transformers makes of the directory, which may replace parts of it, add tokens, and read other files where there is none") \
    X(IDS, "ids", 0, "1,2,3", TEXT, 0, 0, NULL, ON(PREVIEW) | ON(SWEEP) | ON(LADDER) | ON(FIGURE), \
      "the same as token ids: no tokenizer is needed") \
    /* ---- info ---- */ \
    X(ARCHITECTURES, "architectures", 0, NULL, FLAG, 0, 0, NULL, ON(INFO), \
      "list the model types that can be run: previews, figures of calibration rows, neurons; all others can be compared and fused") \
    /* ---- check ---- */ \
    X(VALUES, "values", 0, NULL, FLAG, 0, 0, NULL, ON(CHECK), \
      "read the weights too, and name the tensors that hold NaN or infinite values: takes as long as reading both models") \
    /* ---- drift ---- */ \
    X(SORT, "sort", 0, "METRIC", TEXT, 0, 0, NULL, ON(DRIFT), \
      "most drifted first by this metric; otherwise in the order of the files") \
    X(TOP_ROWS, "top", 'k', "N", COUNT, 1, 1e9, NULL, ON(DRIFT), \
      "only the first N rows") \
    X(BY, "by", 0, "tensor|layer|role", CHOICE, 0, 0, "tensor", ON(DRIFT), \
      "what a row is: one tensor, or all tensors of a layer or of a role taken as one") \
    X(SPECTRUM, "spectrum", 0, NULL, FLAG, 0, 0, NULL, ON(DRIFT), \
      "the singular values of every matrix's change as well: takes longer") \
    /* ---- neurons ---- */ \
    X(SORT_NEURONS, "sort", 0, "COLUMN", TEXT, 0, 0, "rank", ON(NEURONS), \
      "by this column, as the JSON names it: dormant, moved, important or selected ones first; equals in the model's order") \
    X(TOP_NEURONS, "top", 'k', "N", COUNT, 1, 1e9, NULL, ON(NEURONS), \
      "only the first N neurons") \
    X(MODULE, "module", 0, "q|k|v|qkv|gate|up|gate_up|o|down", CHOICE, 0, 0, NULL, ON(NEURONS), \
      "only neurons of this module") \
    X(LAYER, "layer", 0, "N", COUNT, 0, 1000000, NULL, ON(NEURONS), \
      "only neurons of this layer, counted from 0") \
    X(EXPERT, "expert", 0, "N|shared", TEXT, 0, 0, NULL, ON(NEURONS), \
      "only neurons of the expert of this number, in layers that are mixtures of experts, or of the expert that every token passes") \
    X(TAU, "tau", 0, "T", NUMBER, 0, 1000000, "0.025", ON(NEURONS) | ON(LADDER) | ON(FIGURE) | ON(REPORT), \
      "dormant is what speaks at most so loud; 1 is the average of its layer") \
    X(TAU_GRADIENT, "gradient-tau", 0, "T", NUMBER, 0, 1000000, "0.01", ON(NEURONS) | ON(LADDER) | ON(FIGURE) | ON(REPORT), \
      "the same for gradients") \
    /* ---- tokenize ---- */ \
    X(PLAIN, "plain", 0, NULL, FLAG, 0, 0, NULL, ON(TOKENIZE), \
      "without special tokens: they are not put in, or with --decode left out") \
    X(DECODE, "decode", 'd', NULL, FLAG, 0, 0, NULL, ON(TOKENIZE), \
      "the other way: lines of ids to text") \
    X(JSON_LINES, "json", 0, NULL, FLAG, 0, 0, NULL, ON(TOKENIZE), \
      "lines in and out are JSON") \
    /* ---- chat ---- */ \
    X(JSON_CHAT, "json", 0, NULL, FLAG, 0, 0, NULL, ON(CHAT), \
      "lines out are JSON: each text, with the places of the assistant's turns in it") \
    /* ---- preview ---- */ \
    X(TOP, "top", 'k', "K", COUNT, 1, 1000, "10", ON(PREVIEW), \
      "how many of the most likely next tokens to show") \
    X(ALL_POSITIONS, "all-positions", 0, NULL, FLAG, 0, 0, NULL, ON(PREVIEW), \
      "show them at every position, not only at the last") \
    X(PIN, "pin", 0, "TOKEN", TEXT, 0, 0, NULL, ON(PREVIEW), \
      "follow this token's probability: a text that is one token, or id:123; may be repeated") \
    X(CONTINUE, "continue", 'n', "N", COUNT, 1, 1000000, NULL, ON(PREVIEW), \
      "continue the prompt by up to N tokens") \
    X(FROM, "from", 0, "base|sft|fused", CHOICE, 0, 0, "fused", ON(PREVIEW), \
      "which model continues") \
    X(TEMPERATURE, "temperature", 't', "T", NUMBER, 0, 1000, "0", ON(PREVIEW), \
      "0 takes the most likely token, anything above samples") \
    X(SEED, "seed", 's', "S", COUNT, 0, 18446744073709551615.0, "0", ON(PREVIEW), \
      "the seed of sampling (the same seed gives the same text), and of --select random") \
    X(LOGITS_OUT, "logits-out", 0, "FILE", TEXT, 0, 0, NULL, ON(PREVIEW), \
      "write the fused model's logits, [tokens, vocabulary], as raw little-endian float32") \
    /* ---- landscape ---- */ \
    X(ROWS, "rows", 0, "N", COUNT, 1, 1e9, NULL, ON_AROUND, \
      "measure losses on the first N rows of --calibration; neurons are chosen on all of them") \
    X(LINE, "line", 0, "FROM:TO:POINTS", RANGE, -10, 10, "-0.25:1.25:13", ON_AROUND, \
      "the loss along the line through base (0) and SFT (1), every tensor at that fusion weight") \
    X(PLANE, "plane", 0, "FROM:TO:POINTS", RANGE, -10, 10, NULL, ON_STEPS, \
      "the loss over a plane around W: so far along two random directions, of which a step of 1 is as long as W itself") \
    X(THIRD, "third", 0, "DIR", TEXT, 0, 0, NULL, ON(OPEN) | ON(SHOT) | ON_STEPS, \
      "with --plane, or in Landscape: the plane through base (0, 0), SFT (1, 0) and this checkpoint, such as one that RL made, in place of random directions") \
    X(SHARPNESS, "sharpness", 0, "SIGMA", NUMBER, 1e-6, 10, NULL, ON_STEPS, \
      "how the loss of base, SFT and W rises after a step of this length, both ways along each of the random directions") \
    X(DIRECTIONS, "directions", 0, "K", COUNT, 1, 4096, "8", ON_AROUND, \
      "how many directions --sharpness tries") \
    /* ---- rollout ---- */ \
    X(SAMPLES, "samples", 0, "FILE", TEXT, 0, 0, NULL, ON(OPEN) | ON(SHOT) | ON(ROLLOUT) | ON(REPORT), \
      "samples made elsewhere, one a line of JSON: prompt (a text or messages) or prompt_ids, response or response_ids, reward or answer; verl's and vLLM's dumps as they are; gzip and zstd are unpacked, - is standard input (rejuv help rollout)") \
    X(PROMPTS, "prompts", 0, "FILE", TEXT, 0, 0, NULL, ON(OPEN) | ON(SHOT) | ON(ROLLOUT) | ON(REPORT), \
      "sample answers to these prompts: rows as --calibration takes them, each with its answer; what stands before a response is the prompt") \
    X(FIRST_PROMPTS, "rows", 0, "N", COUNT, 1, 1e9, NULL, ON(ROLLOUT), \
      "only the first N of --prompts") \
    X(SAMPLES_EACH, "samples-per-prompt", 'k', "K", COUNT, 1, 4096, "8", ON(ROLLOUT) | ON(REPORT), \
      "how many answers to each prompt") \
    X(SAMPLE_FROM, "from", 0, "base|sft|fused|all", CHOICE, 0, 0, "fused", ON(ROLLOUT) | ON(REPORT), \
      "which state samples; all: each of them, and what follows is of the samples of W") \
    X(SAMPLE_TEMPERATURE, "temperature", 't', "T", NUMBER, 0, 1000, "1", ON(ROLLOUT) | ON(REPORT), \
      "0 takes the most likely token") \
    X(TOP_P, "top-p", 0, "P", SHARE, 0, 1, "1", ON(ROLLOUT) | ON(REPORT), \
      "draw from the fewest tokens, most likely first, that have this probability together") \
    X(TOP_K, "top-k", 0, "N", COUNT, 0, 1e9, "0", ON(ROLLOUT) | ON(REPORT), \
      "draw from the N most likely tokens; 0: from all") \
    X(MOST_TOKENS, "max-tokens", 0, "N", COUNT, 1, 1000000, "256", ON(ROLLOUT) | ON(REPORT), \
      "tokens of an answer at most") \
    X(SIDE_BY_SIDE, "side-by-side", 0, "N", COUNT, 1, 4096, "64", ON(ROLLOUT) | ON(REPORT), \
      "how many answers grow together; fewer where memory allows no more") \
    X(REWARD, "reward", 0, "exact|number|boxed|regex:EXPR", TEXT, 0, 0, NULL, ON(OPEN) | ON(SHOT) | ON(ROLLOUT) | ON(REPORT), \
      "what a sample earns: 1 where the response is the answer, or its last number is, or what its last \\boxed{} holds, or the first group of the last match of a PCRE2 expression; rewards in the file do not count then") \
    X(REWARD_COMMAND, "reward-command", 0, "CMD", TEXT, 0, 0, NULL, ON(OPEN) | ON(SHOT) | ON(ROLLOUT) | ON(REPORT), \
      "rewards by a program, run by sh -c: a line of JSON with prompt, response and answer in, a number out, for each sample in turn") \
    X(REWARD_TIMEOUT, "reward-timeout", 0, "SECONDS", NUMBER, 0.1, 1e6, "60", ON(ROLLOUT) | ON(REPORT), \
      "how long that program may neither read nor answer") \
    X(GRADIENT, "gradient", 0, NULL, FLAG, 0, 0, NULL, ON(ROLLOUT) | ON(REPORT), \
      "the gradient at hand-over of base, SFT and W as well, tensor by tensor: takes about four passes over the samples each") \
    X(OUT_SAMPLES, "out", 'o', "FILE", TEXT, 0, 0, NULL, ON(ROLLOUT), \
      "write the samples and their rewards, in the form that --samples reads") \
    X(SEED_ROLLOUT, "seed", 's', "S", COUNT, 0, 9007199254740991.0, "0", ON(ROLLOUT), \
      "the seed of the samples, of the bootstrap that gives standard errors, and of --select random") \
    /* ---- report ---- */ \
    X(SWEEP, "sweep", 0, "FROM:TO:POINTS", RANGE, 0, 1, "0:1:11", ON(REPORT), \
      "the fusion weights at which the output space is measured, with the reset of --rho") \
    X(PLANE_REPORT, "plane", 0, "FROM:TO:POINTS", RANGE, -10, 10, "-0.3:0.3:7", ON(REPORT), \
      "the loss over a plane around W: so far along two random directions, of which a step of 1 is as long as W itself") \
    X(SHARPNESS_REPORT, "sharpness", 0, "SIGMA", NUMBER, 1e-6, 10, "0.1", ON(REPORT), \
      "how the loss of base, SFT and W rises after a step of this length, both ways along each of the random directions") \
    X(SKIP, "skip", 0, "SECTION", TEXT, 0, 0, NULL, ON(REPORT), \
      "measure and say nothing of this section: spectra, dormancy, sweep, landscape and others (the page's headings); may be repeated") \
    X(MARKDOWN, "markdown", 0, NULL, FLAG, 0, 0, NULL, ON(REPORT), \
      "write Markdown, without figures") \
    /* ---- export and verify ---- */ \
    X(OUT, "out", 'o', "DIR", TEXT, 0, 0, NULL, ON(EXPORT), \
      "the directory to make; it must not exist, or be empty") \
    X(DTYPE, "dtype", 0, "keep|F32|F16|BF16", CHOICE, 0, 0, "keep", ON(EXPORT), \
      "the type to write, as safetensors or torch call it (BF16, bfloat16), in either case; keep is that of each tensor of the SFT model") \
    X(SHARD_SIZE, "shard-size", 0, "SIZE", SIZE, 1, 9e18, "5GB", ON(EXPORT), \
      "the most a file of weights holds: 5GB, 500MB, 2GiB, or bytes") \
    X(DONOR, "donor", 0, "sft|base", CHOICE, 0, 0, "sft", ON(EXPORT), \
      "whose configuration, tokenizer and chat template go with the weights") \
    X(RECIPE, "recipe", 'r', "FILE", TEXT, 0, 0, NULL, ON(EXPORT), \
      "make the same export again: settings from a rejuvenation.json, sums compared with it; BASE and SFT may be left out where they are still where it says") \
    X(ALLOW_UNMATCHED, "allow-unmatched", 0, NULL, FLAG, 0, 0, NULL, ON(OPEN) | ON(EXPORT), \
      "export although tensors have no counterpart: those of SFT are copied, those of base left out") \
    X(DRY_RUN, "dry-run", 0, NULL, FLAG, 0, 0, NULL, ON(EXPORT), \
      "say what would be written, and write nothing") \
    X(NO_VERIFY, "no-verify", 0, NULL, FLAG, 0, 0, NULL, ON(EXPORT), \
      "do not read the result again") \
    X(DISCARD, "discard", 0, NULL, FLAG, 0, 0, NULL, ON(EXPORT), \
      "remove what an interrupted export to --out left behind, and do nothing else") \
    X(BASE, "base", 0, "DIR", TEXT, 0, 0, NULL, ON(VERIFY), \
      "the base model, where it is no longer where the recipe says") \
    X(SFT, "sft", 0, "DIR", TEXT, 0, 0, NULL, ON(VERIFY), \
      "the SFT model, likewise") \
    X(NO_INPUTS, "no-inputs", 0, NULL, FLAG, 0, 0, NULL, ON(VERIFY), \
      "compare with the recipe only, even if the inputs are at hand") \
    /* ---- pictures ---- */ \
    X(OUT_PICTURE, "out", 'o', "FILE", TEXT, 0, 0, NULL, ON_PICTURES | ON(REPORT), \
      "the file to write, in place of standard output; one of that name is replaced") \
    X(FORMAT, "format", 'f', "svg|ansi|text", CHOICE, 0, 0, NULL, ON(SHOT), \
      "a drawing, text with colours, or text; otherwise what the end of --out says (.svg, .ansi, .txt), or text") \
    X(SIZE, "size", 0, "COLUMNSxROWS", TEXT, 0, 0, "100x30", ON(SHOT), \
      "how large a screen") \
    X(PRESS, "press", 0, "KEYS", TEXT, 0, 0, NULL, ON(SHOT), \
      "keys to press first, once the figures are there, by name and with spaces between them: \"j j Enter\"; may be repeated") \
    X(RUN, "run", 0, "ACTION", TEXT, 0, 0, NULL, ON(SHOT), \
      "an action to run first, with its argument, as : does in the program: \"layer 3\"; may be repeated, also between --press") \
    X(METRIC, "metric", 'm', "METRIC", TEXT, 0, 0, NULL, ON(FIGURE), \
      "what to draw, by its key in the JSON of drift or the blocks of neurons (layers) or of sweep (sweep, plane); in a sweep it may be repeated") \
    X(TENSOR, "tensor", 0, "NAME", TEXT, 0, 0, NULL, ON(FIGURE), \
      "the tensor of this name, or the first matrix whose name has this text; may be repeated") \
    X(MARK, "mark", 0, "A|R", SHARE, -1, 2, NULL, ON(FIGURE), \
      "a line in a sweep at this alpha, or rho") \
    X(LOG, "log", 0, NULL, FLAG, 0, 0, NULL, ON(FIGURE), \
      "a logarithmic scale: of the colours, or of the ranks of a spectrum") \
    X(TITLE, "title", 0, "TEXT", TEXT, 0, 0, NULL, ON(FIGURE), \
      "a line above the figure; none unless given") \
    X(WIDTH, "width", 0, "MM", NUMBER, 20, 2000, NULL, ON(FIGURE), \
      "in millimetres; otherwise as suits the figure") \
    X(HEIGHT, "height", 0, "MM", NUMBER, 20, 2000, NULL, ON(FIGURE), \
      "in millimetres") \
    /* ---- the terminal program ---- */ \
    X(RUNG, "rung", 0, "N", COUNT, 1, 1e9, NULL, ON(OPEN) | ON(SHOT), \
      "which of several SFT models to tune, from 1; otherwise the last") \
    X(VIEW, "view", 0, "NAME", TEXT, 0, 0, NULL, ON(OPEN), \
      "the view to begin with, by name or number") \
    X(TOUR, "tour", 0, NULL, FLAG, 0, 0, NULL, ON(OPEN), \
      "begin with a tour: the method in a few steps, on the demo pair or on your own") \
    X(RESUME, "resume", 0, NULL, FLAG, 0, 0, NULL, ON(OPEN), \
      "go on where you left: the pair, dials, bookmarks, prompt, landscape, rollouts, view and cursors of the last time; what other options say replaces that") \
    X(KEYS, "keys", 0, "default|vim|emacs|FILE", TEXT, 0, 0, NULL, ON(OPEN) | ON(SHOT), \
      "what keys do: one of these flavours, over which your own key file is laid, or a key file in place of it") \
    X(THEME, "theme", 0, "auto|dark|light|high-contrast|mono", CHOICE, 0, 0, NULL, ON(OPEN) | ON(SHOT), \
      "colours: made for the background, which auto takes from COLORFGBG or asks the terminal for; high-contrast paints its own; without it, auto on a terminal and dark in a picture") \
    X(ASCII, "ascii", 0, NULL, FLAG, 0, 0, NULL, ON(OPEN) | ON(SHOT), \
      "draw with ASCII characters only") \
    X(MOUSE, "mouse", 0, NULL, FLAG, 0, 0, NULL, ON(OPEN), \
      "heed the mouse: it selects, scrolls and drags dials; the terminal's own selecting then needs Shift") \
    X(MONO, "mono", 0, NULL, FLAG, 0, 0, NULL, ON(OPEN) | ON(SHOT), \
      "no colours") \
    X(NO_CACHE, "no-cache", 0, NULL, FLAG, 0, 0, NULL, ON(OPEN), \
      "measure everything again, and keep nothing: otherwise analyses are kept in the XDG cache directory") \
    X(NO_CACHE_READ, "no-cache", 0, NULL, FLAG, 0, 0, NULL, ON_TABLES | ON_PICTURES | ON(REPORT), \
      "measure neurons again: otherwise what the terminal program kept of them is used, where it is of the same models and rows; nothing else is kept between commands") \
    X(FRAMES, "frames", 0, "N", COUNT, 1, 1e9, NULL, ON(OPEN), \
      "leave after N drawn frames: for tests") \
    /* ---- everywhere ---- */ \
    X(JSON, "json", 0, NULL, FLAG, 0, 0, NULL, ON_TABLES | ON(REPORT), \
      "write JSON") \
    X(CSV, "csv", 0, NULL, FLAG, 0, 0, NULL, ON_TABLES, \
      "write the main table as CSV") \
    X(THREADS, "threads", 'j', "N", COUNT, 1, 4096, NULL, ON_JOBS, \
      "threads to use; otherwise as many as the process may run on, and its control group's quota allows") \
    X(LOG_FILE, "log-file", 0, "FILE", TEXT, 0, 0, NULL, ON_JOBS & ~ON(OPEN), \
      "append to this file, with the time, what is told on standard error, how far the work is every ten seconds, and how it began and ended; also with --quiet") \
    X(QUIET, "quiet", 'q', NULL, FLAG, 0, 0, NULL, ON_TABLES | ON_PICTURES | ON(REPORT) | ON(TOKENIZE), \
      "no progress and no notes on standard error; errors are still told") \
    X(HELP, "help", 'h', NULL, FLAG, 0, 0, NULL, ON_EVERY, \
      "show this") \
    X(VERSION, "version", 'V', NULL, FLAG, 0, 0, NULL, ON_EVERY, \
      "show the version")
/* clang-format on */

#endif
