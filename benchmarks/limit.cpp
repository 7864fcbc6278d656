// The least that an export can take: the rows of a table as JSON, one a line, to standard output, with SQLite's C API.
//
//   limit DATABASE TABLE
//
// No digest, no check of texts, no BLOBs: only reading, spelling and writing.

#include <sqlite3.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

static std::string out;

static void add_text(std::string_view text) {
    out.push_back('"');
    size_t begun = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        const unsigned char c = text[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text, begun, i - begun);
        begun = i + 1;
        char escaped[8];
        if (c == '"' || c == '\\') std::snprintf(escaped, sizeof escaped, "\\%c", c);
        else std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
        out += escaped;
    }
    out.append(text, begun).push_back('"');
}

template <class Number> static void add_number(Number number) {
    char digits[64];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr - digits);
}

static bool flushed() {
    for (size_t at = 0; at < out.size();) {
        const ssize_t wrote = write(1, out.data() + at, out.size() - at);
        if (wrote < 0) return false;
        at += wrote;
    }
    out.clear();
    return true;
}

int main(int count, char **words) {
    sqlite3 *database;
    sqlite3_stmt *rows;
    if (count != 3 || sqlite3_open_v2(words[1], &database, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) return 2;
    const std::string sql = "SELECT * FROM \"" + std::string(words[2]) + '"';
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &rows, nullptr) != SQLITE_OK) return 2;
    std::vector<std::string> before;
    for (int i = 0; i < sqlite3_column_count(rows); ++i)
        before.push_back(std::string(i ? ",\"" : "{\"") + sqlite3_column_name(rows, i) + "\":");
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        for (size_t i = 0; i < before.size(); ++i) {
            const int column = static_cast<int>(i);
            out += before[i];
            switch (sqlite3_column_type(rows, column)) {
                case SQLITE_INTEGER: add_number(sqlite3_column_int64(rows, column)); break;
                case SQLITE_FLOAT: add_number(sqlite3_column_double(rows, column)); break;
                case SQLITE_NULL: out += "null"; break;
                default: {
                    const auto text = reinterpret_cast<const char *>(sqlite3_column_text(rows, column));
                    add_text({text, static_cast<size_t>(sqlite3_column_bytes(rows, column))});
                }
            }
        }
        out += "}\n";
        if (out.size() > 512 * 1024 && !flushed()) return 1;
    }
    return result == SQLITE_DONE && flushed() ? 0 : 1;
}
