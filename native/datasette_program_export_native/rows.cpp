// Rows as bytes, inside SQLite: a loadable extension (https://www.sqlite.org/loadext.html) with six SQL functions.
//
//   program_export_open(plan)               begins a table, returns its number; plan: see Table::read_plan
//   program_export_row(number, a, b, ...)   takes one row; NULL, or a chunk when enough rows are in it: as JSON or CSV
//   program_export_last(number)             the rest of the rows, as a chunk
//   program_export_rest(number)             what else belongs to the chunk; called once for each, before the next row
//   program_export_end(number)              forgets the table
//   program_export_read(plan, lines)        reads rows back that were written as JSON; see Reader
//
// What else belongs to a chunk is a BLOB: why it ended (0 full, 1 a row that is too large, 2 what only Python can judge),
// the number of rows, both as 32-bit little-endian, then for each column, 32-bit each, how many of its texts were not
// embedded and what its values are (Seen); then the rows as MessagePack, for the digest.
// After a chunk that ended with 1 or 2, the row that ended it and all later ones are not taken: Python writes them.
// Both BLOBs lie in buffers of the table, so that nothing is copied: the next row overwrites them.
//
// The bytes are those of the Python code in formats/ (values.py, digest.py, json/embedding.py, csv/writing.py,
// description/column_facts.py). Python is the definition.

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr size_t CHUNK = 256 * 1024;
constexpr size_t LARGEST_ROW = 1024 * 1024;
constexpr uint32_t MOST_ROWS = 1024 * 1024;  // in a chunk
constexpr int DEEPEST = 64;
enum Reason : uint32_t { FULL = 0, LARGE = 1, UNSURE = 2 };
enum Seen : uint32_t { NONE = 1, INTEGER = 2, REAL = 4, TEXT = 8, BLOB = 16, EMPTY = 32, ODD_TEXT = 64, INFINITE = 128,
                      CARRIAGE_RETURN = 256 };

using Bytes = std::string;

// Bytes that grow. ``make_room`` comes first, once for a row; what follows is not checked again.
class Buffer {
public:
    Buffer() = default;
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;
    ~Buffer() { std::free(start); }
    void make_room(size_t more) {
        if (room - used >= more) return;
        size_t wanted = (used + more) * 3 / 2;
        char *moved = static_cast<char *>(std::realloc(start, wanted));
        if (!moved) throw std::bad_alloc();
        start = moved;
        room = wanted;
    }
    void add(const char *at, size_t size) {
        std::memcpy(start + used, at, size);
        used += size;
    }
    void add(const Bytes &bytes) { add(bytes.data(), bytes.size()); }
    template <size_t N> void add(const char (&literal)[N]) { add(literal, N - 1); }
    void add(char byte) { start[used++] = byte; }
    void fill(char byte, size_t times) {
        std::memset(start + used, byte, times);
        used += times;
    }
    char *end() { return start + used; }
    void grown_to(char *to) { used = to - start; }
    const char *data() const { return start; }
    size_t size() const { return used; }
    void cut(size_t to) { used = to; }

private:
    char *start = nullptr;
    size_t used = 0, room = 0;
};

// ---- UTF-8 (RFC 3629), as strictly as Python

bool is_utf8(const char *text, size_t size) {
    const unsigned char *at = reinterpret_cast<const unsigned char *>(text), *end = at + size;
    while (at < end) {
        uint64_t eight;
        while (end - at >= 8 && (std::memcpy(&eight, at, 8), (eight & 0x8080808080808080ULL) == 0)) at += 8;
        if (at == end) break;
        unsigned char c = *at;
        if (c < 0x80) { ++at; continue; }
        size_t more;
        unsigned char low = 0x80, high = 0xBF;
        if (c >= 0xC2 && c <= 0xDF) more = 1;
        else if (c >= 0xE0 && c <= 0xEF) { more = 2; if (c == 0xE0) low = 0xA0; if (c == 0xED) high = 0x9F; }
        else if (c >= 0xF0 && c <= 0xF4) { more = 3; if (c == 0xF0) low = 0x90; if (c == 0xF4) high = 0x8F; }
        else return false;
        if (static_cast<size_t>(end - at) <= more || at[1] < low || at[1] > high) return false;
        for (size_t i = 2; i <= more; ++i) if ((at[i] & 0xC0) != 0x80) return false;
        at += more + 1;
    }
    return true;
}

// ---- numbers

constexpr size_t LONGEST_NUMBER = 40;

void add_integer(Buffer &out, int64_t value) { out.grown_to(std::to_chars(out.end(), out.end() + 24, value).ptr); }

// The shortest digits that read back, spelled as msgspec spells them: 1.0, 0.00001, 1e16, 1.5e-7
void add_real(Buffer &out, double value) {
    char text[40];
    auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
    const char *at = text;
    if (*at == '-') { out.add('-'); ++at; }
    char digits[24];
    int count = 0;
    for (; at < end && *at != 'e'; ++at) if (*at != '.') digits[count++] = *at;
    int exponent = 0;
    if (at < end) {
        ++at;
        if (*at == '+') ++at;
        std::from_chars(at, end, exponent);
    }
    while (count > 1 && digits[count - 1] == '0') --count;
    if (count == 1 && digits[0] == '0') { out.add("0.0"); return; }
    int point = exponent + 1;  // digits before the point
    if (point >= count && point <= 16) {
        out.add(digits, count);
        out.fill('0', point - count);
        out.add(".0");
    } else if (point > 0 && point <= 16) {
        out.add(digits, point);
        out.add('.');
        out.add(digits + point, count - point);
    } else if (point > -5 && point <= 0) {
        out.add("0.");
        out.fill('0', -point);
        out.add(digits, count);
    } else {
        out.add(digits, 1);
        if (count > 1) {
            out.add('.');
            out.add(digits + 1, count - 1);
        }
        out.add('e');
        add_integer(out, point - 1);
    }
}

