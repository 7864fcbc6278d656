// Proves that the indexes of a table hold what its rows hold, and nothing more, from the pages of the file: two SQL functions.
//
//   program_export_trees(schema, plan)   begins with one table of a schema, returns a number; plan: see Proof::read_plan
//   program_export_proved(number)        goes on for some pages: NULL while there is more, then 1 (proved) or 0, and the end
//
// What is proved: no row and no entry holds a byte beyond its columns; each index is in order, and if it is unique, it has
// no key twice; it has as many entries as the table has rows, and the sum of their hashes (128 bits, by a key made for this
// one proof) is that of the rows. So each index is the one that SQLite would build. 0 says only that this is not proved.
//
// The format: https://www.sqlite.org/fileformat2.html. The pages are read by SQLite's own file, so no lock of it is lost.
// They must be written: there is no open write transaction, and no WAL. Only BINARY columns are compared, as bytes.
// A value that does not lie within its page is not followed: so memory is that of a few pages.

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3  // rows.cpp has the other half

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <vector>

namespace {

typedef const unsigned char *Bytes;
constexpr int PAGES_AT_ONCE = 2000;  // some milliseconds
constexpr size_t WINDOW = 64 * 1024;  // bytes read at once
constexpr size_t DEEPEST = 40;
struct NotProved {};  // thrown; never leaves this file

void need(bool fact) {
    if (!fact) throw NotProved();
}

uint32_t big(Bytes at, int size) {
    uint32_t number = 0;
    while (size--) number = number << 8 | *at++;
    return number;
}

uint64_t varint(Bytes &at, Bytes end) {
    uint64_t number = 0;
    for (int i = 0; i < 8; ++i) {
        need(at < end);
        number = number << 7 | (*at & 0x7f);
        if (!(*at++ & 0x80)) return number;
    }
    need(at < end);
    return number << 8 | *at++;
}

uint64_t word(Bytes at, size_t size) {
    uint64_t found = 0;
    std::memcpy(&found, at, size);
    return found;
}

// ---- values as they are stored

struct Field {
    uint64_t type;
    Bytes at;
    size_t size;
    int kind() const { return type == 0 ? 0 : type < 12 ? 1 : type & 1 ? 2 : 3; }  // NULL, number, text, BLOB
    bool is_whole() const { return type != 7; }

    int64_t whole() const {
        if (type == 8 || type == 9) return static_cast<int64_t>(type - 8);
        uint64_t number = *at & 0x80 ? ~uint64_t(0) : 0;
        for (size_t i = 0; i < size; ++i) number = number << 8 | at[i];
        return static_cast<int64_t>(number);
    }

