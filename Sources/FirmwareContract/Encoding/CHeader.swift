internal import DeviceProfile

/// A C99 header for the author of a firmware: one struct, one topic function and one encoder for each message that the
/// device sends.
///
/// The encoders use no heap, no floats, no stdio and no recursion; they write into the caller's buffer and refuse what
/// the contract does not allow, so a firmware that compiles cannot send a payload that is quarantined for its values.
package struct CHeader: Sendable {
    /// The name of the file.
    package let fileName: String
    package let text: String

    private let prefix: String
    private let messages: [CMessage]

    /// Makes the header, or says which place of the contract leaves too much open.
    package init(contract: FirmwareContract) throws(CHeaderProblem) {
        self.prefix = CName.lower("\(contract.name.family)_v\(contract.name.major)")
        self.fileName = "\(self.prefix).h"
        var messages: [CMessage] = []
        for channel in contract.channels where channel.direction == .send {
            for index in channel.messages {
                do throws(CHeaderProblem) {
                    messages.append(
                        try CMessage(contract.messages[index], channel, prefix: self.prefix, contract: contract)
                    )
                } catch {
                    throw CHeaderProblem(
                        description: "message '\(contract.messages[index].name)': \(error.description)"
                    )
                }
            }
        }
        self.messages = messages
        let guardName = "\(self.prefix.uppercased())_H"
        var text = """
            /* Made by `campusctl contract header` from \(contract.name.family) \(contract.version): do not edit.
             *
             * Set all members to 0 first. A member that may be absent or null has a member `..._is` beside it: 0 absent,
             * 1 there, 2 null. Numbers count steps: temperature_e2 = 2145 is 21.45. Encoders and topics return the length
             * without the closing NUL, or a negative number: why nothing may be sent. No heap, no floats, no stdio.
             */
            #ifndef \(guardName)
            #define \(guardName)

            #include <stdbool.h>
            #include <stddef.h>
            #include <stdint.h>
            #include <string.h>


            """
        text += CRuntime.text(prefix: self.prefix, version: contract.version.published)
        for message in messages { text += message.declaration }
        for message in messages { text += message.functions }
        text += "#endif /* \(guardName) */\n"
        self.text = text
    }

    /// A program that prints `topic`, a tab and the payload of every message: with what is required, with everything at
    /// its least and with everything at its most.
    package var example: String {
        var text = "#include \"\(self.fileName)\"\n\n#include <stdio.h>\n\n"
        text += """
            static int show(int topic_length, const char *topic, int length, const char *payload)
            {
                if (topic_length < 0 || length < 0) {
                    fprintf(stderr, "refused: %d %d\\n", topic_length, length);
                    return 1;
                }
                printf("%s\\t%s\\n", topic, payload);
                return 0;
            }

            int main(void)
            {
                char topic[256];
                int failures = 0;

            """
        for message in self.messages { text += message.exampleBlocks }
        return text + "    return failures == 0 ? 0 : 1;\n}\n"
    }
}

