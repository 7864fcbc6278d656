// Rows that were read are written into a table of the same connection, in C: one SQL function.
//
//   program_export_insert(statement, affinities, packed, rows, first)
//
// statement: an INSERT with a parameter for each value. affinities: for each value a letter, B (BLOB), T (TEXT), R (REAL)
// or N (INTEGER, NUMERIC). packed: so many rows as MessagePack arrays, as Reader in rows.cpp gives them. The result is how
// many bytes the first rows take, as many as `first` says; NULL if a value is one that Python must judge: one that the
// column's affinity may change, or a text that is not UTF-8. Some rows are written then all the same: the caller gives
// them up, as at an error. The affinities are judged as importing/staging/affinity_check.py does, which is the definition.

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3  // rows.cpp has the other half

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

struct NoRows {};  // thrown for what is no MessagePack of ours; never leaves this file

// A number as affinity_check.py's pattern knows it: blanks, a sign, digits, a point, an exponent, blanks.
bool is_number(const unsigned char *at, size_t size) {
    const unsigned char *end = at + size;
    auto blanks = [&] { while (at < end && (*at == ' ' || (*at >= '\t' && *at <= '\r'))) ++at; };
    auto digits = [&] {
        const unsigned char *from = at;
        while (at < end && *at >= '0' && *at <= '9') ++at;
        return at > from;
    };
    auto sign = [&] { if (at < end && (*at == '+' || *at == '-')) ++at; };
    blanks();
    sign();
    const bool whole = digits();
    if (at < end && *at == '.') {
        ++at;
        if (!digits() && !whole) return false;
    } else if (!whole) {
        return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        ++at;
        sign();
        if (!digits()) return false;
    }
    blanks();
    return at == end;
}

class Rows {
public:
    Rows(const unsigned char *from, size_t size) : at(from), start(from), end(from + size) {}

    size_t passed() const { return at - start; }
    bool is_over() const { return at == end; }

    uint32_t width() {
        const int kind = byte();
        if ((kind & 0xf0) == 0x90) return kind & 0x0f;
        if (kind == 0xdc) return static_cast<uint32_t>(big(2));
        throw NoRows();
    }

    // Binds the next value; false if Python must judge it.
    bool bind(sqlite3_stmt *statement, int place, char affinity, int &result) {
        const int kind = byte();
        if (kind < 0x80) return integer(statement, place, affinity, kind, result);
        if (kind >= 0xe0) return integer(statement, place, affinity, kind - 256, result);
        if ((kind & 0xe0) == 0xa0) return text(statement, place, affinity, kind & 0x1f, result);
        switch (kind) {
            case 0xc0: result = sqlite3_bind_null(statement, place); return true;
            case 0xc4: case 0xc5: case 0xc6: return blob(statement, place, big(1 << (kind - 0xc4)), result);
            case 0xcb: return real(statement, place, affinity, result);
            case 0xcc: case 0xcd: case 0xce: case 0xcf: {
                const uint64_t number = big(1 << (kind - 0xcc));
                if (number > INT64_MAX) throw NoRows();
                return integer(statement, place, affinity, static_cast<int64_t>(number), result);
            }
            case 0xd0: return integer(statement, place, affinity, static_cast<int8_t>(big(1)), result);
            case 0xd1: return integer(statement, place, affinity, static_cast<int16_t>(big(2)), result);
            case 0xd2: return integer(statement, place, affinity, static_cast<int32_t>(big(4)), result);
            case 0xd3: return integer(statement, place, affinity, static_cast<int64_t>(big(8)), result);
            case 0xd9: case 0xda: case 0xdb: return text(statement, place, affinity, big(1 << (kind - 0xd9)), result);
            default: return false;  // a text that is not UTF-8
        }
    }

private:
    const unsigned char *at, *start, *end;

