/* What winnow.h promises beside right answers: misuse is an error, threads and forks are fine.
 *
 *     door STORE misuse|threads|fork|writing|tables
 *
 * STORE is an absolute path. Prints "ok", or the line of the first promise that does not hold. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <winnow.h>

#define CHECK(condition)                                                                                    \
    do {                                                                                                    \
        if (!(condition)) {                                                                                 \
            const char *error = winnow_last_error();                                                        \
            printf("line %d: %s; %s\n", __LINE__, #condition, error ? error : "no error");                  \
            fflush(stdout);                                                                                 \
            _exit(1);                                                                                       \
        }                                                                                                   \
    } while (0)

static const char *options = "{\"as_of\": \"2025-10-15T00:00:00Z\"}";
static const char *rules[] = {"email opened exists", "not email clicked exists", "country = \"DE\""};
enum { RULES = 3 };
static winnow_store_t *store;
static winnow_snapshot_t *snapshot;
static winnow_prepared_t *prepared[RULES];
static uint64_t expected[RULES];

static const char *path;
static char folder[4096];

static void open_all(void) {
    CHECK(winnow_open(path, &store) == WINNOW_OK);
    CHECK(winnow_snapshot(store, &snapshot) == WINNOW_OK);
    for (int i = 0; i < RULES; i++) {
        CHECK(winnow_prepare(snapshot, rules[i], options, &prepared[i]) == WINNOW_OK);
        CHECK(winnow_count(prepared[i], &expected[i]) == WINNOW_OK);
    }
    CHECK(expected[0] > 0 && expected[1] > expected[0]);
}

static int error_has(const char *text) {
    const char *error = winnow_last_error();
    return error != NULL && strstr(error, text) != NULL;
}

static void misuse(void) {
    winnow_store_t *other = NULL;
    winnow_snapshot_t *version = NULL;
    winnow_prepared_t *segment = NULL;
    uint64_t count = 7;
    size_t size;
    uint8_t *bytes;
    int64_t *offsets;
    char *text;
    // NULL, wherever it is no choice.
    CHECK(winnow_open(NULL, &other) == WINNOW_USAGE && error_has("path is NULL"));
    CHECK(winnow_open("x", NULL) == WINNOW_USAGE && error_has("store is NULL"));
    CHECK(winnow_create(NULL, NULL, &other) == WINNOW_USAGE);
    CHECK(winnow_close(NULL) == WINNOW_USAGE && winnow_release(NULL) == WINNOW_USAGE);
    CHECK(winnow_finish(NULL) == WINNOW_USAGE && error_has("prepared segment is NULL"));
    CHECK(winnow_snapshot(NULL, &version) == WINNOW_USAGE && winnow_snapshot(store, NULL) == WINNOW_USAGE);
    CHECK(winnow_prepare(NULL, "x", NULL, &segment) == WINNOW_USAGE);
    CHECK(winnow_prepare(snapshot, NULL, NULL, &segment) == WINNOW_USAGE && error_has("rule is NULL"));
    CHECK(winnow_prepare(snapshot, rules[0], NULL, NULL) == WINNOW_USAGE);
    CHECK(winnow_count(NULL, &count) == WINNOW_USAGE && winnow_count(prepared[0], NULL) == WINNOW_USAGE);
    CHECK(winnow_count_many(snapshot, NULL, 2, NULL, &text) == WINNOW_USAGE);
    CHECK(winnow_count_many(snapshot, rules, 2, NULL, NULL) == WINNOW_USAGE);
    CHECK(winnow_count_many(snapshot, rules, SIZE_MAX, NULL, &text) == WINNOW_USAGE && error_has("rule_count"));
    CHECK(winnow_count_many(snapshot, rules, 0, NULL, &text) == WINNOW_USAGE && error_has("no rule"));
    CHECK(winnow_ids(prepared[0], NULL, &offsets, &text) == WINNOW_USAGE);
    CHECK(winnow_ids(prepared[0], &size, NULL, &text) == WINNOW_USAGE);
    CHECK(winnow_ids(prepared[0], &size, &offsets, NULL) == WINNOW_USAGE);
    CHECK(winnow_rows(prepared[0], &size, NULL) == WINNOW_USAGE);
    CHECK(winnow_bitmap(prepared[0], NULL, &bytes) == WINNOW_USAGE);
    CHECK(winnow_load(store, NULL, NULL, 0, NULL, NULL) == WINNOW_USAGE);
    CHECK(winnow_call(store, NULL, NULL, &text) == WINNOW_USAGE);
    winnow_free(NULL);
    // No results where something failed.
    CHECK(other == NULL && version == NULL && segment == NULL && count == 7);
    // Texts that are none, stores that are not there, keys that nobody knows.
    CHECK(winnow_open("\xff", &other) == WINNOW_USAGE && error_has("not UTF-8"));
    CHECK(winnow_open("/nowhere/at/all", &other) == WINNOW_NOT_FOUND && error_has("\"not_found\""));
    CHECK(winnow_prepare(snapshot, "email opned exists", NULL, &segment) == WINNOW_USAGE);
    CHECK(error_has("\"line\": 1, \"column\": 7"));
    CHECK(winnow_prepare(snapshot, rules[0], "{\"threads\": 0}", &segment) == WINNOW_USAGE);
    CHECK(winnow_prepare(snapshot, rules[0], "{\"tread\": 1}", &segment) == WINNOW_USAGE && error_has("tread"));
    CHECK(winnow_prepare(snapshot, rules[0], "[", &segment) == WINNOW_USAGE && error_has("not JSON"));
    CHECK(winnow_count_many(snapshot, (const char *[]){rules[0], "vip ="}, 2, NULL, &text) == WINNOW_USAGE);
    CHECK(winnow_call(snapshot, "explian", NULL, &text) == WINNOW_USAGE && error_has("explain"));
    CHECK(winnow_call(prepared[0], "info", NULL, &text) == WINNOW_USAGE);
    // A call that succeeds takes the error away, and only its own thread's.
    CHECK(winnow_count(prepared[0], &count) == WINNOW_OK && winnow_last_error() == NULL);
    // So it is with what was told beside an answer.
    const char *unknown = "{\"rule\": \"email clicked at least 1 in campaigns tagged \\\"nosuch\\\"\", "
                          "\"by\": [\"country\"]}";
    CHECK(winnow_call(snapshot, "breakdown", unknown, &text) == WINNOW_OK);
    CHECK(winnow_last_notes() != NULL && strstr(winnow_last_notes(), "nosuch") != NULL);
    winnow_free(text);
    CHECK(winnow_count(prepared[0], &count) == WINNOW_OK && winnow_last_notes() == NULL);
    // Handles of another kind, and such as have ended.
    CHECK(winnow_count((winnow_prepared_t *)store, &count) == WINNOW_USAGE && error_has("no prepared segment"));
    CHECK(winnow_close((winnow_store_t *)snapshot) == WINNOW_USAGE);
    CHECK(winnow_snapshot((winnow_store_t *)&count, &version) == WINNOW_USAGE);
    // Handles outlive what they were made of.
    CHECK(winnow_close(store) == WINNOW_OK && winnow_close(store) == WINNOW_USAGE && error_has("has ended"));
    CHECK(winnow_release(snapshot) == WINNOW_OK);
    CHECK(winnow_prepare(snapshot, rules[0], options, &segment) == WINNOW_USAGE);
    CHECK(winnow_count(prepared[0], &count) == WINNOW_OK && count == expected[0]);
    CHECK(winnow_finish(prepared[0]) == WINNOW_OK && winnow_count(prepared[0], &count) == WINNOW_USAGE);
}

static void *count_many_times(void *unused) {
    for (int round = 0; round < 500; round++) {
        int i = round % RULES;
        uint64_t count = 0;
        CHECK(winnow_count(prepared[i], &count) == WINNOW_OK && count == expected[i]);
        winnow_prepared_t *own;
        CHECK(winnow_prepare(snapshot, rules[i], options, &own) == WINNOW_OK);
        CHECK(winnow_count(own, &count) == WINNOW_OK && count == expected[i]);
        CHECK(winnow_finish(own) == WINNOW_OK);
        // Errors are each thread's own.
        CHECK(winnow_prepare(snapshot, "nothing", NULL, &own) == WINNOW_USAGE && winnow_last_error() != NULL);
    }
    return unused;
}

static void threads(void) {
    pthread_t all[8];
    for (int i = 0; i < 8; i++) CHECK(pthread_create(&all[i], NULL, count_many_times, NULL) == 0);
    for (int i = 0; i < 8; i++) CHECK(pthread_join(all[i], NULL) == 0);
}

/* The status of a child that does some work, and then exits or is stopped after ten seconds. */
static int in_child(void (*work)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        work();
        _exit(0);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

static void count_all(void) {
    char *text;
    for (int i = 0; i < RULES; i++) {
        uint64_t count;
        CHECK(winnow_count(prepared[i], &count) == WINNOW_OK && count == expected[i]);
    }
    CHECK(winnow_call(snapshot, "explain", "{\"rule\": \"not email clicked exists\"}", &text) == WINNOW_OK);
    winnow_free(text);
}

static void count_and_end_all(void) {
    count_all();
    CHECK(in_child(count_all) == 0);
    for (int i = 0; i < RULES; i++) CHECK(winnow_finish(prepared[i]) == WINNOW_OK);
    CHECK(winnow_release(snapshot) == WINNOW_OK && winnow_close(store) == WINNOW_OK);
}

static void end_unused(void) {
    for (int i = 0; i < RULES; i++) CHECK(winnow_finish(prepared[i]) == WINNOW_OK);
    CHECK(winnow_release(snapshot) == WINNOW_OK);
}

static void nothing(void) {}

static void forks(void) {
    for (int i = 0; i < 20; i++) {
        CHECK(in_child(count_and_end_all) == 0);
        CHECK(in_child(end_unused) == 0);
        count_all();
    }
    // Amid calls of other threads a child may exit, and its parent goes on.
    pthread_t all[4];
    for (int i = 0; i < 4; i++) CHECK(pthread_create(&all[i], NULL, count_many_times, NULL) == 0);
    for (int i = 0; i < 100; i++) CHECK(in_child(nothing) == 0);
    for (int i = 0; i < 4; i++) CHECK(pthread_join(all[i], NULL) == 0);
    count_all();
    // What children have ended is still held by their parent.
    char *text;
    const char *row = "{\"id\": \"of the parent\"}\n";
    CHECK(winnow_load(store, "profiles", row, strlen(row), "{\"format\": \"ndjson\"}", NULL) == WINNOW_OK);
    CHECK(winnow_call(store, "compact", NULL, &text) == WINNOW_OK && strstr(text, "\"versions_held\": 1"));
    winnow_free(text);
    count_all();
}

static void writing(void) {
    // A relative path stays the same place.
    CHECK(winnow_close(store) == WINNOW_OK && chdir(strcat(strcpy(folder, path), "/..")) == 0);
    CHECK(winnow_open(strrchr(path, '/') + 1, &store) == WINNOW_OK && chdir("/") == 0);
    const char *good = "id,country\n\"a\",DE\nb,FR\n";
    const char *bad = "id,nonsense\n";
    char *text = NULL;
    uint64_t count;
    winnow_snapshot_t *after;
    winnow_prepared_t *germans;
    CHECK(winnow_load(store, "profiles", good, strlen(good), "{\"format\": \"csv\", \"batch\": \"b\"}", &text) == 0);
    CHECK(strstr(text, "\"rows\": 2") != NULL && text[0] == '{');
    winnow_free(text);
    CHECK(winnow_load(store, "profiles", bad, strlen(bad), "{\"format\": \"csv\"}", NULL) == WINNOW_DATA);
    CHECK(error_has("nonsense"));
    CHECK(winnow_load(store, "profiles", good, strlen(good), NULL, NULL) == WINNOW_USAGE && error_has("format"));
    CHECK(winnow_load(store, "everything", good, 1, "{\"format\": \"csv\"}", NULL) == WINNOW_USAGE);
    // The version that was open stays as it is.
    CHECK(winnow_count(prepared[2], &count) == WINNOW_OK && count == expected[2]);
    CHECK(winnow_snapshot(store, &after) == WINNOW_OK);
    CHECK(winnow_prepare(after, rules[2], options, &germans) == WINNOW_OK);
    CHECK(winnow_count(germans, &count) == WINNOW_OK && count == expected[2] + 1);

    size_t ids, numbers, size;
    int64_t *offsets;
    uint32_t *rows;
    uint8_t *bytes;
    CHECK(winnow_ids(germans, &ids, &offsets, &text) == WINNOW_OK && ids == count && offsets[0] == 0);
    CHECK(offsets[ids] - offsets[ids - 1] == 1 && text[offsets[ids - 1]] == 'a');
    CHECK(winnow_rows(germans, &numbers, &rows) == WINNOW_OK && numbers == count);
    for (size_t i = 1; i < numbers; i++) CHECK(rows[i - 1] < rows[i]);
    CHECK(winnow_bitmap(germans, &size, &bytes) == WINNOW_OK && size == 16 + 2 * count);
    CHECK(bytes[0] == 0x3A && bytes[1] == 0x30);
    winnow_free(offsets);
    winnow_free(text);
    winnow_free(rows);
    winnow_free(bytes);
    CHECK(winnow_finish(germans) == WINNOW_OK);
    CHECK(winnow_prepare(after, "id = \"nobody\"", NULL, &germans) == WINNOW_OK);
    CHECK(winnow_ids(germans, &ids, &offsets, &text) == WINNOW_OK && ids == 0 && offsets[0] == 0 && text);
    winnow_free(offsets);
    winnow_free(text);

    CHECK(winnow_finish(germans) == WINNOW_OK && winnow_release(after) == WINNOW_OK);
    CHECK(winnow_call(store, "erase", "{\"profiles\": [\"a\", \"b\"]}", &text) == WINNOW_OK);
    CHECK(strstr(text, "\"erased\": 2") != NULL);
    winnow_free(text);
    CHECK(winnow_call(NULL, "catalog", "{}", &text) == WINNOW_OK && text[0] == '[');
    winnow_free(text);
    CHECK(winnow_create("/", NULL, &store) == WINNOW_CANNOT_CREATE);
}

/* A stream of one batch with one column of texts; what is wrong with it, a test sets. */
static int released[3];
static int64_t row_count, batch_columns, schema_columns;
static int has_children;
static const char *root_format, *column_format;
static int schema_code, next_code, batches_given;
static int32_t ends[4];

static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
    released[0]++;
}

