/* Digest credentials as a phone makes them (RFC 7616 §3.4, RFC 8760): of a challenge and a secret, the header line.
 *
 * Included by generator.c, after its Text. Responses are of qop=auth alone.
 */
#include <openssl/evp.h>

enum { HEX = 65, NONCE = 128 };

static const char *algorithm = "SHA-256", *realm = "sip.example.net", *user = "user", *password = "password";
static const EVP_MD *md;

/* What a phone knows: its HA1, and the nonce that it was given last. */
typedef struct { char ha1[HEX], nonce[NONCE]; unsigned uses; } Phone;

static void hash(const char *text, int size, char *hex) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    static const char digits[] = "0123456789abcdef";
    if (!EVP_Digest(text, size, bytes, &count, md, 0)) abort();
    for (unsigned i = 0; i < count; i++) *hex++ = digits[bytes[i] >> 4], *hex++ = digits[bytes[i] & 15];
    *hex = 0;
}

static Phone *make_phones(long count) {
    md = strcmp(algorithm, "MD5") ? EVP_sha256() : EVP_md5();
    Phone *made = calloc(count, sizeof *made);
    for (long i = 0; made && i < count; i++) {
        char text[256];
        hash(text, snprintf(text, sizeof text, "%s%08ld:%s:%s%08ld", user, i, realm, password, i), made[i].ha1);
    }
    return made;
}

/* Takes the nonce of a challenge; 0 where it is for another algorithm, or cannot be read. */
static int take_challenge(Phone *phone, Text value) {
    char wanted[32];
    const char *nonce = memmem(value.text, value.size, "nonce=\"", 7), *end = value.text + value.size;
    int size = snprintf(wanted, sizeof wanted, "algorithm=%s,", algorithm);
    if (!nonce || !memmem(value.text, value.size, wanted, size)) return 0;
    nonce += 7;
    const char *stop = memchr(nonce, '"', end - nonce);
    if (!stop || stop - nonce >= NONCE) return 0;
    snprintf(phone->nonce, NONCE, "%.*s", (int)(stop - nonce), nonce);
    phone->uses = 0;
    return 1;
}

/* Writes the line for a request, its end included, and returns its size. */
static int credentials(Phone *phone, long number, const char *method, const char *uri, char *out, int room) {
    char text[1024], ha2[HEX], response[HEX], cnonce[20];
    unsigned uses = ++phone->uses;
    snprintf(cnonce, sizeof cnonce, "%08lx%08x", number, uses * 2654435761u);
    hash(text, snprintf(text, sizeof text, "%s:%s", method, uri), ha2);
    hash(text, snprintf(text, sizeof text, "%s:%s:%08x:%s:auth:%s", phone->ha1, phone->nonce, uses, cnonce, ha2), response);
    return snprintf(out, room,
                    "Proxy-Authorization: Digest username=\"%s%08ld\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
                    "response=\"%s\", algorithm=%s, cnonce=\"%s\", qop=auth, nc=%08x\r\n",
                    user, number, realm, phone->nonce, uri, response, algorithm, cnonce, uses);
}
