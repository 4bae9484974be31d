#include "core/checkpoint/pair_share.h"

bool pair_share_is_whole(const PairShare *share) {
    return share->copied_tensors == 0 && share->missing_tensors == 0;
}

double pair_share_blended(const PairShare *share) {
    double all = (double)share->blended + (double)share->copied;
    return all > 0.0 ? (double)share->blended / all : 1.0;
}

double pair_share_percent(const PairShare *share) {
    double percent = 100.0 * pair_share_blended(share);
    return share->copied > 0 && percent > 99.99 ? 99.99 : percent;
}