static void release_array(struct ArrowArray *array) {
    array->release = NULL;
    released[1]++;
}

static void release_stream(struct ArrowArrayStream *stream) {
    stream->release = NULL;
    released[2]++;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    static struct ArrowSchema child, *children[1] = {&child};
    (void)stream;
    if (schema_code) return schema_code;
    child = (struct ArrowSchema){.format = column_format, .name = "id"};
    *out = (struct ArrowSchema){.format = root_format, .name = "", .n_children = schema_columns,
                                .children = has_children ? children : NULL, .release = release_schema};
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    static const void *root_buffers[1], *buffers[3];
    static struct ArrowArray child, *children[1] = {&child};
    (void)stream;
    *out = (struct ArrowArray){0};
    if (next_code) return next_code;
    if (batches_given++) return 0;
    buffers[1] = ends;
    buffers[2] = "xyz";
    child = (struct ArrowArray){.length = row_count, .n_buffers = 3, .buffers = buffers};
    *out = (struct ArrowArray){.length = row_count, .n_buffers = 1, .buffers = root_buffers,
                               .n_children = batch_columns, .children = has_children ? children : NULL,
                               .release = release_array};
    return 0;
}

static const char *last_stream_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return "the source went away";
}

/* A stream with nothing wrong. */
static struct ArrowArrayStream sound(void) {
    row_count = 3;
    batch_columns = schema_columns = has_children = 1;
    root_format = "+s";
    column_format = "u";
    schema_code = next_code = batches_given = 0;
    for (int i = 0; i < 4; i++) ends[i] = i;
    memset(released, 0, sizeof released);
    return (struct ArrowArrayStream){.get_schema = get_schema, .get_next = get_next,
                                     .get_last_error = last_stream_error, .release = release_stream};
}