    void need(uint64_t size) const { if (static_cast<uint64_t>(end - at) < size) throw NoRows(); }
    int byte() { need(1); return *at++; }
    uint64_t big(int size) {
        need(size);
        uint64_t number = 0;
        while (size--) number = number << 8 | *at++;
        return number;
    }
    bool integer(sqlite3_stmt *statement, int place, char affinity, int64_t number, int &result) {
        result = sqlite3_bind_int64(statement, place, number);
        return affinity != 'T' && affinity != 'R';
    }
    bool real(sqlite3_stmt *statement, int place, char affinity, int &result) {
        const uint64_t bits = big(8);
        double number;
        std::memcpy(&number, &bits, 8);
        result = sqlite3_bind_double(statement, place, number);
        return affinity != 'T' && !(affinity == 'N' && std::isfinite(number) && number == std::floor(number));
    }
    // What is bound lies in the caller's value, which stays while the row is written.
    bool text(sqlite3_stmt *statement, int place, char affinity, uint64_t size, int &result) {
        need(size);
        const unsigned char *from = at;
        at += size;
        if (affinity != 'T' && affinity != 'B' && is_number(from, size)) return false;
        result = sqlite3_bind_text64(statement, place, reinterpret_cast<const char *>(from), size, SQLITE_STATIC, SQLITE_UTF8);
        return true;
    }
    bool blob(sqlite3_stmt *statement, int place, uint64_t size, int &result) {
        need(size);
        result = sqlite3_bind_blob64(statement, place, at, size, SQLITE_STATIC);
        at += size;
        return true;
    }
};

class Insert {
public:
    Insert(sqlite3 *to, const char *sql, int size) : connection(to) {
        result = sqlite3_prepare_v2(connection, sql, size, &statement, nullptr);
    }
    Insert(const Insert &) = delete;
    Insert &operator=(const Insert &) = delete;
    ~Insert() { sqlite3_finalize(statement); }

    bool fits(int width) const { return statement && sqlite3_bind_parameter_count(statement) == width; }

    // Writes the next row; false if Python must judge it, or there is an error in `result`.
    bool add(Rows &rows, const char *affinities, int width) {
        if (rows.width() != static_cast<uint32_t>(width)) throw NoRows();
        for (int place = 0; place < width; ++place) {
            if (!rows.bind(statement, place + 1, affinities[place], result) || result != SQLITE_OK) return false;
        }
        result = sqlite3_step(statement);
        const int reset = sqlite3_reset(statement);
        result = result == SQLITE_DONE ? reset : result;
        return result == SQLITE_OK;
    }

    int result = SQLITE_OK;

private:
    sqlite3 *connection;
    sqlite3_stmt *statement = nullptr;
};

void insert_rows(sqlite3_context *context, int, sqlite3_value **values) {
    sqlite3 *connection = sqlite3_context_db_handle(context);
    auto sql = reinterpret_cast<const char *>(sqlite3_value_text(values[0]));
    auto affinities = reinterpret_cast<const char *>(sqlite3_value_text(values[1]));
    auto packed = static_cast<const unsigned char *>(sqlite3_value_blob(values[2]));
    if (!sql || !affinities || !packed) {
        sqlite3_result_error(context, "program_export_insert: there are no rows", -1);
        return;
    }
    const int width = sqlite3_value_bytes(values[1]);
    const int64_t count = sqlite3_value_int64(values[3]), first = sqlite3_value_int64(values[4]);
    Insert insert(connection, sql, sqlite3_value_bytes(values[0]));
    Rows rows(packed, sqlite3_value_bytes(values[2]));
    try {
        if (insert.result == SQLITE_OK && !insert.fits(width)) throw NoRows();
        int64_t shown = 0;
        for (int64_t row = 0; insert.result == SQLITE_OK && row < count; ++row) {
            if (!insert.add(rows, affinities, width)) break;
            if (row < first) shown = static_cast<int64_t>(rows.passed());
            if (row + 1 == count) {
                if (!rows.is_over()) throw NoRows();
                sqlite3_result_int64(context, shown);
            }
        }
    } catch (const NoRows &) {
        sqlite3_result_error(context, "program_export_insert: these are no such rows", -1);
        return;
    }
    if (insert.result != SQLITE_OK) {
        sqlite3_result_error(context, sqlite3_errmsg(connection), -1);
        sqlite3_result_error_code(context, insert.result & 0xff);
    }
}

}  // namespace

int add_insert_function(sqlite3 *connection);  // for rows.cpp, which adds its own

int add_insert_function(sqlite3 *connection) {
    return sqlite3_create_function_v2(connection, "program_export_insert", 5, SQLITE_UTF8 | SQLITE_DIRECTONLY, nullptr,
                                      insert_rows, nullptr, nullptr, nullptr);
}
