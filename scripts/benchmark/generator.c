/* A SIP caller and a SIP trunk in one process and one thread, for loads that SIPp cannot make on one core.
 *
 *     caller -- INVITE, ACK, BYE --> proxy under test --> trunk -- 100, 180, 200, 200 of BYE --> and back
 *
 * What is said comes from a file of templates that generator.py writes, so that the benchmark in the process
 * and the one with sockets say the same. Both ends retransmit as RFC 3261 §17.1 and §13.3.1.4 want it, so a
 * datagram that is lost delays a call and does not break it.
 *
 *     generator PROXY CALLER[,PORT or CALLER...] TRUNK TEMPLATES key=value...
 *
 * Addresses are IPv4:port. Keys: calls, seconds (stop making calls after so many), rate (calls/s; 0: closed loop),
 * window (calls in flight of the closed loop), ring, hold (ms), subscribers, run (makes Call-IDs unique),
 * patience (ms until a call has failed), search (how many requests at the trunk are searched for canaries), tell (ms
 * between two lines that say how far it is), verbose. Prints the line "ringing" when all `calls` ring, and one JSON
 * object at the end.
 *
 * Built with DIGEST it answers 407 (digest.h): subscriber N is the user `user`N of `realm` whose password is
 * `password`N, N with eight digits; keys algorithm, and reuse (1: a phone begins its next call with the nonce that it
 * has, as most do; else without credentials). The templates then have the fields cseq, next (of BYE), attempt and
 * credentials, and the Request-URI is the key `uri`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, MESSAGE = 16384, WHEEL = 1 << 15, CALLERS = 64, CHECKED = 1000, BUCKETS = 200000, ATTEMPTS = 3 };
enum { T1 = 500, T2 = 4000 }; /* ms, RFC 3261 §17.1.1.1 */

typedef struct sockaddr_in Address;