// ---- base64 (RFC 4648)

void add_base64(Buffer &out, const unsigned char *at, size_t size) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = out.end();
    for (; size >= 3; at += 3, size -= 3) {
        *to++ = letters[at[0] >> 2];
        *to++ = letters[(at[0] & 3) << 4 | at[1] >> 4];
        *to++ = letters[(at[1] & 15) << 2 | at[2] >> 6];
        *to++ = letters[at[2] & 63];
    }
    if (size) {
        unsigned char second = size == 2 ? at[1] : 0;
        *to++ = letters[at[0] >> 2];
        *to++ = letters[(at[0] & 3) << 4 | second >> 4];
        *to++ = size == 2 ? letters[(second & 15) << 2] : '=';
        *to++ = '=';
    }
    out.grown_to(to);
}

// ---- JSON

// What is in a text: control characters, the bytes `quote` and `other`, bytes beyond ASCII. Eight bytes at a time.
struct Look {
    bool special = false, high = false;
    Look(const char *at, size_t size, unsigned char below, char quote, char other) {
        constexpr uint64_t ONES = 0x0101010101010101ULL, TOPS = 0x8080808080808080ULL;
        const uint64_t quotes = ONES * static_cast<unsigned char>(quote), others = ONES * static_cast<unsigned char>(other);
        uint64_t found = 0, tops = 0;
        auto look = [&](uint64_t eight) {
            const uint64_t low = eight & ~TOPS;  // a byte beyond ASCII may look special here; then it is looked at again
            tops |= eight;
            found |= ((low - ONES * below) | ((low ^ quotes) - ONES) | ((low ^ others) - ONES)) & TOPS;
        };
        size_t i = 0;
        uint64_t eight;
        for (; i + 8 <= size; i += 8) {
            std::memcpy(&eight, at + i, 8);
            look(eight);
        }
        if (i < size) {
            eight = ONES * 'a';
            std::memcpy(&eight, at + i, size - i);
            look(eight);
        }
        special = found;
        high = tops & TOPS;
    }
};

void add_json_text(Buffer &out, const char *text, size_t size, const Look &look) {
    out.add('"');
    if (!look.special) {
        out.add(text, size);
        out.add('"');
        return;
    }
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;
    for (size_t i = 0; i < size; ++i) {
        unsigned char c = text[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.add(text + from, i - from);
        from = i + 1;
        switch (c) {
            case '"': out.add("\\\""); break;
            case '\\': out.add("\\\\"); break;
            case '\b': out.add("\\b"); break;
            case '\t': out.add("\\t"); break;
            case '\n': out.add("\\n"); break;
            case '\f': out.add("\\f"); break;
            case '\r': out.add("\\r"); break;
            default:
                out.add("\\u00");
                out.add(hex[c >> 4]);
                out.add(hex[c & 15]);
        }
    }
    out.add(text + from, size - from);
    out.add('"');
}

// The four hexadecimal digits after \u, which are passed over; -1 if there are others.
int four_digits(const char *&at, const char *end) {
    if (end - at < 4) return -1;
    int found = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = *at++;
        int digit;
        if (c >= '0' && c <= '9') digit = c - '0';
        else if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
        else if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
        else return -1;
        found = found * 16 + digit;
    }
    return found;
}

// Whether a text can be embedded as JSON and read back to the same text; the text is valid UTF-8.
class Json {
public:
    enum Verdict { NO, YES, ASK };
    static Verdict judge(const char *text, size_t size) {
        if (size < 2) return NO;
        char first = text[0], last = text[size - 1];
        if (!((first == '{' && last == '}') || (first == '[' && last == ']'))) return NO;
        if (std::memchr(text, '\n', size) || std::memchr(text, '\r', size)) return NO;
        Json json(text, text + size);
        if (!json.value(0)) return NO;
        if (json.at != json.end) return NO;
        return json.ask ? ASK : YES;
    }

    // The end of an object or array that begins here, and that is read as it stands; null if Python has to judge it.
    static const char *end_of(const char *from, const char *to) {
        Json json(from, to);
        return json.value(0) && !json.ask ? json.at : nullptr;
    }

private:
    const char *at, *end;
    bool ask = false;
    Json(const char *from, const char *to) : at(from), end(to) {}

