/* Winnow from C and C++: exact counts of segments over compressed column files.
 *
 *     winnow_store_t *store;
 *     winnow_snapshot_t *snapshot;
 *     winnow_prepared_t *fans;
 *     uint64_t count;
 *     if (winnow_open("shop.winnow", &store) != WINNOW_OK ||
 *         winnow_snapshot(store, &snapshot) != WINNOW_OK ||
 *         winnow_prepare(snapshot, "email opened at least 3 in the last 90 days", NULL, &fans) != WINNOW_OK ||
 *         winnow_count(fans, &count) != WINNOW_OK)
 *         fprintf(stderr, "%s\n", winnow_last_error());
 *
 * Results. Every function that returns int returns WINNOW_OK or a code below; these are the exit codes of
 * the command winnow. winnow_last_error() says more. A function that fails leaves what its result
 * pointers point to as it was.
 *
 * Strings are UTF-8. They end with NUL, unless a length stands beside them.
 *
 * Rules are text (`email opened exists and vip = true`) or JSON, which begins with a brace. Options are a
 * JSON object; its keys are the options of the command with _ for -, such as
 * {"as_of": "2026-01-01T00:00:00Z", "timezone": "Europe/Berlin", "strict": true, "threads": 1}. NULL stands
 * for none.
 *
 * Ownership. What a function hands out belongs to the caller: a handle until winnow_close, winnow_release
 * or winnow_finish ends it, memory until winnow_free. Handles do not need each other: a prepared segment
 * goes on working when its snapshot and its store have been ended. A handle that has been ended is refused
 * with WINNOW_USAGE wherever it is given again, and so is NULL.
 *
 * Threads. Every function may be called on any thread, with the same handle on several at once. A handle
 * that is ended while another thread is in a call with it lives until that call returns. A call uses all
 * cores, unless its options say how many threads. Stacks of 512 KiB are enough for any rule. The library
 * stays in the process when it is closed with dlclose.
 *
 * fork. While no thread is in a call a process may fork, and its child may go on with the handles it has:
 * it opens their files anew when it first uses them. A snapshot or prepared segment that the parent has
 * ended by then may be no more, when the store has been written meanwhile: WINNOW_NOT_FOUND. While a thread
 * is in a call the child may only exec or _exit.
 */
#ifndef WINNOW_H
#define WINNOW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tables are exchanged as Apache Arrow's C data interface lays them down, word for word:
 * https://arrow.apache.org/docs/format/CDataInterface.html */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

/* What functions return. */
enum {
    WINNOW_OK = 0,
    /* Wrong usage: an argument, an option or a rule that makes no sense. */
    WINNOW_USAGE = 64,
    /* Bad input data, or a damaged store. */
    WINNOW_DATA = 65,
    /* No such file, store or saved segment. */
    WINNOW_NOT_FOUND = 66,
    /* The store cannot be created. */
    WINNOW_CANNOT_CREATE = 73,
    /* The system failed, or what became of a commit is not known. */
    WINNOW_IO = 74,
    /* Another writer holds the store: try again. */
    WINNOW_BUSY = 75,
    WINNOW_CANCELLED = 130
};

/* A store: where it is, whatever folder the process goes to. It holds no file open. */
typedef struct winnow_store winnow_store_t;
/* One version of a store. It does not change for as long as the handle lives. */
typedef struct winnow_snapshot winnow_snapshot_t;
/* A segment bound to a version: names are found, windows are instants. */
typedef struct winnow_prepared winnow_prepared_t;

/* The version of the library, such as "0.2.0". The string lives as long as the library. */
const char *winnow_version(void);

/* What went wrong in the last call of this thread, as the command says it in JSON:
 * {"error": {"code": "invalid_rule", "path": "where", "message": "…", "line": 1, "column": 7}}. The text
 * lives until the next call of this thread; NULL when that call succeeded. */
const char *winnow_last_error(void);

/* What the last winnow_call or winnow_load of this thread told beside its answer: warnings and remarks, a
 * line each, which the command writes to standard error. The text lives until the next call of this thread;
 * NULL when there was nothing. */
const char *winnow_last_notes(void);

/* Frees memory that a function handed out; NULL does nothing. */
void winnow_free(void *memory);

/* --- Stores ------------------------------------------------------------------------------------- */

/* Opens the store in a folder. WINNOW_NOT_FOUND when there is none, WINNOW_DATA when it is damaged. */
int winnow_open(const char *path, winnow_store_t **store);

/* Makes an empty store in a folder that is new or empty, and opens it.
 * schema: {"fields": [{"name": "country", "type": "string"}]}, or NULL for none. */
int winnow_create(const char *path, const char *schema, winnow_store_t **store);

/* Ends a store. */
int winnow_close(winnow_store_t *store);

/* The version that is current now. It holds the files of that version until it is released. */
int winnow_snapshot(const winnow_store_t *store, winnow_snapshot_t **snapshot);

/* Ends a snapshot. */
int winnow_release(winnow_snapshot_t *snapshot);

/* --- Segments ----------------------------------------------------------------------------------- */

