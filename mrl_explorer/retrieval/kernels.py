"""Compiled inner loops of the sweep: they touch each score once, and select as they go.

A tile is a block of documents, a chunk a block of queries. Every kernel here takes the scores of
a chunk of queries against a tile, and keeps the best of each query in a bounded buffer of 64-bit
keys. They release the GIL, and each call writes only to its own queries' rows, so chunks run side
by side in threads.
"""

import llvmlite.ir
import numba as nb
import numpy as np
from numba.extending import intrinsic

BLOCK = 32
"""Scores compared at once before any is looked at singly."""

LOWEST = np.float32(-1e9)
"""Score of a document whose prefix is all zero: below every other, and a number."""

compiled = nb.njit(nogil=True, cache=True, error_model="numpy")
# Sums may be reordered here: inner products are compared with a tolerance of 1e-6.
compiled_sum = nb.njit(
    nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)


@intrinsic
def popcount(typing_context, word):  # type: ignore[no-untyped-def]
    """Count the ones in a uint64."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return nb.types.uint64(nb.types.uint64), generate


@intrinsic
def float_bits(typing_context, value):  # type: ignore[no-untyped-def]
    """Read a float32's bits as a uint32."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], llvmlite.ir.IntType(32))

    return nb.types.uint32(nb.types.float32), generate