    void blanks() { while (at < end && (*at == ' ' || *at == '\t')) ++at; }
    bool word(const char *expected) {
        size_t size = std::strlen(expected);
        if (static_cast<size_t>(end - at) < size || std::memcmp(at, expected, size)) return false;
        at += size;
        return true;
    }
    bool digits() {
        const char *from = at;
        while (at < end && *at >= '0' && *at <= '9') ++at;
        return at > from;
    }
    bool number() {
        const char *from = at;
        if (at < end && *at == '-') ++at;
        if (at < end && *at == '0') ++at;
        else if (!digits()) return false;
        if (at < end && *at == '.') { ++at; if (!digits()) return false; }
        if (at < end && (*at == 'e' || *at == 'E')) {
            ++at;
            if (at < end && (*at == '+' || *at == '-')) ++at;
            const char *power = at;
            if (!digits()) return false;
            if (at - power > 2) ask = true;  // 1e400 is beyond what doubles hold; Python judges what is near it
        }
        if (at - from > 150) ask = true;
        return true;
    }
    int unit() { return four_digits(at, end); }
    bool text(bool *dollar) {
        if (at == end || *at != '"') return false;
        ++at;
        bool first = true;
        while (at < end) {
            unsigned char c = *at++;
            if (c == '"') return true;
            if (c < 0x20) return false;
            int meant = c;
            if (c == '\\') {
                if (at == end) return false;
                char escaped = *at++;
                meant = 0;
                if (escaped == 'u') {
                    meant = unit();
                    if (meant < 0) return false;
                    if (meant >= 0xDC00 && meant <= 0xDFFF) return false;
                    if (meant >= 0xD800 && meant <= 0xDBFF) {
                        if (!word("\\u")) return false;
                        int low = unit();
                        if (low < 0xDC00 || low > 0xDFFF) return false;
                    }
                } else if (!std::strchr("\"\\/bfnrt", escaped) || escaped == 0) {
                    return false;
                }
            }
            if (first && dollar && meant == '$') *dollar = true;
            first = false;
        }
        return false;
    }
    bool value(int depth) {
        if (at == end) return false;
        switch (*at) {
            case '{': return object(depth + 1);
            case '[': return array(depth + 1);
            case '"': return text(nullptr);
            case 't': return word("true");
            case 'f': return word("false");
            case 'n': return word("null");
            default: return number();
        }
    }
    bool array(int depth) {
        if (depth > DEEPEST) return false;
        ++at;
        blanks();
        if (at < end && *at == ']') { ++at; return true; }
        while (true) {
            blanks();
            if (!value(depth)) return false;
            blanks();
            if (at == end) return false;
            char c = *at++;
            if (c == ']') return true;
            if (c != ',') return false;
        }
    }
    bool object(int depth) {
        if (depth > DEEPEST) return false;
        ++at;
        blanks();
        if (at < end && *at == '}') { ++at; return true; }
        while (true) {
            blanks();
            bool dollar = false;
            if (!text(depth == 1 ? &dollar : nullptr) || dollar) return false;  // a key like those of our tags
            blanks();
            if (at == end || *at++ != ':') return false;
            blanks();
            if (!value(depth)) return false;
            blanks();
            if (at == end) return false;
            char c = *at++;
            if (c == '}') return true;
            if (c != ',') return false;
        }
    }
};

// ---- MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), the shortest form of everything

class Pack {
public:
    explicit Pack(Buffer &to) : out(to) {}
    void array(size_t size) {
        if (size < 16) byte(0x90 | size);
        else { byte(0xdc); big(size, 2); }
    }
    void long_array(uint32_t size) { byte(0xdd); big(size, 4); }
    void null() { byte(0xc0); }
    void integer(int64_t value) {
        if (value >= 0) {
            if (value < 128) byte(value);
            else if (value <= 0xFF) { byte(0xcc); big(value, 1); }
            else if (value <= 0xFFFF) { byte(0xcd); big(value, 2); }
            else if (value <= 0xFFFFFFFFLL) { byte(0xce); big(value, 4); }
            else { byte(0xcf); big(value, 8); }
        } else if (value >= -32) byte(value);
        else if (value >= -128) { byte(0xd0); big(value, 1); }
        else if (value >= -32768) { byte(0xd1); big(value, 2); }
        else if (value >= -2147483648LL) { byte(0xd2); big(value, 4); }
        else { byte(0xd3); big(value, 8); }
    }
    void real(double value) {
        uint64_t bits;
        std::memcpy(&bits, &value, 8);
        byte(0xcb);
        big(bits, 8);
    }
    void text(const char *at, size_t size) {
        if (size < 32) byte(0xa0 | size);
        else sized(0xd9, size);
        out.add(at, size);
    }
    void blob(const char *at, size_t size) {
        sized(0xc4, size);
        out.add(at, size);
    }
    void bad_text(const char *at, size_t size) {  // extension type 1
        switch (size) {
            case 1: byte(0xd4); break;
            case 2: byte(0xd5); break;
            case 4: byte(0xd6); break;
            case 8: byte(0xd7); break;
            case 16: byte(0xd8); break;
            default: sized(0xc7, size);
        }
        byte(1);
        out.add(at, size);
    }

private:
    Buffer &out;
    void byte(int64_t value) { out.add(static_cast<char>(value & 0xFF)); }
    void big(uint64_t value, int bytes) {
        while (bytes--) byte(static_cast<int64_t>(value >> (8 * bytes)));
    }
    void sized(int kind, size_t size) {
        if (size <= 0xFF) { byte(kind); big(size, 1); }
        else if (size <= 0xFFFF) { byte(kind + 1); big(size, 2); }
        else { byte(kind + 2); big(size, 4); }
    }
};

// ---- plans, and numbers of 32 bits

bool planned(const unsigned char *&at, const unsigned char *end, Bytes &to) {
    if (end - at < 4) return false;
    uint32_t size = at[0] | at[1] << 8 | at[2] << 16 | static_cast<uint32_t>(at[3]) << 24;
    at += 4;
    if (static_cast<size_t>(end - at) < size) return false;
    to.assign(reinterpret_cast<const char *>(at), size);
    at += size;
    return true;
}

