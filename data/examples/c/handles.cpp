// Handles that end by themselves, and errors as exceptions: a dozen lines on top of winnow.h.
//
//     c++ -std=c++17 handles.cpp $(pkg-config --cflags --libs winnow) -o handles
//     ./handles shop.winnow
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <winnow.h>

static void check(int code) {
    if (code != WINNOW_OK) throw std::runtime_error(winnow_last_error());
}

template <auto End> struct Ends {
    template <class Handle> void operator()(Handle *handle) const { End(handle); }
};
using Store = std::unique_ptr<winnow_store_t, Ends<winnow_close>>;
using Snapshot = std::unique_ptr<winnow_snapshot_t, Ends<winnow_release>>;
using Text = std::unique_ptr<char, Ends<winnow_free>>;

static Store open(const char *path) {
    winnow_store_t *store;
    check(winnow_open(path, &store));
    return Store(store);
}

static Snapshot newest(const Store &store) {
    winnow_snapshot_t *snapshot;
    check(winnow_snapshot(store.get(), &snapshot));
    return Snapshot(snapshot);
}

static std::string call(const Snapshot &snapshot, const char *command, const std::string &arguments) {
    char *result;
    check(winnow_call(snapshot.get(), command, arguments.c_str(), &result));
    return Text(result).get();
}

int main(int argc, char **argv) {
    if (argc != 2) return WINNOW_USAGE;
    try {
        auto snapshot = newest(open(argv[1]));
        std::cout << call(snapshot, "breakdown", R"({"rule": "email opened exists", "by": ["country"]})") << "\n";
        const char *rules[] = {"email opened exists", "not push clicked exists"};
        char *counts;
        check(winnow_count_many(snapshot.get(), rules, 2, R"({"as_of": "2025-10-15T00:00:00Z"})", &counts));
        std::cout << Text(counts).get() << "\n";
        call(snapshot, "count", R"({"rule": "email opned exists"})");
    } catch (const std::exception &error) {
        std::cout << error.what() << "\n";
    }
}