static void die(const char *what) {
    fprintf(stderr, "generator: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

/* --- templates: literal text and fields */

enum Field {
    CALL, RUN, SUBSCRIBER, CALLER, PROXY, TRUNK, TARGET, ROUTES, TO, COPIED, CSEQ, NEXT, ATTEMPT, CREDENTIALS, FIELDS
};
static const char *field_names[FIELDS] = {"call", "run",    "subscriber", "caller", "proxy",
                                          "trunk", "target", "routes",     "to",     "copied",
                                          "cseq",  "next",   "attempt",    "credentials"};
typedef struct { const char *text; int size; } Text;
#ifdef DIGEST
#include "digest.h"
static Phone *phones;
#endif
typedef struct { Text literal; int field; } Piece; /* a field of FIELDS: none follows */
typedef struct { Piece pieces[48]; int count; } Template;

enum Kind { INVITE, ACK, BYE, REFUSED, TRYING, RINGING, ANSWER, OK, KINDS };
static const char *kind_names[KINDS] = {"invite", "ack", "bye", "refused-ack", "trying", "ringing", "answer", "bye-ok"};
static Template templates[KINDS];
static Text canaries[64];
static int canary_count;

static void compile_template(Template *into, char *text, char *end) {
    while (text < end && into->count < 47) {
        char *open = memmem(text, end - text, "{{", 2), *close = open ? memmem(open, end - open, "}}", 2) : 0;
        Piece *piece = &into->pieces[into->count++];
        piece->literal = (Text){text, (close ? open : end) - text};
        piece->field = FIELDS;
        if (!close) return;
        for (int f = 0; f < FIELDS; f++)
            if ((size_t)(close - open - 2) == strlen(field_names[f]) && !memcmp(open + 2, field_names[f], close - open - 2))
                piece->field = f;
        if (piece->field == FIELDS) die("unknown field in a template");
        text = close + 2;
    }
}

/* The file: sections "%% name\n", each up to the next; the section canaries has one in a line. */
static void read_templates(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    static char text[1 << 16];
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    for (char *at = strstr(text, "%% "), *next; at; at = next) {
        char *name = at + 3, *line = strchr(name, '\n'), *body = line + 1;
        next = strstr(body, "%% ");
        char *end = next ? next : text + size;
        *line = 0;
        for (int k = 0; k < KINDS; k++)
            if (!strcmp(name, kind_names[k])) compile_template(&templates[k], body, end);
        if (!strcmp(name, "canaries"))
            for (char *stop; body < end && canary_count < 64 && (stop = memchr(body, '\n', end - body)); body = stop + 1)
                canaries[canary_count++] = (Text){body, stop - body};
    }
    for (int k = 0; k < KINDS; k++)
        if (!templates[k].count) die(kind_names[k]);
}

static int fill(const Template *from, const Text *values, char *out) {
    char *at = out;
    for (int i = 0; i < from->count; i++) {
        const Piece *piece = &from->pieces[i];
        at = mempcpy(at, piece->literal.text, piece->literal.size);
        if (piece->field != FIELDS) at = mempcpy(at, values[piece->field].text, values[piece->field].size);
    }
    return at - out;
}

/* --- reading a message */

/* Steps over one line; its length without the line's end, 0 at the empty line and at the end of the message. */
static int next_line(char **cursor, char *end, char **line) {
    char *start = *cursor, *stop = memchr(start, '\n', end - start);
    *line = start;
    if (!stop) return 0;
    *cursor = stop + 1;
    return stop - start - (stop > start && stop[-1] == '\r');
}

/* The value of a line that has this name, spaces before it left out; 0 for another line. */
static int is(char *line, int size, const char *name, Text *value) {
    int n = strlen(name);
    if (size <= n || line[n] != ':' || strncasecmp(line, name, n)) return 0;
    char *at = line + n + 1, *end = line + size;
    while (at < end && *at == ' ') at++;
    *value = (Text){at, end - at};
    return 1;
}

/* --- everything that goes on */

typedef struct { uint32_t next, prev; int slot; double due; } Timer;
typedef struct {
    uint8_t state, rang, attempt;
    uint16_t wait; /* ms until the next retransmission */
    double began, until;
    char *kept; /* To, target and routes, one after the other */
    int to, target, routes;
} Call;
typedef struct { uint8_t state; uint16_t wait; double until; Address from; char *message; int ringing, answer; } Leg;

enum { IDLE, INVITED, PROCEEDING, UP, LEAVING, DONE }; /* of a call */
enum { FRESH, RINGS, ANSWERED, CONFIRMED };            /* of a leg, the trunk's half of a call */

static long calls = 1000, seconds, rate, window = 50, ring, hold, subscribers = 1, patience = 8000, verbose, reuse, search = CHECKED, tell;
static long created, finished, good, refused, expired, resent, resent_answers, rung, checked, leaks, strangers;
static long challenges, stale, expired_in[8];
static char uri[128] = "";
static long statuses[700];
static const char *leaked = "";
static char run[24] = "r", leaked_text[128];
static Address proxy, trunk;
static char proxy_text[32], trunk_text[32], caller_text[CALLERS][32];
static struct pollfd sockets[CALLERS + 1]; /* the trunk's last */
static int callers;
static Call *book;
static Leg *legs;
static long leg_limit, leg_count;
static uint64_t *branch_hashes;
static uint32_t *branch_legs;
static uint64_t branch_mask;
static Timer *timers;
static uint32_t wheel[WHEEL];
static double now, began, wheel_at, last_done;
static uint32_t latencies[BUCKETS + 1];
static volatile sig_atomic_t stopped;
static char out[MESSAGE * 2];

/* --- timers: a wheel of milliseconds; entities are calls, then legs, counted from 1 */

static void unset(uint32_t id) {
    Timer *t = &timers[id];
    if (t->slot < 0) return;
    if (t->prev) timers[t->prev].next = t->next; else wheel[t->slot] = t->next;
    if (t->next) timers[t->next].prev = t->prev;
    t->slot = -1;
}

static void set(uint32_t id, double due) {
    Timer *t = &timers[id];
    unset(id);
    double at = (long)due + 1; /* never early */
    if (at < wheel_at + 1) at = wheel_at + 1;
    if (at - wheel_at > WHEEL - 2) at = wheel_at + WHEEL - 2;
    t->due = due;
    t->slot = (long)at & (WHEEL - 1);
    t->prev = 0;
    t->next = wheel[t->slot];
    if (t->next) timers[t->next].prev = id;
    wheel[t->slot] = id;
}

static uint32_t call_id(Call *call) { return call - book + 1; }
static uint32_t leg_id(Leg *leg) { return calls + 1 + (leg - legs); }

/* --- the caller */

static void send_to(int fd, const char *data, int size, const Address *to) {
    while (sendto(fd, data, size, 0, (const void *)to, sizeof *to) < 0 && errno == EINTR) {}
}

static void say_in(Call *call, enum Kind kind, Text to, int attempt) {
    long n = call - book;
    char number[16], subscriber[16], cseq[8], next[8], tried[4], proof[1024];
    snprintf(number, sizeof number, "%08lx", n);
    snprintf(subscriber, sizeof subscriber, "%08u", (unsigned)(n % subscribers));
    int from = n % callers;
    Text values[FIELDS] = {
        [CALL] = {number, 8}, [RUN] = {run, strlen(run)}, [SUBSCRIBER] = {subscriber, 8},
        [CALLER] = {caller_text[from], strlen(caller_text[from])}, [PROXY] = {proxy_text, strlen(proxy_text)},
        [TRUNK] = {"", 0}, [COPIED] = {"", 0}, [TO] = to, [TARGET] = {"", 0}, [ROUTES] = {"", 0},
        [CSEQ] = {cseq, snprintf(cseq, sizeof cseq, "%d", attempt + 1)},
        [NEXT] = {next, snprintf(next, sizeof next, "%d", attempt + 2)},
        [ATTEMPT] = {tried, snprintf(tried, sizeof tried, "%d", attempt)}, [CREDENTIALS] = {proof, 0}};
    if (call->kept) {
        values[TO] = (Text){call->kept, call->to};
        values[TARGET] = (Text){call->kept + call->to, call->target};
        values[ROUTES] = (Text){call->kept + call->to + call->target, call->routes};
    }
#ifdef DIGEST
    Phone *phone = &phones[n % subscribers];
    if (kind == INVITE && *phone->nonce && (attempt || reuse))
        values[CREDENTIALS].size = credentials(phone, n % subscribers, "INVITE", uri, proof, sizeof proof);
#endif
    send_to(sockets[from].fd, out, fill(&templates[kind], values, out), &proxy);
}

static void say(Call *call, enum Kind kind, Text to) { say_in(call, kind, to, call->attempt); }

static void repeat_at(Call *call, uint16_t wait) {
    call->wait = wait;
    set(call_id(call), now + wait < call->until ? now + wait : call->until);
}

static void end_call(Call *call) {
    call->state = DONE;
    free(call->kept);
    call->kept = 0;
    unset(call_id(call));
    finished++;
    last_done = now;
}

static void begin_call(void) {
    Call *call = &book[created++];
    call->state = INVITED;
    call->began = now;
    call->until = now + ring + patience;
    say(call, INVITE, (Text){"", 0});
    repeat_at(call, T1);
}

static void leave(Call *call) {
    call->state = LEAVING;
    call->until = now + patience;
    say(call, BYE, (Text){"", 0});
    repeat_at(call, T1);
}

static void call_timer(Call *call) {
    if (call->state == UP) { leave(call); return; }
    if (now >= call->until) { expired++; expired_in[call->state]++; end_call(call); return; }
    if (call->state == PROCEEDING) { set(call_id(call), call->until); return; }
    resent++;
    say(call, call->state == INVITED ? INVITE : BYE, (Text){"", 0});
    repeat_at(call, call->state == INVITED || call->wait * 2 < T2 ? call->wait * 2 : T2);
}

static void keep_dialog(Call *call, Text to, Text contact, char *routes, int size) {
    const char *open = memchr(contact.text, '<', contact.size);
    if (open) {
        open++;
        const char *close = memchr(open, '>', contact.text + contact.size - open);
        contact = (Text){open, close ? close - open : 0};
    }
    call->to = to.size, call->target = contact.size, call->routes = size;
    call->kept = malloc(to.size + contact.size + size + 1);
    memcpy(mempcpy(mempcpy(call->kept, to.text, to.size), contact.text, contact.size), routes, size);
}

/* Tells whether a refusal was a challenge that the call goes on after. */
static int challenged(Call *call, int code, Text value, Text to, int attempt) {
#ifdef DIGEST
    if (code != 407 || !value.text || call->state > PROCEEDING) return 0;
    if (attempt < call->attempt) { say_in(call, REFUSED, to, attempt); return 1; } /* once more: its ACK was lost */
    int old = memmem(value.text, value.size, "stale=true", 10) != 0;
    if (attempt + 1 == ATTEMPTS || (attempt && !old)) return 0;
    if (!take_challenge(&phones[(call - book) % subscribers], value)) return 0;
    say(call, REFUSED, to);
    challenges++;
    stale += old;
    call->attempt++;
    call->state = INVITED;
    say(call, INVITE, (Text){"", 0});
    repeat_at(call, T1);
    return 1;
#else
    (void)call, (void)code, (void)value, (void)to, (void)attempt;
    return 0;
#endif
}

/* Whether a challenge is one that this generator can answer: proxies offer several, the strongest first. */
static int is_ours(Text value) {
#ifdef DIGEST
    char wanted[32];
    return memmem(value.text, value.size, wanted, snprintf(wanted, sizeof wanted, "algorithm=%s,", algorithm)) != 0;
#else
    (void)value;
    return 0;
#endif
}

static void hear_response(char *message, int size) {
    char *cursor = message, *end = message + size, *line, routes[MESSAGE];
    Text id = {0, 0}, to = {0, 0}, contact = {"", 0}, cseq = {0, 0}, challenge = {0, 0}, value;
    int first = sizeof routes, length = next_line(&cursor, end, &line), code = length > 12 ? atoi(line + 8) : 0;
    while ((length = next_line(&cursor, end, &line))) {
        if (is(line, length, "Record-Route", &value)) { /* §12.1.2: the route set is the list, reversed */
            if (first < value.size + 16) return;
            first -= value.size + 9;
            memcpy(mempcpy(mempcpy(routes + first, "Route: ", 7), value.text, value.size), "\r\n", 2);
        } else if (!is(line, length, "Call-ID", &id) && !is(line, length, "To", &to) && !is(line, length, "CSeq", &cseq))
            if (!is(line, length, "Contact", &contact) && code == 407 && is(line, length, "Proxy-Authenticate", &value) &&
                is_ours(value))
                challenge = value;
    }
    char *stop = 0;
    long n = id.text ? strtol(id.text, &stop, 16) : -1;
    if (n < 0 || n >= created || code < 100 || code > 699 || !cseq.text || *stop != '-' || strncmp(stop + 1, run, strlen(run))) {
        strangers++;
        return;
    }
    Call *call = &book[n];
    if (call->state == DONE) return;
    int attempt = atoi(cseq.text) - 1;
    if (cseq.size > 3 && !memcmp(cseq.text + cseq.size - 3, "BYE", 3)) {
        if (call->state != LEAVING || code < 200) return;
        if (code < 300) good++; else { statuses[code]++; refused++; }
        end_call(call);
    } else if (attempt > call->attempt) {
        strangers++;
    } else if (code >= 300) {
        if (call->state > PROCEEDING || challenged(call, code, challenge, to, attempt)) return;
        say(call, REFUSED, to);
        statuses[code]++;
        refused++;
        end_call(call);
    } else if (code >= 200) {
        if (call->state > PROCEEDING) { say(call, ACK, to); return; }
        double took = (now - call->began) * 20;
        latencies[took < BUCKETS ? (int)took : BUCKETS]++;
        keep_dialog(call, to, contact, routes + first, sizeof routes - first);
        say(call, ACK, to);
        call->state = UP;
        if (hold) set(call_id(call), now + hold); else leave(call);
    } else {
        if (code == 180 && !call->rang) { call->rang = 1; if (++rung == calls) { puts("ringing"); fflush(stdout); } }
        if (call->state == INVITED) { call->state = PROCEEDING; set(call_id(call), call->until); }
    }
}

/* --- the trunk */

static Leg *leg_of(Text branch) { /* by the branch: a retransmission finds the leg that it made */
    uint64_t hash = 1469598103934665603u;
    for (int i = 0; i < branch.size; i++) hash = (hash ^ (unsigned char)branch.text[i]) * 1099511628211u;
    uint64_t at = hash & branch_mask;
    while (branch_hashes[at] && branch_hashes[at] != hash) at = (at + 1) & branch_mask;
    if (branch_hashes[at]) return &legs[branch_legs[at]];
    if (leg_count == leg_limit) return 0;
    branch_hashes[at] = hash;
    branch_legs[at] = leg_count;
    return &legs[leg_count++];
}

static void answer(Leg *leg) {
    send_to(sockets[callers].fd, leg->message + leg->ringing, leg->answer, &leg->from);
    leg->state = ANSWERED;
    set(leg_id(leg), now + leg->wait);
}

static void leg_timer(Leg *leg) {
    if (leg->state == ANSWERED) {
        if (now >= leg->until) return;
        resent_answers++;
        leg->wait = leg->wait * 2 < T2 ? leg->wait * 2 : T2;
    }
    answer(leg);
}

static void confirm(Leg *leg) {
    if (leg->state == CONFIRMED) return;
    unset(leg_id(leg));
    leg->state = CONFIRMED;
    free(leg->message);
    leg->message = 0;
}

static void look_for_canaries(char *message, int size) {
    checked++;
    for (int i = 0; i < canary_count; i++)
        if (memmem(message, size, canaries[i].text, canaries[i].size)) {
            leaks++;
            if (!*leaked) {
                snprintf(leaked_text, sizeof leaked_text, "%.*s", canaries[i].size, canaries[i].text);
                leaked = leaked_text;
            }
            return;
        }
}

static void hear_invite(Text *values, Text branch, const Address *from) {
    Leg *leg = leg_of(branch);
    if (!leg || leg->state == CONFIRMED) return;
    if (leg->state == FRESH) {
        int trying = fill(&templates[TRYING], values, out);
        send_to(sockets[callers].fd, out, trying, from);
        leg->ringing = fill(&templates[RINGING], values, out);
        leg->answer = fill(&templates[ANSWER], values, out + leg->ringing);
        leg->message = malloc(leg->ringing + leg->answer);
        memcpy(leg->message, out, leg->ringing + leg->answer);
        leg->from = *from;
        leg->state = RINGS;
        leg->wait = T1;
        leg->until = now + ring + patience;
        send_to(sockets[callers].fd, leg->message, leg->ringing, from);
        if (ring) set(leg_id(leg), now + ring); else answer(leg);
    } else if (leg->state == RINGS) {
        send_to(sockets[callers].fd, leg->message, leg->ringing, from);
    } else {
        send_to(sockets[callers].fd, leg->message + leg->ringing, leg->answer, from);
    }
}

static void hear_request(char *message, int size, const Address *from) {
    char *cursor = message, *end = message + size, *line, copied[MESSAGE], *at = copied;
    char invite = !strncmp(message, "INVITE ", 7), ack = !strncmp(message, "ACK ", 4), bye = !strncmp(message, "BYE ", 4);
    if (checked < search) look_for_canaries(message, size);
    if (!invite && !ack && !bye) { strangers++; return; }
    Text value, via = {0, 0}, tag = {0, 0};
    char *tag_at = 0;
    int length = next_line(&cursor, end, &line);
    while ((length = next_line(&cursor, end, &line))) {
        int to = is(line, length, "To", &value), is_via = !to && is(line, length, "Via", &value);
        if (is_via && !via.text) via = value;
        if (to && !invite) {
            const char *found = memmem(value.text, value.size, ";tag=leg", 8);
            if (found) tag = (Text){found + 8, value.text + value.size - found - 8};
        }
        if (!to && !is_via && !is(line, length, "From", &value) && !is(line, length, "Call-ID", &value) &&
            !is(line, length, "CSeq", &value) && !(invite && is(line, length, "Record-Route", &value)))
            continue;
        if (at - copied + length > MESSAGE - 64) return;
        at = mempcpy(at, line, length);
        if (to && invite) { at = mempcpy(at, ";tag=leg00000000", 16); tag_at = at - 8; }
        at = mempcpy(at, "\r\n", 2);
    }
    if (ack) {
        unsigned long n = tag.text ? strtoul(tag.text, 0, 16) : 0;
        if (tag.text && n < (unsigned long)leg_count) confirm(&legs[n]);
        return;
    }
    Text values[FIELDS] = {[TRUNK] = {trunk_text, strlen(trunk_text)}, [COPIED] = {copied, at - copied}};
    if (bye) { send_to(sockets[callers].fd, out, fill(&templates[OK], values, out), from); return; }
    const char *branch = via.text ? memmem(via.text, via.size, "branch=", 7) : 0;
    if (!branch || !tag_at) { strangers++; return; }
    Text rest = {branch, 0};
    while (branch + rest.size < via.text + via.size && branch[rest.size] != ';') rest.size++;
    char number[9];
    Leg *leg = leg_of(rest);
    if (!leg) return;
    snprintf(number, sizeof number, "%08lx", (long)(leg - legs));
    memcpy(tag_at, number, 8);
    hear_invite(values, rest, from);
}

/* --- the loop */

static void advance(void) {
    while (wheel_at + 1 <= now) {
        uint32_t id = wheel[(long)++wheel_at & (WHEEL - 1)], next;
        for (; id; id = next) {
            next = timers[id].next;
            if (timers[id].due > now) { set(id, timers[id].due); continue; } /* further ahead than the wheel reaches */
            unset(id);
            if (id <= calls) call_timer(&book[id - 1]); else leg_timer(&legs[id - calls - 1]);
        }
    }
}

static int receive(int which) {
    static char buffers[BATCH][MESSAGE];
    static Address sources[BATCH];
    static struct iovec vectors[BATCH];
    static struct mmsghdr headers[BATCH];
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){buffers[i], MESSAGE - 1};
        headers[i].msg_hdr = (struct msghdr){.msg_name = &sources[i], .msg_namelen = sizeof(Address),
                                             .msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(sockets[which].fd, headers, BATCH, MSG_DONTWAIT, 0);
    for (int i = 0; i < count; i++) {
        int size = headers[i].msg_len;
        buffers[i][size] = 0;
        if (verbose && checked <= verbose) fprintf(stderr, "---- to the %s\n%s\n", which == callers ? "trunk" : "caller", buffers[i]);
        if (which == callers) hear_request(buffers[i], size, &sources[i]);
        else hear_response(buffers[i], size);
    }
    return count > 0 ? count : 0;
}

static double launch(double next, double *late) { /* returns when the next call is due */
    if (created == calls || (seconds && now >= began + seconds * 1e3)) return -1;
    if (!rate) {
        for (int i = 0; i < BATCH && created < calls && created - finished < window; i++) begin_call();
        return now + 1e3;
    }
    for (int i = 0; i < BATCH && created < calls && next <= now; i++, next += 1e3 / rate) {
        if (now - next > *late) *late = now - next;
        begin_call();
    }
    return next;
}

static void idle(double until) {
    double wait = until - clock_ms();
    if (wait <= 0) return;
    struct timespec t = {0, (long)(wait * 1e6)};
    if (ppoll(sockets, callers + 1, &t, 0) < 0 && errno != EINTR) die("poll");
}

static void tell_progress(void) {
    printf("{\"at\":%.3f,\"created\":%ld,\"completed\":%ld,\"refused\":%ld,\"expired\":%ld,\"retransmissions\":%ld,"
           "\"leaks\":%ld}\n", (now - began) / 1e3, created, good, refused, expired, resent + resent_answers, leaks);
    fflush(stdout);
}

static double play(void) {
    double next, late = 0, told;
    now = wheel_at = began = last_done = next = told = clock_ms();
    wheel_at = (long)wheel_at;
    while (!stopped) {
        now = clock_ms();
        double upcoming = launch(next, &late);
        if (upcoming < 0 && created == finished) break;
        if (rate && upcoming > 0) next = upcoming;
        if (now - last_done > 2 * patience + ring + hold) break;
        if (tell && now >= told + tell) { tell_progress(); told += tell; }
        advance();
        int heard = 0;
        if (callers > 4 && poll(sockets, callers + 1, 0) < 0 && errno != EINTR) die("poll");
        for (int i = 0; i <= callers; i++)
            if (callers <= 4 || sockets[i].revents) heard += receive(i);
        double tick = wheel_at + 1;
        if (!heard) idle(upcoming >= 0 && upcoming < tick ? upcoming : tick);
    }
    return late;
}

/* --- beginning and end */

static Address address(const char *text) {
    char host[32];
    int port = 0;
    Address a = {.sin_family = AF_INET};
    if (sscanf(text, "%31[0-9.]:%d", host, &port) != 2 || !inet_aton(host, &a.sin_addr)) die(text);
    a.sin_port = htons(port);
    return a;
}

static int bound(const char *text) {
    Address a = address(text);
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (fd < 0 || bind(fd, (void *)&a, sizeof a)) die(text);
    return fd;
}

static void open_sockets(char *caller, const char *trunk_address) {
    char *comma = strchr(caller, ',');
    char *host = strdup(caller);
    *strchr(host, ':') = 0;
    if (comma) *comma++ = 0;
    snprintf(caller_text[callers++], 32, "%s", caller);
    for (char *port = comma ? strtok(comma, ",") : 0; port && callers < CALLERS; port = strtok(0, ","))
        if (strchr(port, ':')) snprintf(caller_text[callers++], 32, "%s", port);
        else snprintf(caller_text[callers++], 32, "%s:%s", host, port);
    for (int i = 0; i < callers; i++) sockets[i] = (struct pollfd){bound(caller_text[i]), POLLIN, 0};
    snprintf(trunk_text, sizeof trunk_text, "%s", trunk_address);
    sockets[callers] = (struct pollfd){bound(trunk_text), POLLIN, 0};
    free(host);
}

static void option(char *text) {
    struct { const char *key; long *value; } known[] = {
        {"calls", &calls}, {"seconds", &seconds}, {"rate", &rate}, {"window", &window}, {"ring", &ring}, {"hold", &hold},
        {"subscribers", &subscribers}, {"patience", &patience}, {"verbose", &verbose},
        {"search", &search}, {"tell", &tell}, {"reuse", &reuse}};
    char *equals = strchr(text, '=');
    if (equals) *equals = 0;
    if (equals && !strcmp(text, "run")) { snprintf(run, sizeof run, "%s", equals + 1); return; }
    if (equals && !strcmp(text, "uri")) { snprintf(uri, sizeof uri, "%s", equals + 1); return; }
#ifdef DIGEST
    struct { const char *key; const char **value; } words[] = {
        {"algorithm", &algorithm}, {"realm", &realm}, {"user", &user}, {"password", &password}};
    for (unsigned i = 0; equals && i < sizeof words / sizeof *words; i++)
        if (!strcmp(text, words[i].key)) { *words[i].value = equals + 1; return; }
#endif
    for (unsigned i = 0; equals && i < sizeof known / sizeof *known; i++)
        if (!strcmp(text, known[i].key)) { *known[i].value = atol(equals + 1); return; }
    errno = EINVAL;
    die(text);
}

static void allocate(void) {
    leg_limit = calls * 2 + 16;
    for (branch_mask = 1024; branch_mask < (uint64_t)leg_limit * 2; branch_mask *= 2) {}
    branch_hashes = calloc(branch_mask, sizeof *branch_hashes);
    branch_legs = calloc(branch_mask, sizeof *branch_legs);
    branch_mask--;
    book = calloc(calls, sizeof *book);
    legs = calloc(leg_limit, sizeof *legs);
    timers = calloc(calls + leg_limit + 1, sizeof *timers);
    if (!branch_hashes || !branch_legs || !book || !legs || !timers) die("memory");
#ifdef DIGEST
    if (!(phones = make_phones(subscribers))) die("memory");
#endif
    for (long i = 0; i <= calls + leg_limit; i++) timers[i].slot = -1;
}

static double percentile(double share) { /* of 1: the longest, as far as there are buckets */
    uint64_t all = 0, seen = 0;
    for (int i = 0; i <= BUCKETS; i++) all += latencies[i];
    for (int i = 0; i <= BUCKETS && all; i++)
        if ((seen += latencies[i]) >= all * share) return (i + 1) / 20.0;
    return 0;
}

static void report(double late) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    double elapsed = (last_done - began) / 1e3;
    printf("{\"created\":%ld,\"completed\":%ld,\"refused\":%ld,\"expired\":%ld,\"unfinished\":%ld,\"elapsed\":%.3f,", created,
           good, refused, expired, created - finished, elapsed);
    printf("\"retransmissions\":%ld,\"setup_p50\":%.2f,\"setup_p95\":%.2f,\"setup_p99\":%.2f,\"setup_max\":%.2f,", resent + resent_answers,
           percentile(.5), percentile(.95), percentile(.99), percentile(1));
    printf("\"challenges\":%ld,\"stale\":%ld,\"expired_in\":{\"no answer\":%ld,\"after 1xx\":%ld,\"BYE\":%ld},", challenges,
           stale, expired_in[INVITED], expired_in[PROCEEDING], expired_in[LEAVING]);
    printf("\"late\":%.1f,\"own_cpu\":%.1f,\"checked\":%ld,\"leaks\":%ld,\"leaked\":\"%s\",\"strangers\":%ld,\"statuses\":{", late,
           cpu, checked, leaks, leaked, strangers);
    const char *comma = "";
    for (int i = 0; i < 700; i++)
        if (statuses[i]) { printf("%s\"%d\":%ld", comma, i, statuses[i]); comma = ","; }
    puts("}}");
}

static void stop(int number) { (void)number; stopped = 1; }

int main(int count, char **words) {
    if (count < 5) { fprintf(stderr, "usage: generator PROXY CALLER[,PORT...] TRUNK TEMPLATES key=value...\n"); return 2; }
    for (int i = 5; i < count; i++) option(words[i]);
    proxy = address(words[1]);
    trunk = address(words[3]);
    snprintf(proxy_text, sizeof proxy_text, "%s", words[1]);
    read_templates(words[4]);
    allocate();
    open_sockets(words[2], words[3]);
    prctl(PR_SET_TIMERSLACK, 1000L); /* ns: calls shall begin when they are due, not 50 us later */
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    report(play());
    return 0;
}
