/* The compiled core's proxy/letters.py, which says what each function does. Here is only what C needs besides.

   Each result has its size before it is made, and is filled from front to back. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char sixths[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.";

static unsigned char of_base64url[256], of_sixths[256]; /* what each letter counts; NONE for all others */
#define NONE 0xFF

static void
fill(unsigned char *counts, const char *letters)
{
    memset(counts, NONE, 256);
    for (int each = 0; letters[each] != '\0'; each++)
        counts[(unsigned char)letters[each]] = each;
}

static int
is_bytes(PyObject *argument)
{
    if (!PyBytes_CheckExact(argument))
        PyErr_SetString(PyExc_TypeError, "bytes expected");
    return PyBytes_CheckExact(argument);
}

/* Write bytes as letters of so many bits each, as many bytes at once as make whole letters: three, or five.

   What is missing of the last ones counts as zeros, of which no letters are written. */
static inline PyObject *
encode(PyObject *token, const char *letters, const int width, const int group)
{
    if (!is_bytes(token))
        return NULL;
    const unsigned char *at = (const unsigned char *)PyBytes_AS_STRING(token), *end = at + PyBytes_GET_SIZE(token);
    PyObject *text = PyBytes_FromStringAndSize(NULL, (PyBytes_GET_SIZE(token) * 8 + width - 1) / width);
    if (text == NULL)
        return NULL;
    char *out = PyBytes_AS_STRING(text);
    const uint64_t mask = (1u << width) - 1;
    for (; end - at >= group; at += group) {
        uint64_t bits = 0;
#pragma GCC unroll 5
        for (int each = 0; each < group; each++)
            bits = bits << 8 | at[each];
#pragma GCC unroll 8
        for (int left = group * 8 - width; left >= 0; left -= width)
            *out++ = letters[bits >> left & mask];
    }
    uint64_t bits = 0;
    int count = 0;
    for (; at < end; count += 8)
        bits = bits << 8 | *at++;
    for (; count > 0; count -= width)
        *out++ = letters[(count >= width ? bits >> (count - width) : bits << (width - count)) & mask];
    return text;
}

static PyObject *
to_base64(PyObject *Py_UNUSED(module), PyObject *token)
{
    return encode(token, base64url, 6, 3);
}

static PyObject *
to_base32(PyObject *Py_UNUSED(module), PyObject *token)
{
    return encode(token, base32, 5, 5);
}

/* Put letters of six bits together behind so many bits that are already there, to whole bytes.

   Returns the bits that are left over at the end; -1 for a letter that counts nothing. */
static int
gather(PyObject *text, const unsigned char *counts, unsigned bits, int count, char *out)
{
    const unsigned char *at = (const unsigned char *)PyBytes_AS_STRING(text), *end = at + PyBytes_GET_SIZE(text);
    while (at < end) {
        unsigned char digit = counts[*at++];
        if (digit == NONE)
            return -1;
        bits = bits << 6 | digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = (char)(bits >> count);
        }
    }
    return (int)(bits & ((1u << count) - 1));
}

static PyObject *
nothing(PyObject *instead)
{
    Py_DECREF(instead);
    return PyBytes_FromStringAndSize(NULL, 0);
}

static PyObject *
from_base64(PyObject *Py_UNUSED(module), PyObject *text)
{
    if (!is_bytes(text))
        return NULL;
    Py_ssize_t size = PyBytes_GET_SIZE(text);
    PyObject *token = PyBytes_FromStringAndSize(NULL, size / 4 * 3 + size % 4 * 3 / 4);
    if (token == NULL)
        return NULL;
    /* One letter alone is no byte; and what is left over of the last one is zeros. */
    if (size % 4 == 1 || gather(text, of_base64url, 0, 0, PyBytes_AS_STRING(token)) != 0)
        return nothing(token);
    return token;
}

static PyObject *
to_sixths(PyObject *Py_UNUSED(module), PyObject *text)
{
    if (!is_bytes(text))
        return NULL;
    Py_ssize_t size = PyBytes_GET_SIZE(text);
    /* The leading one, and as many zeros before it as make whole bytes of it and what follows: eight for none. */
    int zeros = (int)(7 - size % 4 * 6 % 8);
    PyObject *packed = PyBytes_FromStringAndSize(NULL, size / 4 * 3 + (size % 4 * 6 + 1 + zeros) / 8);
    if (packed == NULL)
        return NULL;
    char *out = PyBytes_AS_STRING(packed);
    if (zeros == 7)
        *out++ = 1;
    if (gather(text, of_sixths, 1, zeros == 7 ? 0 : zeros + 1, out) < 0)
        return nothing(packed);
    return packed;
}

/* The digits of a length and a colon, at the end of room for them; returns where they begin. */
static char *
digits(Py_ssize_t length, char *end)
{
    *--end = ':';
    do
        *--end = (char)('0' + length % 10);
    while ((length /= 10) > 0);
    return end;
}

static PyObject *
with_lengths(PyObject *Py_UNUSED(module), PyObject *parts)
{
    char room[24], *end = room + sizeof room;
    Py_ssize_t size = 0;
    if (!PyTuple_CheckExact(parts)) {
        PyErr_SetString(PyExc_TypeError, "tuple expected");
        return NULL;
    }
    for (Py_ssize_t each = 0; each < PyTuple_GET_SIZE(parts); each++) {
        PyObject *part = PyTuple_GET_ITEM(parts, each);
        if (!is_bytes(part))
            return NULL;
        size += end - digits(PyBytes_GET_SIZE(part), end) + PyBytes_GET_SIZE(part);
    }
    PyObject *joined = PyBytes_FromStringAndSize(NULL, size);
    if (joined == NULL)
        return NULL;
    char *out = PyBytes_AS_STRING(joined);
    for (Py_ssize_t each = 0; each < PyTuple_GET_SIZE(parts); each++) {
        PyObject *part = PyTuple_GET_ITEM(parts, each);
        char *begin = digits(PyBytes_GET_SIZE(part), end);
        memcpy(out, begin, end - begin);
        memcpy(out + (end - begin), PyBytes_AS_STRING(part), PyBytes_GET_SIZE(part));
        out += end - begin + PyBytes_GET_SIZE(part);
    }
    return joined;
}

static PyMethodDef functions[] = {
    {"to_base64", to_base64, METH_O, NULL},
    {"from_base64", from_base64, METH_O, NULL},
    {"to_base32", to_base32, METH_O, NULL},
    {"to_sixths", to_sixths, METH_O, NULL},
    {"with_lengths", with_lengths, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int
prepare(PyObject *Py_UNUSED(module))
{
    fill(of_base64url, base64url);
    fill(of_sixths, sixths);
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "letters", .m_methods = functions, .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_letters(void)
{
    return PyModuleDef_Init(&definition);
}
