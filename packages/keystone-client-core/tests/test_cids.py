"""Correlation ids: new ones, and foreign ones in their canonical spelling."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client_core import InvalidCIDError, adopt_cid, new_cid

PLAIN = "4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11"


def test_new_ids_are_random_uuids_that_differ() -> None:
    assert uuid.UUID(new_cid()).version == 4
    assert len({new_cid() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "cid",
    [
        PLAIN,
        PLAIN.upper(),
        PLAIN.replace("-", ""),
        f"{{{PLAIN}}}",
        f"urn:uuid:{PLAIN}",
        f"{{urn:uuid:{PLAIN.upper()}}}",
        uuid.UUID(PLAIN),
    ],
)
def test_every_spelling_the_server_stores_becomes_the_same_text(cid: uuid.UUID | str) -> None:
    assert adopt_cid(cid) == PLAIN


@pytest.mark.parametrize(
    "cid",
    [
        "",
        "x",
        PLAIN[:-1],
        PLAIN + "0",
        f" {PLAIN}",
        f"{PLAIN}\n",
        PLAIN.replace("4f0c", "4_0c"),
        PLAIN.replace("4f0c", " f0c"),
        PLAIN.replace("0", "\uff10"),
        PLAIN.replace("4f0c", "0x0c"),
        "+" + PLAIN.replace("-", "")[1:],
        None,
        5,
        PLAIN.encode(),
    ],
)
def test_anything_else_is_refused(cid: str) -> None:
    with pytest.raises(InvalidCIDError, match="is not a UUID"):
        adopt_cid(cid)


@given(st.uuids(), st.sampled_from([str, str.upper, "{{{}}}".format, "urn:uuid:{}".format]))
def test_any_uuid_is_kept_unchanged(value: uuid.UUID, spelled: object) -> None:
    assert callable(spelled)
    assert adopt_cid(spelled(str(value))) == str(value)


@given(st.text() | st.text("0123456789abcdefABCDEF-{}urn:id_ ", min_size=30, max_size=50) | st.from_type(object))
def test_whatever_is_given_the_result_is_canonical_or_refused(cid: str) -> None:
    try:
        adopted = adopt_cid(cid)
    except InvalidCIDError:
        return
    assert str(uuid.UUID(adopted)) == adopted
    assert adopted == str(uuid.UUID(str(cid)))