void little(Buffer &to, uint32_t value) {
    for (int i = 0; i < 4; ++i) to.add(static_cast<char>(value >> (8 * i) & 0xFF));
}

// ---- one table

struct Column {
    Bytes before;  // what stands before the value
    bool holds_json = false;
    bool hashed = true;  // part of the digest: not if SQLite computes it, or if there is none
    uint32_t not_embedded = 0;
    uint32_t seen = 0;
};

// A value as it was found: its bytes, of a text also where they are.
struct Cell {
    int type;
    size_t size;
    const char *text;
};

class Table {
public:
    // A plan: kind (j, c, p for MessagePack only, s for a survey that writes nothing), d if the rows are wanted for the
    // digest too, else another byte; then texts, each with its length in 32 bits before it: the end of a row, the
    // delimiter, NULL; then for each column its flags (1 holds JSON, 2 computed) in one byte, and what stands before
    // its value.
    bool read_plan(const unsigned char *at, size_t size) {
        const unsigned char *end = at + size;
        if (at == end) return false;
        csv = *at == 'c';
        only_packed = *at == 'p';
        survey = *at++ == 's';
        if (at == end) return false;
        digest = *at++ == 'd';
        if (!planned(at, end, row_end) || !planned(at, end, delimiter) || !planned(at, end, null)) return false;
        while (at < end) {
            Column column;
            column.holds_json = *at & 1;
            column.hashed = digest && !(*at & 2);
            ++at;
            if (!planned(at, end, column.before)) return false;
            if (column.holds_json) with_json.push_back(columns.size());
            columns.push_back(std::move(column));
        }
        if (!csv) null = "null";
        for (const Column &column : columns) {
            packed_columns += column.hashed;
            around += column.before.size() + null.size() + LONGEST;
        }
        around += row_end.size() + LONGEST;
        cells.resize(columns.size());
        head = 8 + 8 * columns.size();
        packed.make_room(head);
        packed.cut(head);
        return !columns.empty();
    }

    size_t width() const { return columns.size(); }
    bool is_full() const { return ended || out.size() >= CHUNK || packed.size() >= CHUNK || rows >= MOST_ROWS; }
    bool has_ended() const { return ended; }
    bool is_awaited() const { return given; }

    void add(sqlite3_value **values) {
        if (survey) { look_at(values); return; }
        size_t size = 0;
        for (size_t i = 0; i < cells.size(); ++i) size += (cells[i] = cell(values[i])).size;
        if (size > LARGEST_ROW) { stop(LARGE); return; }
        if (digest) packed.make_room(size + around);
        Pack pack(packed);
        const size_t out_before = out.size(), packed_before = packed.size();
        if (digest) pack.array(packed_columns);
        if (only_packed) {
            for (size_t i = 0; i < cells.size(); ++i) if (columns[i].hashed) pack_value(values[i], cells[i], pack);
            ++rows;
            return;
        }
        out.make_room(SHORTEST * size + around);
        for (size_t i = 0; i < columns.size(); ++i) {
            Column &column = columns[i];
            out.add(column.before);
            if (!add_value(values[i], cells[i], pack, column)) {
                out.cut(out_before);
                packed.cut(packed_before);
                for (size_t j = 0; j < i; ++j) columns[j].not_embedded = counted(j);
                stop(UNSURE);
                return;
            }
        }
        out.add(row_end);
        for (size_t i : with_json) at_row_end[i] = columns[i].not_embedded;
        ++rows;
    }

    // The rows of a chunk, until the next row.
    std::string_view written() {
        given = true;
        return {out.size() ? out.data() : "", out.size()};
    }

    // What else belongs to it, until the next row, which begins a new chunk.
    std::string_view rest() {
        const size_t size = packed.size();
        packed.cut(0);
        little(packed, reason);
        little(packed, rows);
        for (Column &column : columns) {
            little(packed, column.not_embedded);
            little(packed, column.seen);
            column.not_embedded = column.seen = 0;
        }
        at_row_end.clear();
        out.cut(0);
        packed.cut(head);
        rows = 0;
        given = false;
        return {packed.data(), size};
    }

private:
    bool csv = false, only_packed = false, survey = false, digest = false, ended = false, given = false;
    static constexpr size_t SHORTEST = 6;  // bytes of JSON that one byte can become
    static constexpr size_t LONGEST = 64;   // of what is written for a value beside its own bytes
    Bytes row_end, delimiter, null;
    Buffer out, packed;
    std::vector<Column> columns;
    std::vector<Cell> cells;
    std::vector<size_t> with_json;
    std::map<size_t, uint32_t> at_row_end;
    size_t packed_columns = 0, around = 0, head = 0;
    uint32_t rows = 0, reason = FULL;

    static Cell cell(sqlite3_value *value) {
        const int type = sqlite3_value_type(value);
        if (type != SQLITE_TEXT && type != SQLITE_BLOB) return {type, 0, nullptr};
        // the text comes first: it may be converted to UTF-8
        auto text = type == SQLITE_TEXT ? reinterpret_cast<const char *>(sqlite3_value_text(value)) : nullptr;
        return {type, static_cast<size_t>(sqlite3_value_bytes(value)), text};
    }

