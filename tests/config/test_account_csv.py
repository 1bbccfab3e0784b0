"""Accounts by the file: what is read, and mistakes that tell a line and no value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.account import AccountChange, secret_of
from config.account_csv import read_accounts

R = "sip.example.net"


def test_rows() -> None:
    secret = secret_of("bob", R, "x,y")
    text = (
        "username,password,addresses,disabled,ha1_sha256,ha1_md5,ha1_sha512_256\n"
        'alice,pa55,,,,,\nbob,"x,y",bob@a +15550123,yes,,,\n\n'
        f"carol,,,no,{secret.sha256.hex()},{secret.md5.hex()},\ndave,,,,,,\n"
    )
    rows = read_accounts(text, R)
    assert rows.mistakes == []
    assert rows.changes == [
        AccountChange("alice", R, secret_of("alice", R, "pa55")),
        AccountChange("bob", R, secret, ("bob@a", "+15550123"), disabled=True),
        AccountChange("carol", R, secret._replace(sha512_256=None), None, disabled=False),
        AccountChange("dave", R),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("password\nselma", 1),
        ("username,username\nselma,a", 1),
        ("username,selma\nalice,a", 1),
        ("username,password\nselma", 2),
        ("username,password\nal:selma,pw", 2),
        ("username,addresses\nselma,nowhere", 2),
        ("username,disabled\nselma,perhaps", 2),
        ("username,password,ha1_md5\nselma,a,b", 2),
        ("username,ha1_md5\nselma,abcd", 2),
        ("username,ha1_sha512_256\nselma,selma", 2),
        ("username,ha1_md5,ha1_sha256\nselma,selma,selma", 2),
        ("username\nselma\nselma", 3),
        ('username,password\na,b\nselma,"', 3),
    ],
)
def test_mistakes(text: str, line: int) -> None:
    rows = read_accounts(text, R)
    assert [number for number, _ in rows.mistakes] == [line]
    assert not any("selma" in wrong for _, wrong in rows.mistakes)


@given(st.text())
def test_any_text(text: str) -> None:
    read_accounts("username,password\n" + text, R)
