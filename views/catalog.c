/*
 * The views, each at its number.
 */
#include "views/export/export_view.h"
#include "views/landscape/landscape_view.h"
#include "views/layers/layers_view.h"
#include "views/neurons/neurons_view.h"
#include "views/overview/overview_view.h"
#include "views/prompt/prompt_view.h"
#include "views/rollouts/rollouts_view.h"
#include "views/tensor/tensor_view.h"
#include "views/tune/tune_view.h"
#include "views/views.h"

static const View *const LIST[] = {
    &overview_view, &layers_view,    &tensor_view,   &neurons_view, &prompt_view,
    &tune_view,     &landscape_view, &rollouts_view, &export_view,
};
const ViewList VIEWS = {LIST, sizeof LIST / sizeof *LIST};