    static void pack_value(sqlite3_value *value, const Cell &cell, Pack &pack) {
        switch (cell.type) {
            case SQLITE_NULL: pack.null(); break;
            case SQLITE_INTEGER: pack.integer(sqlite3_value_int64(value)); break;
            case SQLITE_FLOAT: pack.real(sqlite3_value_double(value)); break;
            case SQLITE_TEXT:
                if (!cell.text) throw std::bad_alloc();
                if (is_utf8(cell.text, cell.size)) pack.text(cell.text, cell.size);
                else pack.bad_text(cell.text, cell.size);
                break;
            default: {
                const char *bytes = static_cast<const char *>(sqlite3_value_blob(value));
                if (!bytes && cell.size) throw std::bad_alloc();
                pack.blob(bytes ? bytes : "", cell.size);
            }
        }
    }

    // Only sees what the values are. A text like NULL is left to Python, which measures it.
    void look_at(sqlite3_value **values) {
        for (size_t i = 0; i < columns.size(); ++i) {
            Column &column = columns[i];
            const Cell found = cell(values[i]);
            switch (found.type) {
                case SQLITE_NULL: column.seen |= NONE; break;
                case SQLITE_INTEGER: column.seen |= INTEGER; break;
                case SQLITE_FLOAT: column.seen |= std::isinf(sqlite3_value_double(values[i])) ? REAL | INFINITE : REAL; break;
                case SQLITE_BLOB: saw(column, BLOB, found.size); break;
                default:
                    if (!found.text) throw std::bad_alloc();
                    saw(column, TEXT, found.size);
                    const Look look(found.text, found.size, '\r' + 1, '\r', '\r');
                    if (look.special && std::memchr(found.text, 0, found.size)) column.seen |= ODD_TEXT;
                    if (look.special && std::memchr(found.text, '\r', found.size)) column.seen |= CARRIAGE_RETURN;
                    if (look.high && !is_utf8(found.text, found.size)) column.seen |= ODD_TEXT;
                    if (found.size >= 4 && !std::memcmp(found.text, "NULL", 4)) { stop(UNSURE); return; }
            }
        }
        ++rows;
    }

    uint32_t counted(size_t place) const {
        auto found = at_row_end.find(place);
        return found == at_row_end.end() ? 0 : found->second;
    }
    static void saw(Column &column, Seen kind, size_t size) { column.seen |= size ? kind : kind | EMPTY; }
    void stop(Reason why) { ended = true; reason = why; }

    // Appends one value, to the rows and to the digest's rows; false if only Python can judge it.
    bool add_value(sqlite3_value *value, const Cell &cell, Pack &pack, Column &column) {
        const bool hashed = column.hashed;
        switch (cell.type) {
            case SQLITE_NULL:
                column.seen |= NONE;
                out.add(null);
                if (hashed) pack.null();
                return true;
            case SQLITE_INTEGER: {
                column.seen |= INTEGER;
                const int64_t number = sqlite3_value_int64(value);
                add_integer(out, number);
                if (hashed) pack.integer(number);
                return true;
            }
            case SQLITE_FLOAT: {
                column.seen |= REAL;
                const double number = sqlite3_value_double(value);
                if (std::isinf(number)) infinity(number > 0);
                else add_real(out, number);
                if (hashed) pack.real(number);
                return true;
            }
            case SQLITE_TEXT: {
                const char *text = cell.text;
                const size_t size = cell.size;
                if (!text) return false;
                saw(column, TEXT, size);
                const Look look = csv ? Look(text, size, '\r' + 1, '"', delimiter[0]) : Look(text, size, 0x20, '"', '\\');
                if (look.special && std::memchr(text, 0, size)) column.seen |= ODD_TEXT;
                if (look.high && !is_utf8(text, size)) {
                    column.seen |= ODD_TEXT;
                    if (column.holds_json) ++column.not_embedded;
                    base64(text, size, "\",\"type\":\"text\"}");
                    if (hashed) pack.bad_text(text, size);
                    return true;
                }
                if (csv) csv_text(text, size, look);
                else if (!column.holds_json) add_json_text(out, text, size, look);
                else if (!embedded(text, size, look, column)) return false;
                if (hashed) pack.text(text, size);
                return true;
            }
            default: {
                const char *bytes = static_cast<const char *>(sqlite3_value_blob(value));
                const size_t size = cell.size;
                if (!bytes && size) return false;
                saw(column, BLOB, size);
                base64(bytes, size, "\"}");
                if (hashed) pack.blob(bytes ? bytes : "", size);
                return true;
            }
        }
    }

    void infinity(bool positive) {
        if (!csv) out.add("{\"$real\":\"");
        if (!positive) out.add('-');
        out.add("Infinity");
        if (!csv) out.add("\"}");
    }

    // In csv no bytes at all are "", as nothing is NULL; a text that is not UTF-8 is never empty.
    template <size_t N> void base64(const char *bytes, size_t size, const char (&end)[N]) {
        if (!csv) out.add("{\"$base64\":true,\"encoded\":\"");
        else if (!size) out.add("\"\"");
        add_base64(out, reinterpret_cast<const unsigned char *>(bytes), size);
        if (!csv) out.add(end);
    }

    bool embedded(const char *text, size_t size, const Look &look, Column &column) {
        switch (Json::judge(text, size)) {
            case Json::ASK:
                return false;
            case Json::YES:
                out.add(text, size);
                return true;
            default:
                ++column.not_embedded;
                add_json_text(out, text, size, look);
                return true;
        }
    }