/* Binds a rule to a version, as of now or of the options' instant; that instant stays. Takes some 30 µs.
 * options: as_of, timezone, strict, threads; or NULL. */
int winnow_prepare(const winnow_snapshot_t *snapshot, const char *rule, const char *options,
                   winnow_prepared_t **prepared);

/* Ends a prepared segment. */
int winnow_finish(winnow_prepared_t *prepared);

/* Counts the profiles of a prepared segment, exactly. */
int winnow_count(const winnow_prepared_t *prepared, uint64_t *count);

/* Counts several rules, all as of the same instant, in one pass; all are checked before any is evaluated.
 * options: as winnow_prepare.
 * results: a JSON array with an object for each rule, as `winnow count --format json` prints it: count,
 * universe, warnings, windows and more. Free it with winnow_free. */
int winnow_count_many(const winnow_snapshot_t *snapshot, const char *const *rules, size_t rule_count,
                      const char *options, char **results);

/* The ids of the profiles, in the order of their rows.
 * count: how many.
 * offsets: count + 1 numbers; id i is the bytes offsets[i] … offsets[i + 1] of text, without NUL. This is
 * what Arrow calls large_utf8. Free it with winnow_free.
 * text: all ids; freed by itself. It is not NULL even when there are no ids. */
int winnow_ids(const winnow_prepared_t *prepared, size_t *count, int64_t **offsets, char **text);

/* The row numbers of the profiles, ascending. A row number stays a profile's own for as long as the store
 * lives. Free rows with winnow_free. */
int winnow_rows(const winnow_prepared_t *prepared, size_t *count, uint32_t **rows);

/* The row numbers as a Roaring bitmap in the portable format, which CRoaring and its kin read. Free bytes
 * with winnow_free. */
int winnow_bitmap(const winnow_prepared_t *prepared, size_t *size, uint8_t **bytes);

/* The profiles as an Arrow stream, in the order of their rows: a column "id", and one for each field. Their types
 * are large_utf8, int64, decimal128(18, scale), bool, date32, timestamp[ms, UTC], and list of large_utf8 for sets.
 * options: {"fields": ["country", "ltv"], "limit": 1000}; without fields all are given, and none for [].
 * stream: room for one, whose release is to be called in the end. It goes on when the handles it came from have
 * been ended, and is to be used by one thread at a time. */
int winnow_export_arrow(const winnow_prepared_t *prepared, const char *options, struct ArrowArrayStream *stream);

/* --- Loading, and every other command ----------------------------------------------------------- */

/* Loads rows as one batch: all of it becomes visible at once and durably, or nothing does.
 * kind: profiles, events, campaigns, templates, subscriptions, goals, or feed.
 * data: CSV or NDJSON, and size its bytes; the options then have "format". It is only read. With NULL the
 * options have "files": ["events.csv"].
 * options: those of `winnow load`, such as {"format": "csv", "unknown_profiles": "create", "batch": "night 7"};
 * "map" may be a mapping itself. Or NULL.
 * summary: what was loaded, as `winnow load --summary json` prints it; freed with winnow_free. NULL when it is
 * not wanted. */
int winnow_load(const winnow_store_t *store, const char *kind, const char *data, size_t size,
                const char *options, char **summary);

/* Loads the rows of an Arrow stream, read where they are, as one batch.
 * stream: what a producer has filled in; it is used up and released, whatever is returned. Its record batches have
 * a column for each column of the kind: utf8, large_utf8, utf8_view; dictionaries; integers; floats, as the
 * shortest decimal that reads back, NaN for no value; bool; decimal128; date32; timestamps, those without a zone
 * by the option "timezone"; lists of utf8 for sets. Text is read as in a cell of CSV. A null says nothing of the
 * column; with {"empty": "clear"} it takes the stored value away. All batches are of the stream's schema; the
 * library cannot see when one is not.
 * kind, options, summary: as winnow_load; of the options, those that say how text is laid out do not matter. */
int winnow_load_arrow(const winnow_store_t *store, const char *kind, struct ArrowArrayStream *stream,
                      const char *options, char **summary);

/* Calls a command of the command line.
 * target: a winnow_snapshot_t, whose version is read; a winnow_store_t, whose newest version is; or NULL for
 * commands that need no store, or whose arguments name one as "store". What writes or verifies goes to the
 * newest version in any case.
 * command: "explain", "show", "breakdown", "overlap", "export", "erase", "segment save" and so on.
 * arguments: what the command takes, as an object: options by their names with _ for -, what stands by place by
 * the name that help gives it. Rules, mappings, schemas and lists of ids may stand in it as they are:
 * {"rule": "vip = true", "by": ["country"]}, {"profiles": ["u1", "u2"]}. Or NULL for none.
 * result: a JSON array of what the command prints with --format json, a value a line; freed with winnow_free.
 * NULL when it is not wanted. "verify" that finds something wrong returns WINNOW_DATA, and has this result
 * all the same. */
int winnow_call(const void *target, const char *command, const char *arguments, char **result);

#ifdef __cplusplus
}
#endif

#endif
