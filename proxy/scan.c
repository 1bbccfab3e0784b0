/* The compiled core's proxy/scan.py, which says what each function does. Here is only what C needs besides.

   Everything is looked at where it stands, in the bytes that came; objects are made when it is certain that they are
   wanted. No pointer moves without its end beside it: bytes may hold anything, NUL included. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define MOST 256 /* header lines, as in scan.py */
#define CLUE 3   /* bytes of a line that tell its name, as in shape.py */

/* What may stand among letters and digits (RFC 3261, section 25.1). */
#define TOKEN "-.!%*_+`'~"
#define WORD TOKEN "()<>:\\\"/[]?{}"
#define USER "-_.!~*'()&=+$,;/%#" /* less the '?' */

typedef struct {
    const char *text;
    Py_ssize_t size;
} Piece;

static Piece
piece_of(PyObject *bytes)
{
    return (Piece){PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)};
}

static PyObject *
bytes_of(Piece piece)
{
    return PyBytes_FromStringAndSize(piece.text, piece.size);
}

/* A tuple of new references; NULL, and none of them left, if one of them could not be made. */
static PyObject *
tuple_of(PyObject **items, Py_ssize_t count)
{
    int complete = 1;
    for (Py_ssize_t each = 0; each < count; each++)
        complete &= items[each] != NULL;
    PyObject *tuple = complete ? PyTuple_New(count) : NULL;
    for (Py_ssize_t each = 0; each < count; each++) {
        if (tuple != NULL)
            PyTuple_SET_ITEM(tuple, each, items[each]);
        else
            Py_XDECREF(items[each]);
    }
    return tuple;
}

/* Whether there are as many arguments as wanted, the first of them bytes; else an error is set. */
static int
takes(Py_ssize_t wanted, Py_ssize_t bytes, PyObject *const *arguments, Py_ssize_t count)
{
    int fit = count == wanted;
    for (Py_ssize_t each = 0; fit && each < bytes; each++)
        fit = PyBytes_CheckExact(arguments[each]);
    if (!fit)
        PyErr_Format(PyExc_TypeError, "%zd arguments expected, the first %zd of them bytes", wanted, bytes);
    return fit;
}

/* --- scan */

/* Note the lines of a head, up to the empty line that ends it.

   Returns how many, the start line among them; 0 where the head has no end, too many lines, one that is too long, or
   a bare CR or LF. */
static Py_ssize_t
find_lines(Piece data, Py_ssize_t most, Py_ssize_t longest, Piece *lines)
{
    const char *at = data.text, *end = data.text + data.size;
    for (Py_ssize_t count = 0; count <= most + 1; count++) {
        const char *stop = memchr(at, '\r', end - at);
        if (stop == NULL || end - stop < 2 || stop[1] != '\n' || memchr(at, '\n', stop - at) != NULL)
            return 0;
        if (stop == at && count > 0)
            return count;
        if (stop - at > longest || count > most)
            return 0;
        lines[count] = (Piece){at, stop - at};
        at = stop + 2;
    }
    return 0;
}

/* What is known of messages whose lines begin so: a pair, borrowed; NULL, with or without an error, if there is none. */
static PyObject *
look_up(PyObject *known, const Piece *lines, Py_ssize_t count)
{
    char clue[MOST * CLUE];
    Py_ssize_t size = 0;
    for (Py_ssize_t each = 0; each < count; each++) {
        Py_ssize_t length = Py_MIN(lines[each].size, CLUE);
        memcpy(clue + size, lines[each].text, length);
        size += length;
    }
    PyObject *key = PyBytes_FromStringAndSize(clue, size);
    if (key == NULL)
        return NULL;
    PyObject *pair = PyDict_GetItemWithError(known, key);
    Py_DECREF(key);
    if (pair != NULL && !(PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair) == 2 &&
                          PyTuple_CheckExact(PyTuple_GET_ITEM(pair, 0)))) {
        PyErr_SetString(PyExc_TypeError, "known has to hold pairs that begin with a tuple");
        return NULL;
    }
    return pair;
}

static int
begin_with(const Piece *lines, Py_ssize_t count, PyObject *starts)
{
    if (PyTuple_GET_SIZE(starts) != count)
        return 0;
    for (Py_ssize_t each = 0; each < count; each++) {
        PyObject *start = PyTuple_GET_ITEM(starts, each);
        if (!PyBytes_CheckExact(start) || PyBytes_GET_SIZE(start) > lines[each].size ||
            memcmp(PyBytes_AS_STRING(start), lines[each].text, PyBytes_GET_SIZE(start)) != 0)
            return 0;
    }
    return 1;
}

static PyObject *
list_of(const Piece *lines, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    for (Py_ssize_t each = 0; list != NULL && each < count; each++) {
        PyObject *line = bytes_of(lines[each]);
        if (line == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, each, line);
    }
    return list;
}

static PyObject *
scan(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (!takes(4, 1, arguments, count))
        return NULL;
    PyObject *known = arguments[1];
    if (!PyDict_CheckExact(known)) {
        PyErr_SetString(PyExc_TypeError, "a dictionary expected");
        return NULL;
    }
    Py_ssize_t most = PyLong_AsSsize_t(arguments[2]), longest = PyLong_AsSsize_t(arguments[3]);
    if ((most == -1 || longest == -1) && PyErr_Occurred())
        return NULL;

    Piece data = piece_of(arguments[0]), found[1 + MOST], *lines = found + 1; /* behind the start line */
    Py_ssize_t size = find_lines(data, Py_MIN(most, MOST), longest, found) - 1;
    PyObject *pair = size > 0 ? look_up(known, lines, size) : NULL;
    if (pair == NULL && PyErr_Occurred())
        return NULL;
    if (pair == NULL || !begin_with(lines, size, PyTuple_GET_ITEM(pair, 0)))
        Py_RETURN_NONE;

    const char *body = lines[size - 1].text + lines[size - 1].size + 4; /* past its CRLF and that of the empty line */
    PyObject *what = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
    return tuple_of((PyObject *[]){bytes_of(found[0]), what, list_of(lines, size),
                                   bytes_of((Piece){body, data.text + data.size - body})}, 4);
}