    void csv_text(const char *text, size_t size, const Look &look) {
        std::string_view view(text, size);
        const bool quoted = size == 0 || view == null ||
            ((look.special || look.high) &&
             (view.find_first_of("\"\r\n") != view.npos || view.find(delimiter) != view.npos));
        if (!quoted) {
            out.add(text, size);
            return;
        }
        out.add('"');
        for (char c : view) {
            if (c == '"') out.add('"');
            out.add(c);
        }
        out.add('"');
    }
};

// ---- rows that are read

// Reads whole lines, as long as each is a row exactly as a plan says and as this program writes it, to the last byte:
// another order, blanks, an unknown key, a large row, a number that 64 bits do not hold end it before that row, which
// Python judges. What it reads is what Python reads of the same lines.
//
// A plan: texts, each with its length in 32 bits before it: first the end of a row with its LF, then for each column its
// flags (1 holds JSON, 2 kept) in one byte, and what stands before its value.
//
// The result: how many rows were read, how many bytes they take, the size of what follows, each in 32 bits; then the rows
// as MessagePack arrays; then an array that has for each kept column an array of its values.
class Reader {
public:
    bool read_plan(const unsigned char *at, size_t size) {
        const unsigned char *end = at + size;
        if (!planned(at, end, row_end) || row_end.empty() || row_end.back() != '\n') return false;
        while (at < end) {
            const int flags = *at++;
            columns.emplace_back();
            columns.back().holds_json = flags & 1;
            columns.back().kept = flags & 2;
            if (!planned(at, end, columns.back().before)) return false;
        }
        return !columns.empty() && columns.size() <= 0xFFFF;
    }

    // Returns whether there is a row.
    bool read(const char *from, size_t size) {
        const char *place = from, *end = from + size;
        out.make_room(HEAD);
        out.cut(HEAD);
        while (place < end && rows < MOST_ROWS) {
            auto lf = static_cast<const char *>(std::memchr(place, '\n', end - place));
            if (!lf || lf - place > LARGEST_READ) break;
            const size_t before = out.size();
            at = place;
            line_end = lf + 1;
            if (!row()) { out.cut(before); break; }
            keep();
            place = line_end;
            ++rows;
        }
        if (!rows) return false;
        const size_t packed = out.size() - HEAD;
        out.cut(0);
        little(out, rows);
        little(out, static_cast<uint32_t>(place - from));
        little(out, static_cast<uint32_t>(packed));
        out.cut(HEAD + packed);
        uint32_t kept = 0;
        for (const Column &column : columns) kept += column.kept;
        out.make_room(LONGEST);
        Pack(out).long_array(kept);
        for (const Column &column : columns) {
            if (!column.kept) continue;
            out.make_room(LONGEST + column.values.size());
            Pack(out).long_array(rows);
            out.add(column.values.data(), column.values.size());
        }
        return true;
    }

    const char *data() const { return out.data(); }
    size_t size() const { return out.size(); }

private:
    static constexpr size_t HEAD = 12;
    static constexpr size_t LONGEST = 16;  // what MessagePack takes of a value beside its own bytes
    static constexpr ptrdiff_t LARGEST_READ = 64 * 1024;
    struct Column {
        Bytes before;
        bool holds_json = false, kept = false;
        Buffer values;
        size_t start = 0, end = 0;  // where its value of this row is
    };
    Bytes row_end, unescaped;
    std::list<Column> columns;
    Buffer out;
    uint32_t rows = 0;
    const char *at = nullptr, *line_end = nullptr;

    bool row() {
        out.make_room((line_end - at) + (columns.size() + 1) * LONGEST);
        Pack pack(out);
        pack.array(columns.size());
        for (Column &column : columns) {
            if (!passed(column.before) || at == line_end) return false;
            column.start = out.size();
            if (!value(pack, column.holds_json)) return false;
            column.end = out.size();
        }
        return passed(row_end) && at == line_end;
    }

    void keep() {
        for (Column &column : columns) {
            if (!column.kept) continue;
            column.values.make_room(column.end - column.start);
            column.values.add(out.data() + column.start, column.end - column.start);
        }
    }

    bool passed(std::string_view expected) {
        if (static_cast<size_t>(line_end - at) < expected.size()) return false;
        if (std::memcmp(at, expected.data(), expected.size())) return false;
        at += expected.size();
        return true;
    }

    bool value(Pack &pack, bool holds_json) {
        switch (*at) {  // the line ends with LF, so there is a byte
            case '"': ++at; return text(pack);
            case 'n': pack.null(); return passed("null");
            case '{':
                if (passed("{\"$base64\":true,\"encoded\":\"")) return bytes(pack);
                if (passed("{\"$real\":\"Infinity\"}")) { pack.real(HUGE_VAL); return true; }
                if (passed("{\"$real\":\"-Infinity\"}")) { pack.real(-HUGE_VAL); return true; }
                return holds_json && embedded(pack);
            case '[': return holds_json && embedded(pack);
            default: return number(pack);
        }
    }

    bool embedded(Pack &pack) {
        const char *found = Json::end_of(at, line_end);
        if (!found || !is_utf8(at, found - at)) return false;
        pack.text(at, found - at);
        at = found;
        return true;
    }

