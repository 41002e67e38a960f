// The k most similar rows of every row, from the sums of products over the columns that two rows share.
#pragma once
#include <cstdint>

#include "common/sparse.h"

namespace alsatian {

enum class Measure { cosine, pearson, jaccard };

struct Similarity {
    Measure measure;
    float shrinkage;  // l: a similarity that n shared columns speak for counts n / (n + l)
    int k;
};

// neighbors_out, scores: (rows, k), descending by similarity, then ascending by row; -1 and 0 past the end of a list.
// Only positive similarities count. sizes: of each row, its length |x| (cosine) or its number of entries (jaccard).
void neighbors(const Sparse& rows, int64_t columns, const float* sizes, Similarity similarity, int32_t* neighbors_out,
               float* scores, int threads);

// The same for rows that are not among them: `by_column` holds, for each column, the rows that have it.
void neighbors_for(const Sparse& queries, const float* query_sizes, const Sparse& by_column, int64_t rows,
                   const float* sizes, Similarity similarity, int32_t* neighbors_out, float* scores, int threads);

// How many columns rows left[i] and right[i] share. Fast where pairs of the same left row stand together, and where the
// right row is the shorter one.
void co_counts(const Sparse& rows, int64_t columns, const int32_t* left, const int32_t* right, int64_t pairs,
               int32_t* counts, int threads);

}  // namespace alsatian
