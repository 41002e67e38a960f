// The k most similar rows of every row, from the sums of products over the columns that two rows share.
#pragma once
#include <cstdint>

#include "common/sparse.h"

namespace alsatian {

enum class Measure { cosine, pearson, jaccard };

struct Similarity {
    Measure measure;
    float shrinkage;  // l: a similarity over n shared columns is multiplied by n / (n + l)
    int k;
};

// neighbors_out, scores: (rows, k), descending by similarity, then ascending by row; -1 and 0 past the end of a list.
// Only positive similarities are listed. sizes: the length |x| (cosine) or number of entries (jaccard) of each row.
void neighbors(const Sparse& rows, int64_t columns, const float* sizes, Similarity similarity, int32_t* neighbors_out,
               float* scores, int threads);

// Same, for queries that are not among the rows. by_column: for each column, the rows that have it.
void neighbors_for(const Sparse& queries, const float* query_sizes, const Sparse& by_column, int64_t rows,
                   const float* sizes, Similarity similarity, int32_t* neighbors_out, float* scores, int threads);

// The number of columns that the rows left[i] and right[i] share. It is fastest if pairs with the same left row are
// adjacent, and if the right row is the shorter one.
void co_counts(const Sparse& rows, int64_t columns, const int32_t* left, const int32_t* right, int64_t pairs,
               int32_t* counts, int threads);

}  // namespace alsatian