static int load_stream(struct ArrowArrayStream *stream, const char *own) {
    return winnow_load_arrow(store, "profiles", stream, own, NULL);
}

static void tables(void) {
    struct ArrowArrayStream stream = sound();
    char *text;
    winnow_prepared_t *all;
    CHECK(winnow_load_arrow(store, "profiles", &stream, "{\"batch\": \"1\"}", &text) == WINNOW_OK);
    CHECK(strstr(text, "\"new\": 3") != NULL);
    winnow_free(text);
    /* Everything is released once, and the caller's stream says so. */
    CHECK(stream.release == NULL && released[0] == 1 && released[1] == 1 && released[2] == 1);
    CHECK(load_stream(&stream, NULL) == WINNOW_USAGE && error_has("released"));
    stream = sound();
    CHECK(winnow_load_arrow(store, "profiles", &stream, "{\"batch\": \"1\"}", &text) == WINNOW_OK);
    CHECK(strstr(text, "\"repeated\": true") != NULL && released[2] == 1);
    winnow_free(text);

    /* Whatever is wrong, nothing is stored, and everything is released. */
    struct { const char *says; int code; } expected;
    for (int wrong = 0; wrong < 15; wrong++) {
        const char *kind = "profiles", *own = NULL;
        stream = sound();
        expected.code = WINNOW_DATA;
        switch (wrong) {
        case 0: root_format = "u"; expected.says = "structs"; break;
        case 1: column_format = "z"; expected.says = "cast it"; break;
        case 2: column_format = NULL; expected.says = "cast it"; break;
        case 3: row_count = -1; expected.says = "out of range"; break;
        case 4: row_count = INT64_MAX; expected.says = "out of range"; break;
        case 5: batch_columns = 0; expected.says = "0 columns"; break;
        case 6: ends[1] = -5; expected.says = "outside"; break;
        case 7: ends[2] = 0; expected.says = "outside"; break;
        case 8: schema_code = 5; expected.says = "went away"; expected.code = WINNOW_IO; break;
        case 9: next_code = 5; expected.says = "went away"; expected.code = WINNOW_IO; break;
        case 10: own = "{\"format\": \"csv\"}"; expected.says = "no format"; expected.code = WINNOW_USAGE; break;
        case 11: own = "{"; expected.says = "JSON"; expected.code = WINNOW_USAGE; break;
        case 12: schema_columns = -1; expected.says = "-1 columns"; break;
        case 13: has_children = 0; expected.says = "no type"; break;
        case 14: kind = "people"; expected.says = "people"; expected.code = WINNOW_USAGE; break;
        }
        CHECK(winnow_load_arrow(store, kind, &stream, own, NULL) == expected.code);
        CHECK(error_has(expected.says));
        CHECK(stream.release == NULL && released[2] == 1 && released[1] <= 1);
        CHECK(released[1] == (batches_given > 0) && released[0] == !schema_code);
    }
    stream = sound();
    CHECK(winnow_load_arrow(NULL, "profiles", &stream, NULL, NULL) == WINNOW_USAGE && released[2] == 1);
    CHECK(winnow_load_arrow(store, "profiles", NULL, NULL, NULL) == WINNOW_USAGE);

    winnow_snapshot_t *now;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    CHECK(winnow_snapshot(store, &now) == WINNOW_OK);
    CHECK(winnow_prepare(now, "id in (\"x\", \"y\", \"z\", \"ada\")", NULL, &all) == WINNOW_OK);
    CHECK(winnow_export_arrow(all, "{\"fields\": [\"nothing\"]}", &stream) == WINNOW_USAGE && error_has("nothing"));
    CHECK(winnow_export_arrow(all, "{\"limit\": -1}", &stream) == WINNOW_USAGE && error_has("limit"));
    CHECK(winnow_export_arrow(all, "{\"fields\": \"id\"}", &stream) == WINNOW_USAGE && error_has("fields"));
    CHECK(winnow_export_arrow(all, NULL, NULL) == WINNOW_USAGE);
    CHECK(winnow_export_arrow(NULL, NULL, &stream) == WINNOW_USAGE);
    CHECK(winnow_export_arrow(all, NULL, &stream) == WINNOW_OK);
    CHECK(winnow_finish(all) == WINNOW_OK && winnow_release(now) == WINNOW_OK);
    CHECK(stream.get_schema(&stream, NULL) != 0 && stream.get_last_error(&stream) != NULL);
    CHECK(stream.get_schema(&stream, &schema) == 0 && strcmp(schema.format, "+s") == 0 && schema.n_children > 5);
    CHECK(strcmp(schema.children[0]->name, "id") == 0 && strcmp(schema.children[0]->format, "U") == 0);
    CHECK(stream.get_next(&stream, &batch) == 0 && batch.length == 4 && batch.n_children == schema.n_children);
    /* A child may be taken out, and lives on. */
    struct ArrowArray ids = *batch.children[0];
    batch.children[0]->release = NULL;
    batch.release(&batch);
    schema.release(&schema);
    const int64_t *offsets = ids.buffers[1];
    CHECK(offsets[4] == 6 && memcmp(ids.buffers[2], "adaxyz", 6) == 0);
    ids.release(&ids);
    CHECK(ids.release == NULL && batch.release == NULL && schema.release == NULL);
    CHECK(stream.get_next(&stream, &batch) == 0 && batch.release == NULL);
    stream.release(&stream);
    CHECK(stream.release == NULL);
}

int main(int argc, char **argv) {
    if (argc != 3) return WINNOW_USAGE;
    path = argv[1];
    open_all();
    if (strcmp(argv[2], "misuse") == 0) misuse();
    else if (strcmp(argv[2], "threads") == 0) threads();
    else if (strcmp(argv[2], "fork") == 0) forks();
    else if (strcmp(argv[2], "writing") == 0) writing();
    else if (strcmp(argv[2], "tables") == 0) tables();
    else return WINNOW_USAGE;
    /* What was opened here; some parts end it themselves, or open something else in its place. */
    for (int i = 0; i < RULES; i++) winnow_finish(prepared[i]);
    winnow_release(snapshot);
    winnow_close(store);
    printf("ok\n");
    return 0;
}