/// What every header has: the writer.
enum CRuntime {
    static func text(prefix p: String, version: String) -> String {
        """
        /* The version that the payloads follow. */
        #define \(p.uppercased())_CONTRACT \(CName.string(version))

        enum {
            \(p.uppercased())_NO_SPACE = -1, /* the buffer is too small */
            \(p.uppercased())_RANGE = -2,    /* a value is outside its range, or a text has not the right form */
            \(p.uppercased())_MISSING = -3   /* what is required is not there */
        };

        typedef struct {
            char *out;
            size_t capacity;
            size_t length;
            int error;
            bool follows; /* whether a comma is due */
        } \(p)_writer;

        /* One place of a form: the ASCII characters it takes, as bits. */
        typedef struct {
            uint32_t set[4];
            bool can_skip;
            bool can_stay;
        } \(p)_place;

        static inline void \(p)_put(\(p)_writer *w, const char *text, size_t count)
        {
            if (w->error != 0) {
                return;
            }
            if (w->length >= w->capacity || count >= w->capacity - w->length) {
                w->error = \(p.uppercased())_NO_SPACE;
                return;
            }
            memcpy(w->out + w->length, text, count);
            w->length += count;
            w->out[w->length] = '\\0';
        }

        static inline void \(p)_key(\(p)_writer *w, const char *key)
        {
            if (w->follows) {
                \(p)_put(w, ",", 1);
            }
            w->follows = true;
            \(p)_put(w, key, strlen(key));
        }

        static inline void \(p)_fail(\(p)_writer *w, int error)
        {
            if (w->error == 0) {
                w->error = error;
            }
        }

        static inline void \(p)_number(\(p)_writer *w, int64_t value, unsigned decimals, int64_t low, int64_t high,
                                       int64_t step)
        {
            char digits[32];
            size_t start = sizeof digits;
            uint64_t rest = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
            unsigned place = 0;
            if (value < low || value > high || value % step != 0) {
                \(p)_fail(w, \(p.uppercased())_RANGE);
                return;
            }
            do {
                if (decimals > 0 && place == decimals) {
                    digits[--start] = '.';
                }
                digits[--start] = (char)('0' + (char)(rest % 10));
                rest /= 10;
                ++place;
            } while (rest != 0 || place <= decimals);
            if (value < 0) {
                digits[--start] = '-';
            }
            \(p)_put(w, digits + start, sizeof digits - start);
        }

        static inline bool \(p)_matches(const \(p)_place *places, size_t count, unsigned char *now, unsigned char *next,
                                        const char *text)
        {
            size_t i;
            memset(now, 0, count + 1);
            now[0] = 1;
            for (i = 0; i < count && now[i] != 0; ++i) {
                now[i + 1] = places[i].can_skip ? 1 : 0;
            }
            for (; *text != '\\0'; ++text) {
                const unsigned char byte = (unsigned char)*text;
                memset(next, 0, count + 1);
                for (i = 0; i < count; ++i) {
                    if (now[i] != 0 && byte < 128 && ((places[i].set[byte / 32] >> (byte % 32)) & 1u) != 0) {
                        next[places[i].can_stay ? i : i + 1] = 1;
                    }
                }
                for (i = 0; i < count; ++i) {
                    if (next[i] != 0 && places[i].can_skip) {
                        next[i + 1] = 1;
                    }
                }
                memcpy(now, next, count + 1);
            }
            return now[count] != 0;
        }

        static inline void \(p)_text(\(p)_writer *w, const char *text, size_t least, size_t most)
        {
            static const char hex[] = "0123456789abcdef";
            size_t count = 0;
            const char *at;
            for (at = text; *at != '\\0'; ++at) {
                count += ((unsigned char)*at & 0xC0u) != 0x80u ? 1u : 0u;
            }
            if (count < least || count > most) {
                \(p)_fail(w, \(p.uppercased())_RANGE);
                return;
            }
            \(p)_put(w, "\\"", 1);
            for (at = text; *at != '\\0'; ++at) {
                const unsigned char byte = (unsigned char)*at;
                if (byte == '"' || byte == '\\\\') {
                    \(p)_put(w, "\\\\", 1);
                    \(p)_put(w, at, 1);
                } else if (byte < 0x20) {
                    char escape[6] = {'\\\\', 'u', '0', '0', '0', '0'};
                    escape[4] = hex[byte >> 4];
                    escape[5] = hex[byte & 15u];
                    \(p)_put(w, escape, sizeof escape);
                } else {
                    \(p)_put(w, at, 1);
                }
            }
            \(p)_put(w, "\\"", 1);
        }

        static inline void \(p)_level(\(p)_writer *w, const char *level)
        {
            if (level == NULL || *level == '\\0' || strpbrk(level, "/+#") != NULL) {
                \(p)_fail(w, \(p.uppercased())_RANGE);
                return;
            }
            \(p)_put(w, level, strlen(level));
        }

        static inline int \(p)_result(const \(p)_writer *w)
        {
            return w->error != 0 ? w->error : (int)w->length;
        }


        """
    }
}