/* --- what stands in a line */

static PyObject *
pair_of(Piece one, Piece other)
{
    return tuple_of((PyObject *[]){bytes_of(one), bytes_of(other)}, 2);
}

/* Where the first letter stands that is no letter, digit or mark; else the end. */
static const char *
behind_all(const char *at, const char *end, const char *marks)
{
    while (at < end && (Py_ISALNUM(*at) || (*at != '\0' && strchr(marks, *at) != NULL)))
        at++;
    return at;
}

static PyObject *
request_line(PyObject *Py_UNUSED(module), PyObject *argument)
{
    static const char version[] = " SIP/2.0";
    if (!takes(1, 1, &argument, 1))
        return NULL;
    Piece line = piece_of(argument);
    Py_ssize_t words = line.size - (Py_ssize_t)strlen(version);
    if (words < 0 || memcmp(line.text + words, version, strlen(version)) != 0)
        Py_RETURN_NONE;
    const char *end = line.text + words, *space = memchr(line.text, ' ', words);
    if (space == NULL || space == line.text)
        Py_RETURN_NONE;
    Piece method = {line.text, space - line.text}, uri = {space + 1, end - space - 1};
    if (uri.size == 0 || memchr(uri.text, ' ', uri.size) != NULL || memchr(uri.text, '\t', uri.size) != NULL)
        Py_RETURN_NONE;
    return pair_of(method, uri);
}

static const char *
find(Piece line, Piece mark)
{
    const char *at = line.text, *end = line.text + line.size;
    while (mark.size > 0 && end - at >= mark.size) {
        at = memchr(at, mark.text[0], end - at - mark.size + 1);
        if (at == NULL || memcmp(at, mark.text, mark.size) == 0)
            return at;
        at++;
    }
    return NULL;
}

static PyObject *
cut(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (!takes(2, 2, arguments, count))
        return NULL;
    Piece line = piece_of(arguments[0]), mark = piece_of(arguments[1]);
    const char *end = line.text + line.size, *found = find(line, mark);
    if (found == NULL)
        Py_RETURN_NONE;
    const char *token = found + mark.size, *behind = behind_all(token, end, TOKEN);
    if (behind == token || (behind < end && *behind != ';'))
        Py_RETURN_NONE;
    return tuple_of((PyObject *[]){bytes_of((Piece){line.text, found - line.text}),
                                   bytes_of((Piece){token, behind - token}), bytes_of((Piece){behind, end - behind})}, 3);
}

/* The value of a line, in it; text is NULL where the line is folded. */
static Piece
value_in(Piece line)
{
    const char *end = line.text + line.size, *at = memchr(line.text, ':', line.size);
    if (memchr(line.text, '\n', line.size) != NULL)
        return (Piece){NULL, 0};
    if (at == NULL)
        return (Piece){end, 0};
    at++;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (Piece){at, end - at};
}

static PyObject *
plain_value(PyObject *Py_UNUSED(module), PyObject *line)
{
    if (!takes(1, 1, &line, 1))
        return NULL;
    Piece found = value_in(piece_of(line));
    if (found.text == NULL)
        Py_RETURN_NONE;
    return bytes_of(found);
}

static PyObject *
call_id(PyObject *Py_UNUSED(module), PyObject *line)
{
    if (!takes(1, 1, &line, 1))
        return NULL;
    Piece found = value_in(piece_of(line));
    if (found.text == NULL)
        Py_RETURN_NONE;
    const char *end = found.text + found.size, *word = found.text, *at = behind_all(word, end, WORD);
    if (at > word && at < end && *at == '@') {
        word = at + 1;
        at = behind_all(word, end, WORD);
    }
    if (at == word || at < end)
        Py_RETURN_NONE;
    return bytes_of(found);
}

static PyObject *
sip_user(PyObject *Py_UNUSED(module), PyObject *argument)
{
    if (!takes(1, 1, &argument, 1))
        return NULL;
    Piece uri = piece_of(argument);
    if (uri.size < 4 || memcmp(uri.text, "sip:", 4) != 0)
        Py_RETURN_NONE;
    const char *user = uri.text + 4, *end = uri.text + uri.size, *at = behind_all(user, end, USER);
    if (at == user || at == end || *at != '@' || memchr(at, '?', end - at) != NULL)
        Py_RETURN_NONE;
    return pair_of((Piece){user, at - user}, (Piece){at + 1, end - at - 1});
}

static PyMethodDef functions[] = {
    {"scan", (PyCFunction)(void (*)(void))scan, METH_FASTCALL, NULL},
    {"request_line", request_line, METH_O, NULL},
    {"cut", (PyCFunction)(void (*)(void))cut, METH_FASTCALL, NULL},
    {"plain_value", plain_value, METH_O, NULL},
    {"call_id", call_id, METH_O, NULL},
    {"sip_user", sip_user, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "proxy.scan", .m_methods = functions};

PyMODINIT_FUNC
PyInit_scan(void)
{
    return PyModuleDef_Init(&definition);
}