@intrinsic
def bits_float(typing_context, value):  # type: ignore[no-untyped-def]
    """Read a uint32's bits as a float32."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], llvmlite.ir.FloatType())

    return nb.types.float32(nb.types.uint32), generate


# --- the best of each query --------------------------------------------------------------------
# A key holds a score in its upper half, ordered as the score is, and the complement of the
# document's row in its lower half: comparing keys ranks by score, then by lower row.


@compiled
def make_key(score, row):
    bits = nb.uint64(float_bits(np.float32(score)))
    ordered = (
        (bits ^ nb.uint64(0xFFFFFFFF)) if bits >> nb.uint64(31) else (bits | nb.uint64(0x80000000))
    )
    return (ordered << nb.uint64(32)) | (nb.uint64(0xFFFFFFFF) - nb.uint64(row))


@compiled
def key_score(key):
    ordered = key >> nb.uint64(32)
    bits = (
        (ordered & nb.uint64(0x7FFFFFFF))
        if ordered >> nb.uint64(31)
        else (ordered ^ nb.uint64(0xFFFFFFFF))
    )
    return bits_float(nb.uint32(bits))


@compiled
def key_row(key):
    return nb.int64(nb.uint64(0xFFFFFFFF) - (key & nb.uint64(0xFFFFFFFF)))


@compiled
def keep_largest(keys, count, depth):
    """Move the `depth` largest of `keys[:count]` to the front, the least of them last.

    This is Hoare's quickselect: those before the last are in any order.
    """
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) >> 1
        a, b, c = keys[low], keys[middle], keys[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while keys[i] > pivot:
                i += 1
            while keys[j] < pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                i += 1
                j -= 1
        if depth - 1 <= j:
            high = j
        elif depth - 1 >= i:
            low = i
        else:
            break


@compiled
def merge(
    found, found_scores, n_found, first_row, excluded, query, depth, keys, counts, thresholds, pool
):
    """Add candidates to a query's buffer; when they do not fit, keep the best and raise the bar.

    Parameters
    ----------
    found, found_scores, n_found
        Places in the tile and their scores, and how many of them count.
    first_row, excluded
        The tile's first document row; the row left out of this query's list.
    query, depth
        Which query; length of a list.
    keys, counts, thresholds
        (n_queries, capacity) uint64, (n_queries,) int32 and float32: the best so far, how many,
        and the score below which nothing is wanted any more.
    pool
        Scratch of at least capacity + n_found uint64.
    """
    count, capacity = counts[query], keys.shape[1]
    if count + n_found <= capacity:
        for i in range(n_found):
            row = first_row + found[i]
            if row != excluded:
                keys[query, count] = make_key(found_scores[i], row)
                count += 1
        counts[query] = count
        return
    for i in range(count):
        pool[i] = keys[query, i]
    for i in range(n_found):
        row = first_row + found[i]
        if row != excluded:
            pool[count] = make_key(found_scores[i], row)
            count += 1
    kept = min(count, depth)
    keep_largest(pool, count, kept)
    for i in range(kept):
        keys[query, i] = pool[i]
    counts[query] = kept
    if kept == depth:
        thresholds[query] = key_score(pool[depth - 1])


@compiled
def finish(keys, counts, factors, depth, tolerance, ids, scores):
    """Sort each query's best into its list, ties by lower row.

    Parameters
    ----------
    keys, counts
        (n_queries, capacity) uint64 and (n_queries,) int32 buffers.
    factors
        (n_queries,) float32: a score is its key's score times this.
    depth, tolerance
        Length of a list; scores in it at most this far apart are tied.
    ids, scores
        (n_queries, depth) int32 and float32, written; places left over keep what they hold.
    """
    for query in range(keys.shape[0]):
        count = counts[query]
        if count > depth:
            keep_largest(keys[query], count, depth)
            count = depth
        best = np.sort(keys[query, :count])[::-1]
        for i in range(count):
            ids[query, i] = key_row(best[i])
            scores[query, i] = key_score(best[i]) * factors[query]
        start = 0
        for i in range(1, count + 1):
            # From the best of them: neighbour by neighbour, a crowd would tie over any distance.
            if i < count and scores[query, start] - scores[query, i] <= tolerance:
                continue
            if i - start > 1:
                order = np.argsort(ids[query, start:i])
                ids[query, start:i] = ids[query, start:i][order]
                scores[query, start:i] = scores[query, start:i][order]
            start = i


# --- scores of one family each -----------------------------------------------------------------


@compiled_sum
def inner_product(a, b):
    total = np.float32(0)
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


@compiled
def find_over(products, factors, bar, found, found_scores):
    """List the places of a row where product * factor lies above the bar.

    Most blocks hold none, and a loop that only counts vectorizes: hence the second look at the
    others. Unsigned places spare a check for negative ones, which would stop that.

    Parameters
    ----------
    products, factors
        (n_docs,) int32 or float32, and float32.
    bar
        A float32.
    found, found_scores
        (n_docs,) int32 and float32: places and product * factor, written.

    Returns
    -------
    int
        How many places of `found` are filled.
    """
    n_docs, block = np.uintp(products.shape[0]), np.uintp(BLOCK)
    n_found = 0
    start = np.uintp(0)
    while start < n_docs:
        stop = min(start + block, n_docs)
        over = nb.int32(0)
        for j in range(start, stop):
            over += nb.int32(np.float32(products[j]) * factors[j] > bar)
        if over:
            for j in range(start, stop):
                score = np.float32(products[j]) * factors[j]
                if score > bar:
                    found[n_found] = j
                    found_scores[n_found] = score
                    n_found += 1
        start += block
    return n_found


@compiled
def first_bar(products, factors, depth, maxima):
    """Give a bar that at least `depth` places of a row lie above, without ranking the row.

    The row is dealt into groups; so many groups have a largest score above the bar, each in a
    place of its own. Selecting among the groups' largest costs a fraction of selecting in the row.

    Parameters
    ----------
    products, factors, depth
        As for `select_products`.
    maxima
        Scratch of 2 * depth float32: one for each group.

    Returns
    -------
    float32
        -inf where the row is too short to gain by it.
    """
    n_docs, n_groups = products.shape[0], maxima.shape[0]
    if n_docs < 2 * n_groups:
        return np.float32(-np.inf)
    last = np.uintp(n_groups)
    for group in range(np.uintp(0), last):
        maxima[group] = np.float32(products[group]) * factors[group]
    for start in range(n_groups, n_docs - n_groups + 1, n_groups):
        offset = np.uintp(start)
        for group in range(np.uintp(0), last):
            score = np.float32(products[offset + group]) * factors[offset + group]
            maxima[group] = score if score > maxima[group] else maxima[group]
    keep_largest(maxima, n_groups, depth)
    return np.nextafter(maxima[depth - 1], np.float32(-np.inf))


@compiled
def select_products(products, factors, first_row, excluded, depth, keys, counts, thresholds):
    """Keep the best of each query by product * factor.

    Parameters
    ----------
    products
        (n_queries, n_docs) int32 or float32.
    factors
        (n_docs,) float32.
    first_row, excluded
        The tile's first document row; (n_queries,) int64 row left out of each query's list.
    depth, keys, counts, thresholds
        The best so far: see `merge`.
    """
    n_docs = products.shape[1]
    found = np.empty(n_docs, np.int32)
    found_scores = np.empty(n_docs, np.float32)
    pool = np.empty(keys.shape[1] + n_docs, np.uint64)
    # One more than the depth: the row left out may be among those above the bar.
    maxima = np.empty(2 * (depth + 1), np.float32)
    for query in range(products.shape[0]):
        if thresholds[query] == -np.inf and counts[query] == 0:
            thresholds[query] = first_bar(products[query], factors, depth + 1, maxima)
        n_found = find_over(products[query], factors, thresholds[query], found, found_scores)
        if n_found:
            merge(
                found,
                found_scores,
                n_found,
                first_row,
                excluded[query],
                query,
                depth,
                keys,
                counts,
                thresholds,
                pool,
            )


@compiled
def select_rounded(
    products,
    factors,
    floors,
    documents,
    queries,
    query_norms,
    margin,
    first_row,
    excluded,
    depth,
    keys,
    counts,
    thresholds,
):
    """Keep the best of each query among documents and queries rounded to a shorter float.

    Rounding moves an inner product of unit vectors by at most `margin`, so only documents whose
    float32 score lies within it of the bar are rounded and scored.

    Parameters
    ----------
    products, factors
        As for `select_products`; a float32 score is product * factor / query norm.
    floors
        (n_queries,) float32: product * factor that at least `depth` documents reach, or -inf;
        their rounded scores are then at most `margin` lower.
    documents, queries
        (n_docs, dim) and (n_queries, dim) float32: normalised and rounded.
    query_norms
        (n_queries,) float32: norm of each query's prefix.
    margin
        See `families.rounding_margin`.
    first_row, excluded, depth, keys, counts, thresholds
        As for `select_products`.
    """
    n_docs = products.shape[1]
    found = np.empty(n_docs, np.int32)
    found_scores = np.empty(n_docs, np.float32)
    pool = np.empty(keys.shape[1] + n_docs, np.uint64)
    for query in range(products.shape[0]):
        norm = query_norms[query]
        bar = max((thresholds[query] - margin) * norm, floors[query] - 2 * margin * norm)
        n_found = find_over(products[query], factors, bar, found, found_scores)
        n_better = 0
        for i in range(n_found):
            j = found[i]
            score = found_scores[i]
            if score > LOWEST:
                score = inner_product(queries[query], documents[j])
            if score > thresholds[query]:
                found[n_better] = j
                found_scores[n_better] = score
                n_better += 1
        if n_better:
            merge(
                found,
                found_scores,
                n_better,
                first_row,
                excluded[query],
                query,
                depth,
                keys,
                counts,
                thresholds,
                pool,
            )


@compiled
def add_hamming(queries, documents, first_word, n_words, last_mask, distances, nearness):
    """Add the words of a dim's prefix to running Hamming distances.

    Parameters
    ----------
    queries, documents
        (n_queries, words) and (words, n_docs) uint64: sign bits, 64 to a word.
    first_word, n_words, last_mask
        Whole words to add for good, and the bits of the word after them that this dim still has
        (0 for none); those count now, and with their whole word when a later dim adds it.
    distances, nearness
        (n_queries, n_docs) int32: running distances over whole words, updated; minus the
        distances at this dim, written.
    """
    after = first_word + n_words
    for query in range(distances.shape[0]):
        for word in range(first_word, after):
            bits = queries[query, word]
            for j in range(distances.shape[1]):
                distances[query, j] += nb.int32(popcount(bits ^ documents[word, j]))
        if last_mask:
            bits = queries[query, after]
            for j in range(distances.shape[1]):
                last = nb.int32(popcount((bits ^ documents[after, j]) & last_mask))
                nearness[query, j] = -(distances[query, j] + last)
        else:
            for j in range(distances.shape[1]):
                nearness[query, j] = -distances[query, j]


# --- a tile of documents, encoded for every dim -------------------------------------------------


@compiled
def prefix_norms(vectors, dims, norms):
    """L2 norm of each prefix: (n, full_dim) float32, ascending dims -> (len(dims), n) float32."""
    for row in range(vectors.shape[0]):
        total = 0.0
        start = 0
        for i in range(dims.shape[0]):
            part = np.float32(0)
            for j in range(start, dims[i]):
                part += vectors[row, j] * vectors[row, j]
            total += part
            start = dims[i]
            norms[i, row] = np.sqrt(total)


@compiled
def round_prefixes(vectors, factors, mantissa_bits, rounded):
    """Round vector * factor to floats of 10 or 7 mantissa bits, to nearest even.

    Parameters
    ----------
    vectors, factors
        (n, >= dim) and (n,) float32.
    mantissa_bits, rounded
        10 or 7; (n, dim) float32, written.
    """
    dim = np.uintp(rounded.shape[1])
    for row in range(rounded.shape[0]):
        vector, factor, result = vectors[row], factors[row], rounded[row]
        if mantissa_bits == 10:
            for j in range(np.uintp(0), dim):
                value = vector[j] * factor
                bits = float_bits(value)
                normal = bits_float(
                    (bits + nb.uint32(0xFFF) + ((bits >> nb.uint32(13)) & nb.uint32(1)))
                    & nb.uint32(0xFFFFE000)
                )
                # Below 2^-14 float16 has a fixed step of 2^-24, float32's own near 0.75.
                small = (value + np.float32(0.75)) - np.float32(0.75)
                result[j] = small if abs(value) < np.float32(2.0**-14) else normal
        else:
            for j in range(np.uintp(0), dim):
                bits = float_bits(vector[j] * factor)
                result[j] = bits_float(
                    (bits + nb.uint32(0x7FFF) + ((bits >> nb.uint32(16)) & nb.uint32(1)))
                    & nb.uint32(0xFFFF0000)
                )


@compiled
def encode_integers(vectors, dim, levels, codes, factors):
    """Scale each prefix by its own largest component to integers.

    Parameters
    ----------
    vectors, dim, levels
        (n, >= dim) float32; a component becomes rint(levels * x / max abs x).
    codes, factors
        (n, dim) int8 and (n,) float32 (1 / norm of the codes, 0 for a zero prefix), written.
    """
    # Adding and taking away 1.5 * 2^23 rounds a small float32 to the nearest integer, ties to
    # even, as rint does, in a form that vectorizes.
    shift = np.float32(12582912)
    last, top = np.uintp(dim), np.float32(levels)
    for row in range(vectors.shape[0]):
        vector, code = vectors[row], codes[row]
        # Without its sign bit a float orders as its bits do, and a largest integer vectorizes.
        magnitudes = vector.view(np.int32)
        most = nb.int32(0)
        for j in range(np.uintp(0), last):
            most = max(most, magnitudes[j] & nb.int32(0x7FFFFFFF))
        largest = bits_float(nb.uint32(most))
        divisor = largest if largest > 0 else np.float32(1)
        for j in range(np.uintp(0), last):
            code[j] = nb.int32((top * vector[j] / divisor + shift) - shift)
        squares = nb.int32(0)
        for j in range(np.uintp(0), last):
            squares += nb.int32(code[j]) * nb.int32(code[j])
        factors[row] = np.float32(1 / np.sqrt(np.float64(squares))) if squares else np.float32(0)


@compiled
def pack_signs(vectors, words, by_word):
    """Pack x > 0 into 64-bit words: (n, full_dim) -> (words, n) if `by_word` else (n, words)."""
    full_dim = vectors.shape[1]
    n_words = (full_dim + 63) // 64
    for row in range(vectors.shape[0]):
        for word in range(n_words):
            bits = nb.uint64(0)
            for j in range(word * 64, min(word * 64 + 64, full_dim)):
                bits |= nb.uint64(vectors[row, j] > 0) << nb.uint64(j - word * 64)
            if by_word:
                words[word, row] = bits
            else:
                words[row, word] = bits


# --- the baseline's scores of what was listed ---------------------------------------------------


@compiled
def score_listed(documents, queries, first_query, ids, full_scores, seen, known):
    """Score every listed document with full-dimension float32, each once per query.

    Parameters
    ----------
    documents, queries
        (n_docs, full_dim) float32 of any norm; (n_chunk, full_dim) float32, unit.
    first_query
        The chunk's first query among all.
    ids, full_scores
        (n_configs, n_queries, depth) int32, -1 where a list ends early, and float32, written.
    seen, known
        (n_docs,) int32 and float32 scratch: the query that last scored a document (start with
        -1), and that score.
    """
    for row in range(queries.shape[0]):
        query = first_query + row
        for config in range(ids.shape[0]):
            for place in range(ids.shape[2]):
                document = ids[config, query, place]
                if document < 0:
                    break
                if seen[document] != query:
                    vector = documents[document]
                    norm = np.sqrt(inner_product(vector, vector))
                    known[document] = inner_product(vector, queries[row]) / norm
                    seen[document] = query
                full_scores[config, query, place] = known[document]
