"""What text decodes to."""

from __future__ import annotations

from base64 import b64encode, encodebytes

from filters.decodings import decodings, labelled, tokens


def forms(data: bytes, value: bytes) -> set[str]:
    return {form for form, text in labelled(data) if value in text}


def test_each_form_has_its_name() -> None:
    """As it is reported."""
    assert forms(b"X: alice", b"alice") == {"in clear"}
    assert "percent" in forms(b"X: %61lice", b"alice")
    assert "hex" in forms(b"X: " + b"alice".hex().encode(), b"alice")
    assert "base64" in forms(b"X: " + b64encode(b"alice.liddell"), b"alice")
    assert "quoted-printable" in forms(b"al=69ce=\r\n x", b"alice")
    assert "percent in base64" in forms(b64encode(b"sip:%61lice@x.example"), b"alice")


def test_base64_over_several_lines() -> None:
    """As MIME wraps it."""
    assert "base64" in forms(encodebytes(b"x" * 50 + b"alice.liddell" + b"x" * 50), b"alice.liddell")


def test_decodings_begin_with_the_data() -> None:
    """And nothing is made up of what decodes to nothing."""
    assert list(decodings(b"a b")) == [b"a b"]


def test_tokens() -> None:
    """Long runs of base64, also behind a prefix, and of hex."""
    value = bytes(range(130, 150))
    assert value in tokens(b"sip:" + b64encode(value) + b"@x")
    assert value in tokens(b"line=sr-" + b64encode(value).rstrip(b"="))
    assert value in tokens(b"x=" + value.hex().encode())
    assert tokens(b"a short one") == []
