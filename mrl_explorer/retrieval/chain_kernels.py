"""Compiled loops over candidate pools: thousands of chains run on ranked lists in a second.

A pool numbers the documents listed for a query from 0 by their full-dimension score, best first:
the number says at once whether a document is in the ground truth.
"""

import numpy as np

from mrl_explorer.retrieval.kernels import compiled, key_row, key_score, make_key

UNDECIDED = -1
"""Hits of a chain that the lists cannot answer for a query."""


@compiled
def count_listed(ids, stamps, counts):
    """Count each query's distinct documents: (n_configs, n_queries, depth) ids -> (n_queries,)."""
    for query in range(ids.shape[1]):
        count = 0
        for config in range(ids.shape[0]):
            for place in range(ids.shape[2]):
                row = ids[config, query, place]
                if row >= 0 and stamps[row] != query:
                    stamps[row] = query
                    count += 1
        counts[query] = count


@compiled
def number_listed(ids, full_scores, starts, numbers_of, rows, scores, local):
    """Give each query's documents numbers by full-dimension score; write the lists in them.

    Parameters
    ----------
    ids, full_scores
        (n_configs, n_queries, depth) int32 rows, -1 where a list has ended; float32.
    starts
        (n_queries + 1,) int64: where each query's part of `rows` begins.
    numbers_of
        (n_docs,) int32 scratch.
    rows, scores
        (n_listed,) int32 and float32, written: by query, best full score first.
    local
        (n_configs, n_queries, depth) int32, written: the lists as numbers, -1 where ended.
    """
    for query in range(ids.shape[1]):
        start, stop = starts[query], starts[query + 1]
        keys = np.empty(stop - start, np.uint64)
        count = 0
        for config in range(ids.shape[0]):
            for place in range(ids.shape[2]):
                row = ids[config, query, place]
                if row >= 0:
                    numbers_of[row] = -1
        for config in range(ids.shape[0]):
            for place in range(ids.shape[2]):
                row = ids[config, query, place]
                if row >= 0 and numbers_of[row] == -1:
                    numbers_of[row] = 0
                    keys[count] = make_key(full_scores[config, query, place], row)
                    count += 1
        keys = np.sort(keys)[::-1]
        for number in range(count):
            row = key_row(keys[number])
            rows[start + number] = row
            scores[start + number] = key_score(keys[number])
            numbers_of[row] = number
        for config in range(ids.shape[0]):
            for place in range(ids.shape[2]):
                row = ids[config, query, place]
                local[config, query, place] = numbers_of[row] if row >= 0 else -1


@compiled
def walk(query, size, orders, offsets, widths, lists, keeps, n_stages, marks, kept):
    """Run one chain for one query.

    Parameters
    ----------
    query, size
        Which query, and how many documents are listed for it.
    orders, offsets, widths
        All lists as numbers, one after another: list i of a query begins at
        offsets[i] + query * widths[i]. Width 0 stands for the ground truth's own order.
    lists, keeps, n_stages
        (max stages,) int32 each: the list of each stage and what it hands on.
    marks
        (>= size,) int32 scratch, all of them other than 1 to n_stages.
    kept
        (>= largest keep,) int32, written: the numbers handed on by the last stage, in its order.

    Returns
    -------
    int
        How many, or UNDECIDED where a stage's list names too few of what it is handed.
    """
    handed = size
    count = 0
    for stage in range(n_stages):
        place = lists[stage]
        width = widths[place]
        length = width if width else size
        wanted = min(keeps[stage], handed)
        begin = offsets[place] + query * width
        count = 0
        for i in range(length):
            if count == wanted:
                break
            number = orders[begin + i] if width else i
            if number < 0:
                break
            if stage == 0 or marks[number] == stage:
                marks[number] = stage + 1
                kept[count] = number
                count += 1
        if stage > 0 and count < wanted:
            return UNDECIDED
        handed = count
    return count


@compiled
def count_hits(
    first, last, sizes, n_true, wanted, orders, offsets, widths, lists, keeps, n_stages, hits
):
    """Count what each chain finds of the ground truth, for queries `first` to `last`.

    Parameters
    ----------
    sizes, n_true, wanted
        (n_queries,) int32: documents listed; how many of them count as true; how many to find.
    lists, keeps, n_stages
        (n_chains, max stages), the same, (n_chains,) int32.
    hits
        (n_chains, n_queries) int32, written.
    """
    largest = 1
    for query in range(first, last):
        largest = max(largest, sizes[query])
    marks = np.zeros(largest, np.int32)
    kept = np.empty(largest, np.int32)
    for query in range(first, last):
        for chain in range(lists.shape[0]):
            marks[: sizes[query]] = 0
            count = walk(
                query,
                sizes[query],
                orders,
                offsets,
                widths,
                lists[chain],
                keeps[chain],
                n_stages[chain],
                marks,
                kept,
            )
            if count == UNDECIDED:
                hits[chain, query] = UNDECIDED
                continue
            found = 0
            for i in range(count):
                found += kept[i] < n_true[query]
            hits[chain, query] = min(found, wanted[query])


@compiled
def list_results(sizes, orders, offsets, widths, lists, keeps, n_stages, results, decided):
    """Write the last stage's list of one chain for every query.

    Parameters
    ----------
    results
        (n_queries, k) int32 numbers, written; places left over keep what they hold.
    decided
        (n_queries,) bool, written.
    """
    for query in range(results.shape[0]):
        marks = np.zeros(sizes[query], np.int32)
        kept = np.empty(max(sizes[query], 1), np.int32)
        count = walk(
            query,
            sizes[query],
            orders,
            offsets,
            widths,
            lists,
            keeps,
            n_stages,
            marks,
            kept,
        )
        decided[query] = count != UNDECIDED
        for i in range(count):
            results[query, i] = kept[i]