    bool number(Pack &pack) {
        const char *from = at;
        bool real = false;
        if (*at == '-') ++at;
        const char *digits = at;
        if (!some_digits() || (*digits == '0' && at - digits > 1)) return false;
        if (*at == '.') { real = true; ++at; if (!some_digits()) return false; }
        if (*at == 'e' || *at == 'E') {
            real = true;
            ++at;
            if (*at == '+' || *at == '-') ++at;
            if (!some_digits()) return false;
        }
        if (at - from > 32) return false;
        if (real) {
#ifdef __cpp_lib_to_chars
            double found;
            auto done = std::from_chars(from, at, found);
            if (done.ec != std::errc() || done.ptr != at || std::isinf(found)) return false;
            pack.real(found);
            return true;
#else
            return false;  // a library that cannot read them (libc++ before 20)
#endif
        }
        int64_t found;
        auto done = std::from_chars(from, at, found);
        if (done.ec != std::errc() || done.ptr != at || (found == 0 && digits != from)) return false;
        pack.integer(found);
        return true;
    }
    bool some_digits() {
        const char *from = at;
        while (*at >= '0' && *at <= '9') ++at;  // the LF ends it
        return at > from;
    }

    // Passes over bytes of a text that stand for themselves, to the next that does not; tells whether some are not ASCII.
    void plain(bool &high) {
        constexpr uint64_t ONES = 0x0101010101010101ULL, TOPS = 0x8080808080808080ULL;
        uint64_t eight;
        while (line_end - at >= 8) {
            std::memcpy(&eight, at, 8);
            const uint64_t low = eight & ~TOPS;
            const uint64_t special =
                ((low - ONES * 0x20) | ((low ^ ONES * '"') - ONES) | ((low ^ ONES * '\\') - ONES)) & TOPS;
            if (special) break;  // or a byte beyond ASCII that only looks so
            high |= (eight & TOPS) != 0;
            at += 8;
        }
        for (;; ++at) {  // the LF ends it
            const unsigned char c = *at;
            if (c < 0x20 || c == '"' || c == '\\') return;
            high |= c >= 0x80;
        }
    }

    bool text(Pack &pack) {
        const char *from = at;
        bool high = false, escaped = false;
        for (plain(high); *at != '"'; plain(high)) {
            if (*at != '\\') return false;
            if (!escaped) unescaped.clear();
            escaped = true;
            unescaped.append(from, at - from);
            if (high && !is_utf8(from, at - from)) return false;
            high = false;
            ++at;
            if (!escape()) return false;
            from = at;
        }
        if (high && !is_utf8(from, at - from)) return false;
        if (!escaped) {
            pack.text(from, at - from);
        } else {
            unescaped.append(from, at - from);
            pack.text(unescaped.data(), unescaped.size());
        }
        ++at;
        return true;
    }

    bool escape() {
        switch (*at++) {
            case '"': unescaped += '"'; return true;
            case '\\': unescaped += '\\'; return true;
            case '/': unescaped += '/'; return true;
            case 'b': unescaped += '\b'; return true;
            case 'f': unescaped += '\f'; return true;
            case 'n': unescaped += '\n'; return true;
            case 'r': unescaped += '\r'; return true;
            case 't': unescaped += '\t'; return true;
            case 'u': break;
            default: return false;
        }
        int code = four_digits(at, line_end);
        if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF)) return false;
        if (code >= 0xD800 && code <= 0xDBFF) {
            if (!passed("\\u")) return false;
            const int low = four_digits(at, line_end);
            if (low < 0xDC00 || low > 0xDFFF) return false;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        auto add = [&](int byte) { unescaped += static_cast<char>(byte); };
        if (code < 0x80) { add(code); return true; }
        if (code < 0x800) add(0xC0 | code >> 6);
        else {
            if (code < 0x10000) add(0xE0 | code >> 12);
            else { add(0xF0 | code >> 18); add(0x80 | (code >> 12 & 63)); }
            add(0x80 | (code >> 6 & 63));
        }
        add(0x80 | (code & 63));
        return true;
    }

    // base64 as it is written: padded, and no bit set that means nothing
    bool bytes(Pack &pack) {
        unescaped.clear();
        uint32_t bits = 0;
        int held = 0;
        const char *from = at;
        for (int six; (six = six_bits(*at)) >= 0; ++at) {
            bits = bits << 6 | static_cast<uint32_t>(six);
            held += 6;
            if (held >= 8) unescaped += static_cast<char>(bits >> (held -= 8) & 0xFF);
        }
        if (held == 6 || bits & ((1u << held) - 1)) return false;
        for (int padding = held / 2; padding; --padding) if (*at++ != '=') return false;
        if ((at - from) % 4) return false;
        if (passed("\"}")) { pack.blob(unescaped.data(), unescaped.size()); return true; }
        if (!passed("\",\"type\":\"text\"}")) return false;
        if (is_utf8(unescaped.data(), unescaped.size())) pack.text(unescaped.data(), unescaped.size());
        else pack.bad_text(unescaped.data(), unescaped.size());
        return true;
    }
    static int six_bits(char c) {
        if (c >= 'A' && c <= 'Z') return c - 'A';
        if (c >= 'a' && c <= 'z') return c - 'a' + 26;
        if (c >= '0' && c <= '9') return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
    }
};

// ---- the functions; the tables of one connection live as long as the connection

struct Tables {
    std::map<int64_t, std::unique_ptr<Table>> open;
    int64_t last = 0;
    int functions = 0;
    Table *find(sqlite3_value *number) {
        auto found = open.find(sqlite3_value_int64(number));
        return found == open.end() ? nullptr : found->second.get();
    }
};

Tables *tables_of(sqlite3_context *context) { return static_cast<Tables *>(sqlite3_user_data(context)); }

