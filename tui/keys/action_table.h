/*
 * action_table — every action there is, one row each. Names, help, the command line, completion, key files
 * and the documentation derive from these rows; nothing else lists actions.
 *
 *     X(IDENTIFIER, "name", "where", ARGUMENT, "label", "what it does")
 *
 *     where      "" for everywhere, else the name of the view that handles it (a list: "tensor layers")
 *     ARGUMENT   NONE; NUMBER, TEXT, FILE (asked for on the prompt line when a key is bound to the action
 *                without an argument); CONFIRM (asked as a question)
 *     label      the word beside the key in the last line; neighbours with the same label share it. For an
 *                action with an argument it is also the question.
 *
 * The author of a view adds its rows at the end, under its name. BatchMethod to come (rho-up …) are rows as well:
 * an action is listed once something handles it, never before.
 */
#ifndef REJUV_TUI_ACTION_TABLE_H
#define REJUV_TUI_ACTION_TABLE_H

/* clang-format off */
#define ACTION_TABLE(X)                                                                                      \
    /* ---- the program: handled by the frame ---- */                                                        \
    X(QUIT,             "quit",             "", NONE,   "quit",     "leave rejuv")                           \
    X(HELP,             "help",             "", NONE,   "help",     "list the keys that work here")          \
    X(COMMAND,          "command",          "", NONE,   "command",  "run any action by its name")            \
    X(SEARCH,           "search",           "", TEXT,   "search",   "find a text in this view")              \
    X(SEARCH_NEXT,      "search-next",      "", NONE,   "next",     "go to the next match")                  \
    X(SEARCH_PREVIOUS,  "search-previous",  "", NONE,   "next",     "go to the match before")                \
    X(VIEW_1,           "view-1",           "", NONE,   "views",    "show the first view")                   \
    X(VIEW_2,           "view-2",           "", NONE,   "views",    "show the second view")                  \
    X(VIEW_3,           "view-3",           "", NONE,   "views",    "show the third view")                   \
    X(VIEW_4,           "view-4",           "", NONE,   "views",    "show the fourth view")                  \
    X(VIEW_5,           "view-5",           "", NONE,   "views",    "show the fifth view")                   \
    X(VIEW_6,           "view-6",           "", NONE,   "views",    "show the sixth view")                   \
    X(VIEW_7,           "view-7",           "", NONE,   "views",    "show the seventh view")                 \
    X(VIEW_8,           "view-8",           "", NONE,   "views",    "show the eighth view")                  \
    X(VIEW_9,           "view-9",           "", NONE,   "views",    "show the ninth view")                   \
    X(VIEW,             "view",             "", TEXT,   "view",     "show the view of this name or number")  \
    X(NEXT_VIEW,        "next-view",        "", NONE,   "view",     "show the next view")                    \
    X(PREVIOUS_VIEW,    "previous-view",    "", NONE,   "view",     "show the view before")                  \
    X(CANCEL,           "cancel",           "", NONE,   "cancel",   "stop the work that is running")         \
    X(INTERRUPT,        "interrupt",        "", NONE,   "stop",     "stop the work that is running, or leave when there is none") \
    X(SUSPEND,          "suspend",          "", NONE,   "suspend",  "give the terminal back to the shell until fg") \
    X(REDRAW,           "redraw",           "", NONE,   "redraw",   "draw the whole screen again")           \
    X(THEME,            "theme",            "", TEXT,   "theme",    "change the colours: auto, dark, light, high-contrast or mono") \
    X(DUMP_TEXT,        "dump-text",        "", FILE,   "write the screen to", "write the screen as text to a file") \
    X(PICTURE,          "picture",          "", FILE,   "write a picture (.svg .ansi .txt) to", "write the screen as a picture: .svg a drawing, .ansi text with colours, .txt text") \
    X(NUMBERS,          "numbers",          "", FILE,   "write the numbers to", "write this view's numbers to a file, as CSV, or JSON if its name ends in .json") \
    X(TWIN,             "twin",             "", NONE,   "script",   "show the command that gives these figures to a script") \
    X(COPY,             "copy",             "", NONE,   "copy",     "copy what is under the cursor, or the command shown: to the clipboard and a file") \
    X(ZOOM_PANE,        "zoom-pane",        "", NONE,   "one pane", "give the pane in front the whole screen, or show all panes again") \
    X(TOUR,             "tour",             "", NONE,   "tour",     "begin the tour of the method, or end it") \
    X(TOUR_NEXT,        "tour-next",        "", NONE,   "tour",     "go on with the tour")                   \
    X(TOUR_PREVIOUS,    "tour-previous",    "", NONE,   "tour",     "go back in the tour")                   \
    X(RUNG_NEXT,        "rung-next",        "", NONE,   "rung",     "tune the next rung of the ladder: another SFT model with the same base") \
    X(RUNG_PREVIOUS,    "rung-previous",    "", NONE,   "rung",     "tune the rung before")                  \
    X(RUNG,             "rung",             "", NUMBER, "rung",     "tune the rung of this number")          \
    /* ---- moving about: handled by the view ---- */                                                        \
    X(MOVE_LEFT,        "move-left",        "", NONE,   "move",     "one to the left")                       \
    X(MOVE_UP,          "move-up",          "", NONE,   "move",     "one up")                                \
    X(MOVE_DOWN,        "move-down",        "", NONE,   "move",     "one down")                              \
    X(MOVE_RIGHT,       "move-right",       "", NONE,   "move",     "one to the right")                      \
    X(PAGE_UP,          "page-up",          "", NONE,   "page",     "one screen up")                         \
    X(PAGE_DOWN,        "page-down",        "", NONE,   "page",     "one screen down")                       \
    X(FIRST,            "first",            "", NONE,   "ends",     "go to the first")                       \
    X(LAST,             "last",             "", NONE,   "ends",     "go to the last")                        \
    X(ENTER,            "enter",            "", NONE,   "open",     "open what is under the cursor")         \
    X(BACK,             "back",             "", NONE,   "back",     "go back to where you came from")        \
    X(METRIC_NEXT,      "metric-next",      "", NONE,   "metric",   "show the next metric")                  \
    X(METRIC_PREVIOUS,  "metric-previous",  "", NONE,   "metric",   "show the metric before")                \
    /* ---- the dials: handled by the session ---- */                                                        \
    X(ALPHA_UP,         "alpha-up",         "", NONE,   "α",   "fuse more of the SFT model: α + 0.01")   \
    X(ALPHA_DOWN,       "alpha-down",       "", NONE,   "α",   "fuse more of the base model: α - 0.01")  \
    X(ALPHA_UP_COARSE,  "alpha-up-coarse",  "", NONE,   "α 0.1", "α + 0.1")                        \
    X(ALPHA_DOWN_COARSE,"alpha-down-coarse","", NONE,   "α 0.1", "α - 0.1")                        \
    X(ALPHA_SET,        "alpha-set",        "", NUMBER, "α",   "set α: 0 is the base model, 1 the SFT model") \
    X(RHO_UP,           "rho-up",           "", NONE,   "ρ",   "reset more neurons: ρ + 0.1 %")        \
    X(RHO_DOWN,         "rho-down",         "", NONE,   "ρ",   "reset fewer neurons: ρ - 0.1 %")       \
    X(RHO_SET,          "rho-set",          "", NUMBER, "ρ in %", "set ρ, in percent: the share of neurons that each target resets") \
    X(OMEGA_UP,         "omega-up",         "", NONE,   "ω",   "reset more strongly: ω + 0.05")        \
    X(OMEGA_DOWN,       "omega-down",       "", NONE,   "ω",   "reset more weakly: ω - 0.05")          \
    X(OMEGA_SET,        "omega-set",        "", NUMBER, "ω",   "set ω: 1 writes base values back, 0 leaves the fusion") \
    X(REPEAT,           "repeat",           "", NONE,   "again", "turn the dial by its last step once more; a count says how often") \
    X(PAPER,            "paper",            "", NONE,   "paper", "set the paper's defaults: α 0.5 everywhere, ρ 1 %, ω 1") \
    X(UNDO,             "undo",             "", NONE,   "undo",     "turn the dials back to where they stood before") \
    X(REDO,             "redo",             "", NONE,   "undo",     "turn them forth again")                 \
    X(KEEP,             "keep",             "", TEXT,   "keep these dials as", "keep the dials as a bookmark, under a name or the next letter") \
    X(RETURN,           "return",           "", TEXT,   "return to bookmark", "turn the dials back to a bookmark") \
    /* ---- overview, layers, tensor ---- */                                                                 \
    X(OTHER_BLOCK,      "other-block",      "overview", NONE, "block", "go from the findings to the tensors and back") \
    X(RESUME_SCAN,      "resume-scan",      "overview layers tensor", NONE, "resume", "go on with a drift scan or singular values that were cancelled") \
    X(LAYER,            "layer",            "layers tensor neurons", NUMBER, "layer", "go to the layer of this number; in Tensor to the same module there") \
    X(TOGGLE_LIST,      "toggle-list",      "layers neurons", NONE, "list",  "show a list in place of the map, or the map again") \
    X(LADDER,           "ladder",           "layers", NONE, "rungs", "show all rungs of the ladder, layers by rungs and their curves, or the modules of this one again") \
    X(ORDER,            "order",            "layers", NONE, "order", "list the most drifted tensors first, or in the files' order") \
    X(SCALE_NEXT,       "scale-next",       "layers tensor neurons", NONE, "scale", "spread the colours otherwise: linear, logarithmic, in Layers by column") \
    X(ZOOM_IN,          "zoom-in",          "tensor neurons", NONE, "zoom", "look closer around the cursor, in the end at written figures") \
    X(ZOOM_OUT,         "zoom-out",         "tensor neurons", NONE, "zoom", "see more of the tensor")              \
    X(ZOOM_WHOLE,       "zoom-whole",       "tensor neurons", NONE, "whole", "see the whole again")               \
    X(PAN_LEFT,         "pan-left",         "tensor", NONE, "pan",  "half a window to the left")           \
    X(PAN_DOWN,         "pan-down",         "tensor", NONE, "pan",  "half a window down")                  \
    X(PAN_UP,           "pan-up",           "tensor", NONE, "pan",  "half a window up")                    \
    X(PAN_RIGHT,        "pan-right",        "tensor", NONE, "pan",  "half a window to the right")          \
    X(SOURCE_NEXT,      "source-next",      "tensor", NONE, "source", "show the next of Δ (the change), B (base), S (SFT) and W (at the current α)") \
    X(SOURCE_PREVIOUS,  "source-previous",  "tensor", NONE, "source", "show the one before of Δ, B, S and W") \
    X(POOLING_NEXT,     "pooling-next",     "tensor", NONE, "pool", "pool elements otherwise: largest, mean, root mean square, largest with its sign") \
    X(POOLING_PREVIOUS, "pooling-previous", "tensor", NONE, "pool", "the way of pooling before")           \
    X(TOGGLE_PANE,      "toggle-pane",      "tensor", NONE, "pane", "show or hide the histogram and the metrics at the side") \
    X(SPECTRUM,         "spectrum",         "tensor", NONE, "spectrum", "show or hide the singular values of the change")  \
    X(SPECTRUM_SCALE,   "spectrum-scale",   "tensor", NONE, "curve", "draw the singular values by their logarithm, or as they are") \
    X(NEXT_TENSOR,      "next-tensor",      "tensor", NONE, "tensor", "show the next tensor, in the files' order") \
    X(PREVIOUS_TENSOR,  "previous-tensor",  "tensor", NONE, "tensor", "show the tensor before")            \
    X(TENSOR,           "tensor",           "overview layers tensor", TEXT, "tensor", "show the tensor of this name, or the next one whose name has this text") \
    X(ELEMENT,          "element",          "tensor", TEXT, "row,column", "go to an element: ROW,COLUMN") \
    X(LARGEST,          "largest",          "tensor", NONE, "largest", "go to the largest change of the tensor") \
    X(PROMPT,           "prompt",           "prompt", TEXT, "edit", "type another prompt; with a chat template on, the user's turn") \
    X(EXAMPLE_NEXT,     "example-next",     "prompt", NONE, "example", "take the next example prompt")      \
    X(EXAMPLE_PREVIOUS, "example-previous", "prompt", NONE, "example", "take the example prompt before")    \
    X(LINE_UP,          "line-up",          "prompt", NONE, "line", "go to the line of tokens above")       \
    X(LINE_DOWN,        "line-down",        "prompt", NONE, "line", "go to the line of tokens below")       \
    X(PIN,              "pin",              "prompt", NONE, "pin",  "follow the selected token's probability, or stop following it") \
    X(PIN_TEXT,         "pin-text",         "prompt", TEXT, "pin the token", "follow any token: the first of a text") \
    X(SIDE_BASE,        "side-base",        "prompt", NONE, "side", "select base: its candidates, and continuations from it") \
    X(SIDE_SFT,         "side-sft",         "prompt", NONE, "side", "select SFT")                           \
    X(SIDE_FUSED,       "side-fused",       "prompt", NONE, "side", "select W, the fused model")            \
    X(CONTINUE,         "continue",         "prompt", NONE, "continue", "let the selected model continue the text; a count sets how many tokens") \
    X(REMOVE_CONTINUATION, "remove-continuation", "prompt", NONE, "undo", "take the added tokens off again; of a conversation the last turn") \
    X(TOKENS,           "tokens",           "prompt rollouts", NUMBER, "tokens", "how many tokens a continuation adds, or a sampled answer has at most") \
    X(TEMPERATURE,      "temperature",      "prompt rollouts", NUMBER, "temperature", "how continuations and answers are sampled: 0 takes the most likely token") \
    X(SEED,             "seed",             "prompt landscape rollouts", NUMBER, "seed", "which random numbers sampling uses, or which directions the landscape takes")  \
    X(TARGET_NEXT,      "target-next",      "prompt", NONE, "target", "go to the next target of attribution: in this row, then in the rows after it") \
    X(TARGET_PREVIOUS,  "target-previous",  "prompt", NONE, "target", "go to the target of attribution before") \
    X(RESPONSE,         "response",         "prompt", NONE, "response", "show the calibration row's response behind its prompt, or take it off") \
    X(AVERAGES,         "averages",         "prompt", NONE, "means", "show means over the whole text, or the cursor's position") \
    X(TEMPLATE,         "template",         "prompt", TEXT, "template, on, off or its name", "make the prompt a conversation by the SFT model's chat template: on, off, or the name of one") \
    X(SYSTEM,           "system",           "prompt", TEXT, "system", "type the system's turn, the first of the conversation; nothing takes it away") \
    X(USER,             "user",             "prompt", TEXT, "user", "type the user's turn: the next, or the last in other words") \
    X(ASSISTANT,        "assistant",        "prompt", TEXT, "assistant", "type the assistant's turn in place of the model: the next, or the last in other words") \
    X(TOOL,             "tool",             "prompt", TEXT, "tool", "type what a tool answers: the next turn") \
    X(THINKING,         "thinking",         "prompt", TEXT, "thinking, on, off or default", "let the model think before it answers, or not, where the chat template has a switch for it") \
    X(TURNS,            "turns",            "prompt", NONE, "turns", "show the whole conversation in place of the distributions, or those again") \
    X(OPEN_CHAT,        "open-chat",        "prompt", FILE, "open the conversation", "open a conversation from a file of JSON: messages, and tools where there are") \
    X(WRITE_CHAT,       "write-chat",       "prompt", FILE, "write the conversation to", "write the conversation as JSON to a file that commands can read") \
    X(SWEEP,            "sweep",            "tune", NONE,   "sweep", "measure the headline figures at many α")  \
    X(SWEEP_RHO,        "sweep-rho",        "tune", NONE,   "sweep ρ", "measure the headline figures at many ρ, from 0 to 4 %") \
    X(SWEEP_RANGE,      "sweep-range",      "tune", TEXT,   "sweep FROM:TO:POINTS", "sweep over another range of α") \
    X(PANE_NEXT,        "pane-next",        "tune landscape rollouts", NONE, "pane", "go to the next pane, such as headlines, modules, layers, reset, plane") \
    X(PANE_PREVIOUS,    "pane-previous",    "tune landscape rollouts", NONE,   "pane", "go to the pane before") \
    X(PANE,             "pane",             "tune landscape rollouts", TEXT,   "pane", "go to the pane of this name") \
    X(ALPHA_CLEAR,      "alpha-clear",      "tune", NONE,   "follow α", "let the kind under the cursor follow the common α again, or in the pane layers all of them") \
    X(ALPHA_LAYERS,     "alpha-layers",     "tune", TEXT,   "α of the layers, FROM:TO or A,A,…", "set an α for each layer: a line from the first's to the last's, or a list") \
    X(ALPHA_KIND,       "alpha-kind",       "tune", TEXT,   "α of kinds, KIND=A,…", "set the α of kinds of tensors, such as q=0.3,down=0.7") \
    X(PROTECT,          "protect",          "tune", TEXT,   "protect KIND,…=sft or =base", "keep embed, norm or lm_head as the SFT or the base model has them") \
    X(PROTECT_NEXT,     "protect-next",     "tune", NONE,   "protect", "let embed, norm or lm_head under the cursor follow α, stay at SFT, or stay at base") \
    X(PLANE,            "plane",            "tune", NONE,   "plane", "measure the headline figures at every pair of α and ρ of a grid") \
    X(PLANE_RANGE,      "plane-range",      "tune", TEXT,   "plane, α and ρ as FROM:TO:POINTS", "measure them on another grid of α and ρ, such as 0.4:0.6:5 0:4%:9") \
    X(SELECTOR_NEXT,    "selector-next",    "tune", NONE,   "selector", "choose the neurons to reset by another measure") \
    X(TARGETS,          "targets",          "tune", NUMBER, "targets", "how many target positions attribution looks at") \
    X(BOOKMARK_COMPARE, "bookmark-compare", "tune", NONE,   "compare", "compare the bookmarks with this one, or with W again") \
    X(BOOKMARK_REMOVE,  "bookmark-remove",  "tune", NONE,   "remove",  "forget the bookmark at the cursor") \
    X(BOOKMARK_EXPORT,  "bookmark-export",  "tune", NONE,   "export",  "return to the bookmark at the cursor, and show what an export would write") \
    X(MEASURE,          "measure",          "overview layers tune neurons landscape rollouts", NONE, "measure", "measure now: the calibration rows; in Rollouts sample, or read the samples of the file") \
    X(GRID,             "grid",             "landscape", TEXT, "grid, FROM:TO:POINTS", "which points the line in front goes over, or the plane in front along both directions") \
    X(THIRD,            "third",            "landscape", FILE, "third checkpoint", "let the plane go through base, SFT and this checkpoint, such as one that RL made") \
    X(THIRD_OFF,        "third-off",        "landscape", NONE, "random plane", "let the plane go along random directions around W again") \
    X(SIGMA,            "sigma",            "landscape", NUMBER, "σ", "how long the steps are that sharpness takes: 1 is as long as the weights themselves") \
    X(DIRECTIONS,       "directions",       "landscape", NUMBER, "directions", "along how many random directions sharpness steps") \
    X(SAMPLES_EACH,     "samples",          "rollouts", NUMBER, "samples", "how many answers are sampled to each prompt") \
    X(PROMPTS,          "prompts",          "rollouts", NUMBER, "prompts", "how many prompts are sampled from: the first of the rows or of the file") \
    X(TOP_P,            "top-p",            "rollouts", NUMBER, "top-p", "sample among the fewest tokens whose probabilities add up to so much") \
    X(TOP_K,            "top-k",            "rollouts", NUMBER, "top-k", "sample among so many of the most likely tokens; 0: all") \
    X(REWARD,           "reward",           "rollouts", TEXT, "reward, exact number boxed regex:EXPR", "what makes an answer right: the whole, its last number, its last \\boxed{}, the group of an expression; nothing: as the file says, of prompts the number") \
    X(REWARD_COMMAND,   "reward-command",   "rollouts", TEXT, "reward by the program", "let a program say what an answer earns, run by sh -c: a line of JSON with prompt, response and answer in, a number out") \
    X(GRADIENT,         "gradient",         "rollouts layers", NONE, "gradient", "measure the gradient at hand-over: of the samples that Rollouts has, under base, SFT and W") \
    X(SAMPLES_FILE,     "samples-file",     "rollouts", FILE, "read the samples of", "read samples made elsewhere: lines of JSON with prompt, response and reward, as vLLM and verl write them") \
    X(PROMPTS_FILE,     "prompts-file",     "rollouts", FILE, "prompts of the file", "sample from the prompts of a file: rows as those of calibration, each with an answer") \
    X(PROMPTS_ROWS,     "prompts-rows",     "rollouts", NONE, "rows", "sample from the calibration rows again") \
    X(SAMPLES_SAVE,     "samples-save",     "rollouts", FILE, "write the samples to", "write the samples of the state at the cursor to a file that commands can read") \
    X(ROWS_FILE,        "rows-file",        "", FILE,   "rows of the file", "measure on the calibration rows of another file: JSON lines of prompt and response, of conversations, or of ids, or lines of text") \
    X(ROWS_PROMPT,      "rows-prompt",      "", NONE,   "rows", "measure on the prompt on screen in place of the file's rows; a continuation is its response") \
    X(ROWS_BACK,        "rows-back",        "", NONE,   "rows", "measure on the calibration file's rows again") \
    X(ROWS_SAVE,        "rows-save",        "", FILE,   "write the rows to", "write the calibration rows, as token ids, to a file that commands can read") \
    X(EXPORT,           "export",           "export", CONFIRM, "export", "write the model at these dials")      \
    X(EXPORT_TARGET,    "export-target",    "export", FILE, "target", "name the directory to write")           \
    X(EXPORT_DTYPE,     "export-dtype",     "export", NONE, "dtype", "change the type that weights are written in") \
    X(EXPORT_DONOR,     "export-donor",     "export", NONE, "donor", "take config and tokenizer from the other model") \
    X(EXPORT_SHARDS,    "export-shards",    "export", NUMBER, "file size in GB", "how large a file of weights may be") \
    X(EXPORT_EDIT,      "export-edit",      "export", NONE, "edit", "open what is exported, an option a line, in $VISUAL or $EDITOR; without them $PAGER shows it") \
    X(EXPORT_DISCARD,   "export-discard",   "export", CONFIRM, "discard", "remove what an interrupted export left") \
    X(REVERSE,          "reverse",          "neurons", NONE, "reverse", "list the other end first")          \
    X(MODULE_NEXT,      "module-next",      "neurons", NONE, "module", "show the neurons of the next module only") \
    X(MODULE_PREVIOUS,  "module-previous",  "neurons", NONE, "module", "show the neurons of the module before only") \
    X(FILTER,           "filter",           "overview layers prompt neurons", TEXT, "filter", "show only what fits: a place (3.down, gate, layer 5, 2-4) or a part of the name; nothing shows all") \
    X(FILTER_OFF,       "filter-off",       "overview layers prompt neurons", NONE, "all", "show all again") \
    X(FILTER_RESET,     "filter-reset",     "neurons", NONE, "reset only", "list only neurons in the reset set, or also the others") \
    X(FILTER_DORMANT,   "filter-dormant",   "neurons", NONE, "dormant only", "list only dormant neurons, or also the others") \
    X(TAU_UP,           "tau-up",           "layers neurons", NONE, "τ",   "call more neurons dormant: the next larger threshold τ") \
    X(TAU_DOWN,         "tau-down",         "layers neurons", NONE, "τ",   "call fewer neurons dormant: the next smaller threshold τ") \
    X(TAU,              "tau",              "layers neurons", NUMBER, "τ", "set the threshold τ: a neuron is dormant where its score is at most τ") \
    /* ---- views: add rows here ---- */
/* clang-format on */

#endif
