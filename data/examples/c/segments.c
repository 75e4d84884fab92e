/* Counts segments from C: opens a store, counts, lists ids, and asks why.
 *
 *     cc segments.c $(pkg-config --cflags --libs winnow) -o segments
 *     ./segments shop.winnow 'email opened exists'
 */
#include <inttypes.h>
#include <stdio.h>
#include <winnow.h>

static int fail(int code) {
    const char *error = winnow_last_error();
    fprintf(stderr, "%s\n", error ? error : "unknown error");
    return code;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: segments STORE RULE\n");
        return WINNOW_USAGE;
    }
    const char *options = "{\"as_of\": \"2025-10-15T00:00:00Z\"}";
    winnow_store_t *store = NULL;
    winnow_snapshot_t *snapshot = NULL;
    winnow_prepared_t *segment = NULL;
    int code;
    if ((code = winnow_open(argv[1], &store)) != WINNOW_OK ||
        (code = winnow_snapshot(store, &snapshot)) != WINNOW_OK ||
        (code = winnow_prepare(snapshot, argv[2], options, &segment)) != WINNOW_OK)
        return fail(code);

    uint64_t count;
    if ((code = winnow_count(segment, &count)) != WINNOW_OK) return fail(code);
    printf("%" PRIu64 " profiles\n", count);

    size_t ids;
    int64_t *offsets;
    char *text;
    if ((code = winnow_ids(segment, &ids, &offsets, &text)) != WINNOW_OK) return fail(code);
    for (size_t i = 0; i < ids; i++)
        printf("  %.*s\n", (int)(offsets[i + 1] - offsets[i]), text + offsets[i]);
    winnow_free(offsets);
    winnow_free(text);

    char *info;
    if ((code = winnow_call(snapshot, "info", NULL, &info)) != WINNOW_OK) return fail(code);
    printf("%s\n", info);
    winnow_free(info);

    winnow_finish(segment);
    winnow_release(snapshot);
    winnow_close(store);
    return 0;
}
