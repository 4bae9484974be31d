/*
 * recipe — `rejuvenation.json`: what an export was made of and what came out, enough to make the same bytes
 * again and to tell whether a directory still holds them.
 *
 *     {"format": "rejuv-recipe", "format_version": 1, "rejuv_version": "0.1.0",
 *      "settings": {"alpha": 0.5,
 *                   "module_alpha": {"norm": 1, …},        kinds with an α of their own; where there are any
 *                   "layer_alpha":  [0.4, …],              the curve over the layers; where there is one
 *                   "reset": {"rho": 0.01, "omega": 1,     where there is a reset
 *                             "selector": "attribution", "targets": 32, "seed": …, "calibration_sha256": …,
 *                             "layers": 24, "modules": {"q": 896, …},      the table of neurons
 *                             "neurons": M, "per_target": n, "selected": k,
 *                             "set": {"LAYER.MODULE": [index, …], …}}},
 *      "output":   {"dtype": "keep" | "BF16" | …, "shard_bytes": 5000000000, "donor": "sft",
 *                   "chat_templates": [{"name", "file"}, …]},     the donor's, which go along; for people
 *      "inputs":   {"base": {"directory": …,      from the root, or relative to the recipe; and, where it is no UTF-8,
 *                            "directory_uri": "file:///…",
 *                            "files": [{"name", "bytes", "sha256"}, …]}, "sft": {…}},
 *                  of an adapter the SFT's files are its own, and "adapter" says what it is: α is its scale
 *      "unmatched": {"blended": 0.98, "copied": 12, "left_out": [name, …]}    where tensors have no counterpart
 *      "tensors":  [{"name", "dtype", "shape", "sha256", "dial"}, …]   in the order they were written; "dial" is what
 *                  gave its α: "alpha", "layers", the name of a kind; "copied" where it is SFT's. Somebody who changed a
 *                  recipe leaves the list empty: what is made by it then is compared with nothing
 *      "files":    [{"name", "bytes", "sha256"}, …]               everything else, but the recipe itself
 *      "note":     …,
 *      "recipe_sha256": …}                                          of what stands before it (recipe_seal.h)
 *
 * There is no date and no host in it: the same export writes the same recipe. The number of threads is not
 * recorded because no byte depends on it. A recipe is untrusted input. A key of `settings` that this version
 * does not know is refused, for it would change the bytes.
 */
#ifndef REJUV_CORE_RECIPE_H
#define REJUV_CORE_RECIPE_H

#include "core/checkpoint/checkpoint.h"
#include "core/export/recipe_seal.h"
#include "core/files/hash.h"
#include "core/fusion/settings.h"
#include "core/support/status.h"

#define RECIPE_FILE_NAME "rejuvenation.json"

enum { RECIPE_LIMIT = 256 << 20 }; /* bytes of one that is read */

typedef enum Donor { DONOR_SFT, DONOR_BASE } Donor;

typedef struct RecipeFile {
    char *name; /* relative to its directory */
    uint64_t bytes;
    char sha256[HASH_HEX_SIZE]; /* "" until it is known */
} RecipeFile;

typedef struct RecipeFiles {
    RecipeFile *list;
    size_t count, capacity;
} RecipeFiles;

typedef struct RecipeInput {
    /* from the root; of a recipe that was read, what it says, found from the recipe's place */
    char *directory;
    char *adapter; /* what adapter it is (adapter_describe()); NULL: none; none in a recipe that was read */
    RecipeFiles files;
} RecipeInput;

typedef struct RecipeTensor {
    char *name;
    DType dtype;
    char other_dtype[SAFETENSORS_DTYPE_SIZE]; /* how a DTYPE_OTHER is called, else "" */
    unsigned rank;
    uint64_t shape[SAFETENSORS_MAX_RANK];
    char sha256[HASH_HEX_SIZE]; /* of its bytes; "" until they are written */
    const char *dial;           /* static; NULL in a recipe that was read */
} RecipeTensor;

/* A chat template: what it is called, and the file of the directory that it is in. */
typedef struct RecipeTemplate {
    char *name, *file;
} RecipeTemplate;

/* What had no counterpart, and was allowed not to. */
typedef struct RecipeUnmatched {
    bool is_allowed;
    double blended; /* share of SFT's elements */
    size_t copied;  /* tensors */
    const char **
        left_out; /* tensors of base: the array is owned, the names are borrowed; none in a recipe that was read */
    size_t left_out_count;
} RecipeUnmatched;

typedef struct Recipe {
    char *rejuv_version;
    Settings settings;
    Ranking *ranking;     /* owned: the list that recipe_read() found; NULL where settings borrow another's */
    SettingsCurve *curve; /* owned, likewise */
    DType dtype;          /* DTYPE_UNKNOWN: every tensor keeps the SFT model's */
    uint64_t shard_bytes; /* the bound that was asked for */
    Donor donor;
    RecipeTemplate *templates; /* the donor's; none in a recipe that was read */
    size_t template_count, template_capacity;
    RecipeInput base, sft;
    RecipeUnmatched unmatched;
    RecipeTensor *tensors;
    size_t tensor_count;
    RecipeFiles files;
    /* of a recipe that was read */
    RecipeSealState seal; /* whether its text is as it was written */
    char *unknown;        /* members that this version does not know: "\"a\", \"b\""; NULL: none */
} Recipe;

/* An empty recipe of this version of the program. */
Status recipe_create(Recipe **recipe, Error *error) STATUS_MUST_CHECK;

/* Takes NULL. */
void recipe_free(Recipe *recipe);

/* Appends a file; `sha256` may be "". */
Status recipe_add_file(RecipeFiles *files, const char *name, uint64_t bytes, const char *sha256,
                       Error *error) STATUS_MUST_CHECK;

Status recipe_add_template(Recipe *recipe, const char *name, const char *file,
                           Error *error) STATUS_MUST_CHECK;

/* The recipe as JSON text, which the caller frees. The same recipe gives the same text. */
Status recipe_format(const Recipe *recipe, char **text, Error *error) STATUS_MUST_CHECK;

/* Reads and checks a recipe. STATUS_FORMAT: not one, or not whole; STATUS_UNSUPPORTED: a later format, or a
 * setting that this version does not know. */
Status recipe_read(const char *path, Recipe **recipe, Error *error) STATUS_MUST_CHECK;

/* How the tensor's dtype is called in its file: "BF16". */
const char *recipe_dtype_name(const RecipeTensor *tensor);

/* "sft", "base" */
const char *recipe_donor_name(Donor donor);

/* False where `name` is neither. */
bool recipe_find_donor(const char *name, Donor *donor);

#endif
