#include "tui/session/session_blocks.h"

#include "tui/session/session_dials.h"
#include "tui/session/session_headline.h"

BlockSources session_block_sources(const Session *session, double tau, double gradient_tau) {
    const Settings *settings = session_settings(session);
    return (BlockSources){.base = session_dormancy(session, SIDE_BASE),
                          .sft = session_dormancy(session, SIDE_SFT),
                          .attribution = session_attribution(session),
                          .ranking = settings->ranking,
                          .cut = settings_cut(settings),
                          .tau = tau,
                          .gradient_tau = gradient_tau};
}

bool session_block_of_weight(const Session *session, const PairTensor *tensor, bool pools, BlockCell *cell) {
    const NeuronTable *table = session_neurons(session);
    return table != NULL && block_of_tensor(table, tensor, pools, cell);
}
