#include "tui/app/tour.h"

#include "tui/keys/key_text.h"

#include <stdio.h>
#include <string.h>

const TourStep TOUR_STEPS[] = {
    {"overview", "Two checkpoints of one model",
     "On the left the model before supervised fine-tuning (SFT), on the right after it. Fine-tuning pushed too "
     "far makes a model sure of itself before it is right, and reinforcement learning (RL) then has little left "
     "to choose from. Rejuvenation repairs the checkpoint before RL starts.",
     "Preflight says whether the two can be fused at all. {help} lists the keys of a view, wherever you are."},
    {"overview", "Over-confidence, in one number",
     "The block Confidence compares the next-token distributions on the calibration rows. Entropy is how open "
     "the choice still is, in nats. Where SFT's is a small part of base's, most tokens are settled in advance.",
     "Look at the column W: it is the model at the dials, above at the right."},
    {"layers", "Where fine-tuning moved the weights",
     "Each cell is one weight matrix, a layer a row, coloured by how far it moved. Fine-tuning rarely moves "
     "all of it alike: some modules and layers take most of the drift.",
     "{metric-next} shows another measure, {enter} opens the matrix at the cursor."},
    {"tensor", "What a change is made of",
     "One matrix, its change pooled to the screen. A few rows or columns often stand out: these are neurons "
     "that fine-tuning rewrote while it left the others nearly alone.",
     "{zoom-in} looks closer, down to written figures; {source-next} shows base, SFT or W in place of the change."},
    {"layers", "Epoch by epoch",
     "Checkpoints of one training, in their order, make a ladder: rejuv BASE EPOCH-1 EPOCH-2 EPOCH-3. Drift, entropy, loss "
     "and dormancy then run along it, layer by layer, and show after which epoch a model became too sure.",
     "With a ladder, {ladder} shows all rungs in place of the modules, and {rung-next} takes the next rung as SFT."},
    {"prompt", "Where the confidence appeared",
     "Every token of a text, marked by the entropy gap: how much surer SFT is there than base. Below, what "
     "each model would say next. The largest gaps of the calibration rows are the targets that the method explains.",
     "{target-next} goes to one of them. Move along the tokens with {move-right}; {example-next} takes another "
     "text, {prompt} your own."},
    {"prompt", "As a conversation",
     "A model that was tuned on conversations is asked in its own form: its chat template makes one text of the turns, "
     "special tokens included, and all that is measured here is measured on that text. Without a template a prompt "
     "stays the text that it is.",
     "{template} turns the template on; {prompt} then types what the user says, {continue} lets the model answer, "
     "{turns} shows all turns."},
    {"tune", "First repair: fuse with the base model",
     "α mixes the two models weight by weight: W = α·SFT + (1 − α)·base. Every figure of W follows the dial. "
     "Where the curves show entropy coming back faster than the loss rises, there is room to choose.",
     "Turn {alpha-down} and {alpha-up} and watch the column W; {undo} takes a turn back."},
    {"neurons", "Who drives the over-confident tokens",
     "For each target, attribution says how much every neuron of every module pushed the logit of the token "
     "that was said. A neuron's rank is its best over all targets. Dormancy, in the other columns, finds those "
     "that fell silent.",
     "{enter} shows one neuron: its weights in both models, and the tokens that drive it."},
    {"tune", "Second repair: reset those neurons",
     "ρ writes base values back into the neurons that lead a target's ranking: n = ρ·M of M for each target, "
     "and the set is their union. It is a cut in a sorted list, so the count moves at once and the figures follow.",
     "{paper} sets the paper's defaults, α 0.5 and ρ 1 %. {rho-up} and {rho-down} turn ρ."},
    {"prompt", "The same text, repaired",
     "The third pane is W at the dials. Where SFT gave nearly everything to one token, W should leave some to "
     "the alternatives that base knew, and still prefer what SFT learnt.",
     "{continue} lets the selected side go on with the text; {side-sft} and {side-fused} select it."},
    {"tune", "Choosing by eye, and keeping what you chose",
     "A setting that keeps the loss low and gives entropy back is a candidate. Keep several and compare them; "
     "the proof is the RL run that starts from each.",
     "{keep} keeps the dials as a bookmark, {return} goes back to one, {sweep-rho} sweeps over ρ."},
    {"landscape", "How far one can move",
     "The loss along the line through base and SFT, and beyond both: where W lies low between them, fusion costs no "
     "loss. RL then moves away from W; the plane and the sharpness tell how soon the loss rises when one does.",
     "{measure} measures the pane in front, {pane-next} goes to the next."},
    {"rollouts", "What RL would begin with",
     "Several answers to each prompt whose answer is known. RL learns from prompts with right and wrong answers alone; a "
     "model that is too sure gives the same answer again and again. pass@k less avg@k is the room that is left to it.",
     "{measure} samples from base, SFT and W; {enter} reads an answer, {gradient} measures what a step would do to "
     "the weights."},
    {"export", "Writing it",
     "The export is a directory that other programs load as it stands, with a recipe that makes the same bytes "
     "again. It is re-opened and compared with what was previewed.",
     "{twin} shows the command for a script. {tour} ends the tour; {quit} leaves."},
};
const size_t TOUR_COUNT = sizeof TOUR_STEPS / sizeof *TOUR_STEPS;

enum { TEXT_SIZE = 512, ROWS_LEAST = 8, BORDER = 1 };

/* ---- the strip ---- */

/* Draws and returns the rows used; drawn out of sight it only measures. */
static int draw_words(Canvas *canvas, Rect area, const Keymap *keymap, const TourStep *step) {
    char text[TEXT_SIZE], task[TEXT_SIZE];
    key_text_expand(step->text, keymap, step->view, text, sizeof text);
    key_text_expand(step->task, keymap, step->view, task, sizeof task);
    int row = canvas_write_wrapped(canvas, area, 0, ROLE_TEXT, text);
    return canvas_write_wrapped(canvas, area, row, ROLE_KEY, task);
}

int tour_rows(Canvas *canvas, Rect area, const Keymap *keymap) {
    Rect beyond = rect_make(canvas->rows, 0, 1 << 10, area.columns - 1);
    int most = 0;
    for (size_t i = 0; i < TOUR_COUNT; i++) {
        int rows = draw_words(canvas, beyond, keymap, &TOUR_STEPS[i]) + BORDER;
        if (rows > most) most = rows;
    }
    return area.rows - most >= ROWS_LEAST ? most : 0;
}

void tour_draw(Canvas *canvas, Rect area, const Keymap *keymap, size_t step) {
    char next[128];
    const TourStep *shown = &TOUR_STEPS[step];
    Rect head = rect_cut_top(&area, BORDER);
    key_text_expand(step + 1 < TOUR_COUNT ? "{tour-next} goes on" : "{tour} ends", keymap, shown->view, next,
                    sizeof next);
    canvas_fill_row(canvas, head, 0, 0, head.columns, ROLE_BORDER, "─");
    (void)canvas_print(canvas, head, 0, 1, ROLE_TITLE, " %zu of %zu  %s ", step + 1, TOUR_COUNT,
                       shown->title);
    (void)canvas_write_right(canvas, head, 0, head.columns - 1, ROLE_KEY, next);
    (void)rect_cut_left(&area, 1);
    (void)draw_words(canvas, area, keymap, shown);
}
