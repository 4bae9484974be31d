#include "tui/app/resume_readiness.h"

#include "core/files/json.h"
#include "tui/session/session_landscape.h"
#include "tui/session/session_rollouts.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 128 };

/* ---- the landscape ---- */

static bool add_range(cJSON *object, const char *key, const Range *range) {
    char text[TEXT_SIZE];
    range_write(range, false, text, sizeof text);
    return json_add_text(object, key, text);
}

static bool add_landscape(cJSON *tree, const Session *session) {
    SessionLandscapeChoice choice = session_landscape_choice(session);
    cJSON *object = cJSON_AddObjectToObject(tree, "landscape");
    return object != NULL && add_range(object, "line", &choice.line) &&
           add_range(object, "plane", &choice.plane) && add_range(object, "triangle", &choice.triangle) &&
           json_add_number(object, "sigma", choice.sigma) &&
           json_add_number(object, "directions", (double)choice.directions) &&
           json_add_number(object, "seed", (double)choice.seed); /* below 2^53 (landscape_view.c) */
}

static void read_range(const cJSON *object, const char *key, size_t most, Range *range) {
    const RangeLimits limits = {
        .least = -10.0, .most = 10.0, .least_points = 2, .most_points = most, .has_to_climb = true};
    (void)range_read(json_get_text(object, key, ""), &limits, range); /* else it stays */
}

static void read_count(const cJSON *object, const char *key, uint64_t *count) {
    uint64_t value;
    if (json_read_count(json_find(object, key), &value)) *count = value;
}

static void apply_landscape(const cJSON *object, Session *session) {
    SessionLandscapeChoice choice = session_landscape_choice(session);
    uint64_t directions = choice.directions;
    read_range(object, "line", SESSION_LANDSCAPE_LINE_MOST, &choice.line);
    read_range(object, "plane", SESSION_LANDSCAPE_PLANE_MOST, &choice.plane);
    read_range(object, "triangle", SESSION_LANDSCAPE_PLANE_MOST, &choice.triangle);
    choice.sigma = json_get_number(object, "sigma", choice.sigma);
    read_count(object, "directions", &directions);
    read_count(object, "seed", &choice.seed);
    choice.directions = (size_t)directions;
    if (!session_landscape_choose(session, &choice))
        session_say(session, SESSION_WARNING, "the landscape is not measured as it was: %s",
                    "its numbers are not those of one");
}

/* ---- rollouts ---- */

static bool add_rollouts(cJSON *tree, const Session *session) {
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    SessionRollouts shown = session_rollouts(session);
    bool are_drawn =
        shown.columns > 0 && !shown.is_file && !shown.is_stale && !session_rollouts_differs(session);
    size_t whole = are_drawn ? session_rollouts_whole(session) : 0;
    cJSON *object = cJSON_AddObjectToObject(tree, "rollouts");
    return object != NULL && json_add_number(object, "prompts", (double)choice.prompts) &&
           json_add_number(object, "samples", (double)choice.samples) &&
           json_add_number(object, "tokens", (double)choice.most_tokens) &&
           json_add_number(object, "temperature", choice.sampling.temperature) &&
           json_add_number(object, "top_p", choice.sampling.top_p) &&
           json_add_number(object, "top_k", (double)choice.sampling.top_k) &&
           json_add_number(object, "seed", (double)choice.seed) &&
           json_add_text(object, "reward", choice.reward) && json_add_bool(object, "drawn", whole > 0) &&
           json_add_number(object, "states", (double)whole) &&
           json_add_bool(object, "gradient", are_drawn && shown.has_gradient);
}

static void read_size(const cJSON *object, const char *key, size_t *size) {
    uint64_t value = *size;
    read_count(object, key, &value);
    *size = (size_t)value;
}

static void apply_rollouts(const cJSON *object, Session *session) {
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    size_t whole = SIDE_COUNT;
    Error error;
    if (object == NULL) return;
    read_size(object, "states", &whole);
    read_size(object, "prompts", &choice.prompts);
    read_size(object, "samples", &choice.samples);
    read_size(object, "tokens", &choice.most_tokens);
    read_size(object, "top_k", &choice.sampling.top_k);
    read_count(object, "seed", &choice.seed);
    choice.sampling.temperature = json_get_number(object, "temperature", choice.sampling.temperature);
    choice.sampling.top_p = json_get_number(object, "top_p", choice.sampling.top_p);
    const char *rule = json_get_text(object, "reward", "");
    if (choice.reward[0] == '\0' && strlen(rule) < sizeof choice.reward) /* the command line comes first */
        (void)snprintf(choice.reward, sizeof choice.reward, "%s", rule);
    if (session_rollouts_choose(session, &choice, &error) != STATUS_OK)
        session_say(session, SESSION_WARNING, "rollouts are not as they were: %s", error.message);
    else if (json_get_bool(object, "drawn", false) && !session_rollouts_next(session).is_file)
        session_rollouts_recall(session, whole < SIDE_COUNT ? whole : SIDE_COUNT,
                                json_get_bool(object, "gradient", false));
}

/* ---- both ---- */

const char *resume_readiness_path(const Session *session, const char *key) {
    SessionRolloutsNext next = session_rollouts_next(session);
    if (strcmp(key, "third") == 0) return session_landscape_choice(session).third;
    return next.is_file == (strcmp(key, "samples") == 0) ? next.path : NULL;
}

bool resume_readiness_add(cJSON *tree, const Session *session) {
    return add_landscape(tree, session) && add_rollouts(tree, session);
}

void resume_readiness_apply(const cJSON *tree, Session *session) {
    apply_landscape(json_find(tree, "landscape"), session);
    apply_rollouts(json_find(tree, "rollouts"), session);
}