void give(sqlite3_context *context, std::string_view bytes) {
    sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_STATIC);
}

// no C++ exception may pass through SQLite
template <class Work> void guarded(sqlite3_context *context, Work work) {
    try {
        work();
    } catch (const std::bad_alloc &) {
        sqlite3_result_error_nomem(context);
    } catch (...) {
        sqlite3_result_error(context, "program_export: the row cannot be written", -1);
    }
}

void open_table(sqlite3_context *context, int, sqlite3_value **values) {
    guarded(context, [&] {
        auto table = std::make_unique<Table>();
        auto plan = static_cast<const unsigned char *>(sqlite3_value_blob(values[0]));
        if (!plan || !table->read_plan(plan, sqlite3_value_bytes(values[0]))) {
            sqlite3_result_error(context, "program_export_open: this is no plan", -1);
            return;
        }
        Tables *tables = tables_of(context);
        int64_t number = ++tables->last;
        tables->open[number] = std::move(table);
        sqlite3_result_int64(context, number);
    });
}

void add_row(sqlite3_context *context, int count, sqlite3_value **values) {
    guarded(context, [&] {
        Table *table = count ? tables_of(context)->find(values[0]) : nullptr;
        if (!table || table->width() != static_cast<size_t>(count - 1)) {
            sqlite3_result_error(context, "program_export_row: there is no such table", -1);
            return;
        }
        if (table->is_awaited()) {
            sqlite3_result_error(context, "program_export_row: the chunk before was not fetched whole", -1);
            return;
        }
        if (table->has_ended()) return;
        table->add(values + 1);
        if (table->is_full()) give(context, table->written());
    });
}

void last_rows(sqlite3_context *context, int, sqlite3_value **values) {
    Table *table = tables_of(context)->find(values[0]);
    if (table) give(context, table->written());
}

void rest_of_chunk(sqlite3_context *context, int, sqlite3_value **values) {
    Table *table = tables_of(context)->find(values[0]);
    if (!table) return;
    if (table->is_awaited()) give(context, table->rest());
    else sqlite3_result_error(context, "program_export_rest: the chunk comes first", -1);
}

void end_table(sqlite3_context *context, int, sqlite3_value **values) {
    guarded(context, [&] { tables_of(context)->open.erase(sqlite3_value_int64(values[0])); });
}

void read_rows(sqlite3_context *context, int, sqlite3_value **values) {
    guarded(context, [&] {
        Reader reader;
        auto plan = static_cast<const unsigned char *>(sqlite3_value_blob(values[0]));
        if (!plan || !reader.read_plan(plan, sqlite3_value_bytes(values[0]))) {
            sqlite3_result_error(context, "program_export_read: this is no plan", -1);
            return;
        }
        auto lines = static_cast<const char *>(sqlite3_value_blob(values[1]));
        if (!lines || !reader.read(lines, sqlite3_value_bytes(values[1]))) return;
        sqlite3_result_blob64(context, reader.data(), reader.size(), SQLITE_TRANSIENT);
    });
}

void forget(void *data) {
    auto tables = static_cast<Tables *>(data);
    if (--tables->functions == 0) delete tables;
}

}  // namespace

#ifdef _WIN32
#define VISIBLE __declspec(dllexport)
#else
#define VISIBLE __attribute__((visibility("default")))
#endif

int add_tree_functions(sqlite3 *connection);  // of trees.cpp
int add_insert_function(sqlite3 *connection);  // of insertion.cpp

static int add_functions(sqlite3 *connection) {
    auto tables = new (std::nothrow) Tables;
    if (!tables) return SQLITE_NOMEM;
    tables->functions = 6;
    const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
    struct { const char *name; int arguments; void (*run)(sqlite3_context *, int, sqlite3_value **); } all[] = {
        {"program_export_open", 1, open_table},
        {"program_export_row", -1, add_row},
        {"program_export_last", 1, last_rows},
        {"program_export_rest", 1, rest_of_chunk},
        {"program_export_end", 1, end_table},
        {"program_export_read", 2, read_rows},
    };
    int result = SQLITE_OK;
    for (auto &one : all) {  // SQLite calls forget also for a function that it did not register
        int found = sqlite3_create_function_v2(connection, one.name, one.arguments, flags, tables, one.run, nullptr, nullptr, forget);
        if (found != SQLITE_OK) result = found;
    }
    for (auto add : {add_tree_functions, add_insert_function}) {
        const int found = add(connection);
        if (found != SQLITE_OK) result = found;
    }
    return result;
}

// for sqlite3_load_extension; a second SQLite library in the process does not get the functions of the first
extern "C" VISIBLE int sqlite3_extension_init(sqlite3 *connection, char **, const sqlite3_api_routines *api) {
    if (sqlite3_api && sqlite3_api != api) return SQLITE_ERROR;
    SQLITE_EXTENSION_INIT2(api);
    return add_functions(connection);
}

// for sqlite3_auto_extension, which concerns all threads: only the connections of a thread that wants it get the functions
static thread_local bool wanted = false;

extern "C" VISIBLE void program_export_in_this_thread(int wants) { wanted = wants; }

extern "C" VISIBLE int program_export_auto_init(sqlite3 *connection, char **, const sqlite3_api_routines *api) {
    if (!wanted || !api || (sqlite3_api && sqlite3_api != api)) return SQLITE_OK;
    SQLITE_EXTENSION_INIT2(api);
    return add_functions(connection);
}