    double real() const {
        uint64_t bits = uint64_t(big(at, 4)) << 32 | big(at + 4, 4);
        double number;
        std::memcpy(&number, &bits, sizeof number);
        return number;
    }
};

size_t size_of(uint64_t type) {
    static const unsigned char sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
    need(type != 10 && type != 11);
    return type < 10 ? sizes[type] : static_cast<size_t>((type - 12) / 2);
}

template <class Number> int sign(Number a, Number b) { return a < b ? -1 : a > b; }

int compared_to_real(int64_t whole, double real) {  // as SQLite does
    if (real < -9223372036854775808.0) return 1;
    if (!(real < 9223372036854775808.0)) return -1;
    int found = sign(whole, static_cast<int64_t>(real));
    return found ? found : sign(static_cast<double>(whole), real);
}

int compared(const Field &a, const Field &b) {
    if (int found = sign(a.kind(), b.kind())) return found;
    if (a.kind() == 0) return 0;
    if (a.kind() == 1) {
        if (a.is_whole()) return b.is_whole() ? sign(a.whole(), b.whole()) : compared_to_real(a.whole(), b.real());
        return b.is_whole() ? -compared_to_real(b.whole(), a.real()) : sign(a.real(), b.real());
    }
    int found = std::memcmp(a.at, b.at, a.size < b.size ? a.size : b.size);
    return found ? found : sign(a.size, b.size);
}

// A record's fields. Its payload may go on outside of the page: those fields have no bytes (at is null).
void read_record(Bytes at, size_t local, uint64_t payload, std::vector<Field> &fields) {
    fields.clear();
    const Bytes end = at + local;
    Bytes header = at;
    const uint64_t length = varint(header, end);
    need(length <= local);
    const Bytes body = at + length;
    uint64_t place = length;
    while (header < body) {
        const uint64_t type = varint(header, body);
        const size_t size = size_of(type);
        need(size <= payload - place);
        fields.push_back({type, place + size <= local ? at + place : nullptr, size});
        place += size;
    }
    need(header == body && place == payload);  // not a byte beyond the columns
}

// ---- a sum that does not depend on the order

struct Sum {
    uint64_t rows = 0, a = 0, b = 0;
    bool operator==(const Sum &other) const { return rows == other.rows && a == other.a && b == other.b; }
};

struct Key {
    uint64_t a, b;
};

uint64_t mixed(uint64_t x) {
    x = (x ^ x >> 33) * 0xff51afd7ed558ccdULL;
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

struct Hash {
    uint64_t a, b;
    explicit Hash(const Key &key) : a(key.a), b(key.b) {}

    void add(uint64_t x) {
        a = (a ^ x) * 0x87c37b91114253d5ULL;
        a ^= a >> 32;
        b = (b + (x << 31 | x >> 33)) * 0x4cf5ad432745937fULL;
        b ^= b >> 29;
    }

    void add(const Field &field) {
        need(field.at || !field.size);
        add(field.type);
        size_t done = 0;
        for (; done + 8 <= field.size; done += 8) add(word(field.at + done, 8));
        if (done < field.size) add(word(field.at + done, field.size - done));
    }

    void into(Sum &sum, const Key &key) const {
        ++sum.rows;
        sum.a += mixed(a + mixed(b ^ key.b));
        sum.b += mixed(b ^ mixed(a + key.a));
    }
};

// ---- the pages of a file

class Pages {
public:
    bool open(sqlite3 *connection, const char *schema) {
        unsigned char head[100];
        if (sqlite3_file_control(connection, schema, SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return false;
        if (!file || !file->pMethods || file->pMethods->xRead(file, head, sizeof head, 0) != SQLITE_OK) return false;
        size = big(head + 16, 2) == 1 ? 65536 : big(head + 16, 2);
        usable = size - head[20];
        sqlite3_int64 bytes = 0;
        if (size < 512 || usable < 480 || file->pMethods->xFileSize(file, &bytes) != SQLITE_OK) return false;
        count = bytes / size;
        window.resize(WINDOW);
        return true;
    }

    Bytes page(uint32_t number) {  // until the next call
        need(number > 1 && number <= count);
        if (number < first || number >= first + held) {
            const sqlite3_int64 left = count - number + 1, fit = WINDOW / size;
            held = static_cast<uint32_t>(left < fit ? left : fit);
            first = number;
            const sqlite3_int64 place = static_cast<sqlite3_int64>(number - 1) * size;
            if (file->pMethods->xRead(file, window.data(), static_cast<int>(held * size), place) != SQLITE_OK) {
                held = 0;
                throw NotProved();
            }
        }
        return window.data() + static_cast<size_t>(number - first) * size;
    }

    uint32_t size = 0, usable = 0;
    sqlite3_int64 count = 0;

private:
    sqlite3_file *file = nullptr;
    uint32_t first = 0, held = 0;
    std::vector<unsigned char> window;
};

enum Kind : unsigned char { INDEX_INNER = 2, TABLE_INNER = 5, INDEX_LEAF = 10, TABLE_LEAF = 13 };

// Walks a tree in its order. ``see`` takes each cell, from behind the number of its left child.
class Walk {
public:
    Walk(Pages &pages, uint32_t root, bool is_table) : pages(pages), is_table(is_table), next(root) {}

    template <class See> bool step(See see) {  // one page more; whether there is more
        if (next) {
            need(++seen <= pages.count);  // in a broken tree a page may be its own child
            const Bytes page = pages.page(next);
            next = 0;
            if (page[0] == (is_table ? TABLE_LEAF : INDEX_LEAF)) {
                const uint32_t cells = big(page + 3, 2);
                for (uint32_t i = 0; i < cells; ++i) see(cell(page, 8, i), page + pages.usable);
            } else {
                need(page[0] == (is_table ? TABLE_INNER : INDEX_INNER) && levels.size() < DEEPEST);
                levels.push_back({std::vector<unsigned char>(page, page + pages.size), 0});
            }
        }
        while (!levels.empty()) {
            Level &level = levels.back();
            const Bytes page = level.page.data(), end = page + pages.usable;
            const uint32_t cells = big(page + 3, 2), i = level.next++;
            if (i <= cells) {
                if (i && !is_table) see(cell(page, 12, i - 1) + 4, end);
                next = i < cells ? big(cell(page, 12, i), 4) : big(page + 8, 4);
                return true;
            }
            levels.pop_back();
        }
        return false;
    }

private:
    struct Level {
        std::vector<unsigned char> page;
        uint32_t next;
    };

    Bytes cell(Bytes page, uint32_t head, uint32_t i) const {
        need(head + 2 * i + 2 <= pages.usable);
        const uint32_t place = big(page + head + 2 * i, 2);
        need(place >= head && place + 4 <= pages.usable);
        return page + place;
    }

    Pages &pages;
    bool is_table;
    uint32_t next;
    sqlite3_int64 seen = 0;
    std::vector<Level> levels;
};

// ---- a table and its indexes

struct Index {
    uint32_t root = 0;
    bool unique = false;
    std::vector<uint32_t> columns;
    std::vector<bool> descending;
    Sum of_rows, of_entries;
};

class Proof {
public:
    Pages pages;

    // 32-bit little-endian numbers: the table's columns, its root page, then for each index its root page, 1 if it is
    // unique, how many columns it has, and for each its place in the table, and 1 if it descends
    bool read_plan(Bytes plan, size_t size) {
        sqlite3_randomness(sizeof key, &key);
        size_t at = 0;
        auto number = [&] {
            need(at + 4 <= size);
            uint32_t found = plan[at] | plan[at + 1] << 8 | plan[at + 2] << 16 | uint32_t(plan[at + 3]) << 24;
            at += 4;
            return found;
        };
        width = number();
        root = number();
        while (at < size) {
            Index index;
            index.root = number();
            index.unique = number() != 0;
            for (uint32_t left = number(); left; --left) {
                index.columns.push_back(number());
                need(index.columns.back() < width);
                index.descending.push_back(number() != 0);
            }
            indexes.push_back(std::move(index));
        }
        walk = std::make_unique<Walk>(pages, root, true);
        return true;
    }

    bool go_on() {  // whether there is more
        for (int left = PAGES_AT_ONCE; left; --left) {
            if (now == 0 ? walk->step([this](Bytes at, Bytes end) { row(at, end); })
                         : walk->step([this](Bytes at, Bytes end) { entry(at, end, indexes[now - 1]); })) continue;
            need(now == 0 || indexes[now - 1].of_rows == indexes[now - 1].of_entries);
            if (now == indexes.size()) return false;
            walk = std::make_unique<Walk>(pages, indexes[now++].root, false);
            before.clear();
        }
        return true;
    }

private:
    void row(Bytes at, Bytes end) {
        const uint64_t payload = varint(at, end);
        const uint64_t rowid = varint(at, end);
        read_record(at, local(payload, pages.usable - 35, at, end), payload, fields);
        need(fields.size() <= width);  // fewer, where columns were added later
        for (Index &index : indexes) {
            Hash hash(key);
            for (uint32_t column : index.columns) {
                need(column < fields.size());
                hash.add(fields[column]);
            }
            hash.add(rowid);
            hash.into(index.of_rows, key);
        }
    }

    void entry(Bytes at, Bytes end, Index &index) {
        const uint64_t payload = varint(at, end);
        need(payload <= (pages.usable - 12) * 64 / 255 - 23 && payload <= static_cast<size_t>(end - at));
        read_record(at, payload, payload, fields);
        const size_t wide = index.columns.size();
        need(fields.size() == wide + 1 && fields[wide].kind() == 1 && fields[wide].is_whole());
        Hash hash(key);
        for (size_t i = 0; i < wide; ++i) hash.add(fields[i]);
        hash.add(static_cast<uint64_t>(fields[wide].whole()));
        hash.into(index.of_entries, key);
        if (!before.empty()) in_order(index);
        before.swap(fields);
        kept[turn].assign(at, at + payload);
        for (Field &field : before) field.at = kept[turn].data() + (field.at - at);
        turn = !turn;
    }

    void in_order(const Index &index) const {
        bool has_null = false;
        for (size_t i = 0; i < index.columns.size(); ++i) {
            const int found = compared(before[i], fields[i]);
            need(index.descending[i] ? found >= 0 : found <= 0);
            if (found) return;
            has_null = has_null || fields[i].kind() == 0;
        }
        need(!index.unique || has_null);
        need(before.back().whole() < fields.back().whole());
    }

    // How much of a payload lies in the page.
    size_t local(uint64_t payload, uint32_t most, Bytes at, Bytes end) const {
        uint64_t found = payload;
        if (payload > most) {
            const uint32_t least = (pages.usable - 12) * 32 / 255 - 23;
            found = least + (payload - least) % (pages.usable - 4);
            if (found > most) found = least;
        }
        need(found <= static_cast<uint64_t>(end - at));
        return static_cast<size_t>(found);
    }

    Key key;
    uint32_t width = 0, root = 0;
    std::vector<Index> indexes;
    std::unique_ptr<Walk> walk;
    size_t now = 0;  // 0: the table; then its indexes
    std::vector<Field> fields, before;
    std::vector<unsigned char> kept[2];
    bool turn = false;
};

// ---- the functions

struct Proofs {
    std::map<int64_t, std::unique_ptr<Proof>> open;
    int64_t last = 0;
    int functions = 0;
};

Proofs *proofs_of(sqlite3_context *context) { return static_cast<Proofs *>(sqlite3_user_data(context)); }

void begin_proof(sqlite3_context *context, int, sqlite3_value **values) {
    try {
        auto proof = std::make_unique<Proof>();
        const char *schema = reinterpret_cast<const char *>(sqlite3_value_text(values[0]));
        auto plan = static_cast<Bytes>(sqlite3_value_blob(values[1]));
        if (!schema || !plan || !proof->pages.open(sqlite3_context_db_handle(context), schema)) throw NotProved();
        proof->read_plan(plan, sqlite3_value_bytes(values[1]));
        Proofs *proofs = proofs_of(context);
        proofs->open[++proofs->last] = std::move(proof);
        sqlite3_result_int64(context, proofs->last);
    } catch (const std::bad_alloc &) {
        sqlite3_result_error_nomem(context);
    } catch (const NotProved &) {
        sqlite3_result_error(context, "program_export_trees: this is no plan for this file", -1);
    }
}

void go_on(sqlite3_context *context, int, sqlite3_value **values) {
    auto &open = proofs_of(context)->open;
    auto found = open.find(sqlite3_value_int64(values[0]));
    if (found == open.end()) {
        sqlite3_result_error(context, "program_export_proved: there is no such proof", -1);
        return;
    }
    try {
        if (found->second->go_on()) return;
        sqlite3_result_int(context, 1);
    } catch (const std::bad_alloc &) {
        sqlite3_result_error_nomem(context);
    } catch (const NotProved &) {
        sqlite3_result_int(context, 0);
    }
    open.erase(found);
}

void forget_proofs(void *data) {
    auto proofs = static_cast<Proofs *>(data);
    if (--proofs->functions == 0) delete proofs;
}

}  // namespace

int add_tree_functions(sqlite3 *connection);  // for rows.cpp, which adds its own

int add_tree_functions(sqlite3 *connection) {
    auto proofs = new (std::nothrow) Proofs;
    if (!proofs) return SQLITE_NOMEM;
    proofs->functions = 2;
    const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
    int first = sqlite3_create_function_v2(connection, "program_export_trees", 2, flags, proofs, begin_proof, nullptr,
                                           nullptr, forget_proofs);
    int second = sqlite3_create_function_v2(connection, "program_export_proved", 1, flags, proofs, go_on, nullptr,
                                            nullptr, forget_proofs);
    return first == SQLITE_OK ? second : first;
}
