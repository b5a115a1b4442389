"""Invalid input raises one of the client's ValueErrors, and nothing is sent."""

import io
from enum import Enum
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import FieldError, FilterError, InvalidURLError, KeystoneError, RetryPolicy
from keystone_client_core import RESOURCES

from .scripted import Scripted, answer, connect, page

METHODS = ["http_get", "http_post", "http_put", "http_patch", "http_delete"]
BASE = "https://keystone.test/api/"


def refused(colour: str, call: Any) -> KeystoneError:
    """Return the error of a call that is refused before anything is sent."""
    wire = Scripted()
    with pytest.raises(ValueError, match=r"\w") as caught:
        call(connect(colour, wire, BASE))
    assert isinstance(caught.value, KeystoneError), repr(caught.value)
    assert wire.requests == []
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "keystone.test",
        "//keystone.test",
        "/api",
        "ftp://keystone.test",
        "file:///etc/passwd",
        "http://",
        "http:///api",
        "http://keystone.test:0",
        "http://keystone.test:65536",
        "http://keystone.test:x",
        "http://user@keystone.test",
        "http://user:s3cret@keystone.test",
        "http://keystone.test?x=1",
        "http://keystone.test/#top",
        "http://keystone.test/../x",
        "http://keystone.test/%2e%2E/x",
        "http://keystone.test/%252e%252e/x",
        "http://keystone.test/a//b",
        "http://keystone.test\\@elsewhere.test",
        "http://keystone.test/a b",
        "http://keystone.test\n",
        "http://keystone.test/\0",
        "http://[::1",
        "http://[1::2::3]/",
        "http://keystone..test",
        "http://xn--a",
        "http://keystone.test/" + "a" * 70_000,
        None,
        5,
        b"http://keystone.test",
        httpx.URL("http://keystone.test"),
    ],
)
def test_an_invalid_base_url_is_refused_without_repeating_a_secret(colour: str, url: Any) -> None:
    with pytest.raises(InvalidURLError) as caught:
        connect(colour, Scripted(), url)
    assert "s3cret" not in str(caught.value)


OPTIONS: dict[str, list[Any]] = {
    "cid": ["", "x", "1234", 5, b"x", "4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11\n", True],
    "page_size": [0, -1, 1001, 1.5, "5", True, None],
    "timeout": [0, -1, float("nan"), float("inf"), 1e10, "5", b"5", True, [5], {}, httpx.Timeout(5, read=-1)],
    "retry": [0, 3, True, False, "4", RetryPolicy],
    "verify": ["", "/no/such/file.pem", 5, None],
}


@pytest.mark.parametrize(("option", "value"), [(name, bad) for name, values in OPTIONS.items() for bad in values])
def test_an_invalid_client_option_is_refused_at_once(colour: str, option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        connect(colour, Scripted(), BASE, **{option: value})
    assert isinstance(caught.value, KeystoneError)


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": -1},
        {"backoff": -1},
        {"backoff": float("nan")},
        {"max_backoff": -0.1},
        {"max_retry_after": float("nan")},
        {"deadline": 0},
        {"deadline": -1},
        {"deadline": float("nan")},
    ],
)
def test_an_invalid_retry_policy_is_refused_with_the_value(options: dict[str, float]) -> None:
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        RetryPolicy(**options)  # type: ignore[arg-type]  # ``attempts`` takes an int; the table is typed float


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://elsewhere.test/",
        "http://keystone.test/api/version/",
        "https://keystone.test/other/",
        "https://keystone.test/apiary/",
        "https://keystone.test:444/api/",
        "https://keystone.test@elsewhere.test/api/",
        "https://keystone.test.elsewhere.test/api/",
        "//elsewhere.test/",
        "///elsewhere.test/",
        "..",
        "../admin",
        "users/../../admin",
        "users/./teams",
        "%2e%2e/admin",
        "users/%2E./admin",
        "users/%252e%252e/admin",
        "users%2f..%2fadmin",
        "users\\..\\admin",
        "users%5c..%5cadmin",
        "//users//teams",
        "a\nb",
        "a\r\nX-B: c",
        "a%0d%0aX-B: c",
        "a\0",
        "a%00",
        "a\x7f",
        "users?x=%0a",
        "a" * 70_000,
        "users#top",
        "\ud800",
        "%ff",
        "javascript:alert(1)",
        "mailto:a@b.c",
        "file:///etc/passwd",
        None,
        5,
        b"version",
        ["version"],
    ],
)
def test_an_endpoint_outside_the_base_url_is_refused(colour: str, endpoint: Any) -> None:
    for method in METHODS:
        assert isinstance(refused(colour, lambda client, name=method: getattr(client, name)(endpoint)), InvalidURLError)


UPLOADS: list[Any] = [5, "x", b"x", [5], [("a",)], {5: b"x"}, {"a\r\nb": b"x"}, {"a": 5}, {"a": None}, {"a": "\ud800"}]
UPLOADS += [{"a": part} for part in ((), ("n",), (5, b"x"), ("n", 5), ("n\r\n", b"x"), ("\ud800", b"x"), ["n", b"x"])]
UPLOADS += [{"a": ("n", b"x", kind)} for kind in (5, "text/plain\r\nX: y", "\ud800")]
UPLOADS += [{"a": ("n", b"x", None, headers)} for headers in (5, {"X": "y\r\nZ: w"}, {"X\n": "y"}, {"X": 5})]
UPLOADS += [{"a": ("n", b"x", None, {}, 5)}, {"a": io.StringIO("x")}, {"a": ("n", io.StringIO("x"))}]
BODIES: list[dict[str, Any]] = [{"files": files} for files in UPLOADS]
BODIES += [{name: {"a": value}} for name in ("params", "data") for value in ("\ud800", 10**5000)]
BODIES += [{"params": {"a": "b" * 100_000}}, {"params": 5}, {"data": [1]}, {"json": {1, 2}}]


@pytest.mark.parametrize("options", BODIES, ids=lambda options: ascii(next(iter(options)))[:40])
def test_a_body_or_query_that_cannot_be_sent_faithfully_is_refused(colour: str, options: dict[str, Any]) -> None:
    refused(colour, lambda client: client.http_post("x", **options))


@pytest.mark.parametrize("filename", ["a\r\nX: y.txt", "a\0.txt", "\ud800.txt", 5, b"a.txt"])
def test_a_filename_that_cannot_be_sent_is_refused(colour: str, filename: Any) -> None:
    refused(colour, lambda client: client.create_attachment(request=1, file=b"x", filename=filename))


class Kind(str, Enum):  # noqa: UP042 - str() of a StrEnum is its value
    """A str whose ``str()`` differs from its value."""

    KEY = "abc"


class Liar(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "a\r\nX-Injected: y"

    def __format__(self, spec: str) -> str:
        return str(self)


@pytest.mark.parametrize("text", [Kind.KEY, Liar("abc")])
def test_a_str_subclass_is_sent_as_its_value(colour: str, text: str) -> None:
    wire = Scripted()
    connect(colour, wire, token=text, headers={"X-Key": text}).http_get("version", headers={"X-Other": text})
    sent = wire.requests[0].headers
    assert (sent["authorization"], sent["x-key"], sent["x-other"]) == ("Token abc", "abc", "abc")


@pytest.mark.parametrize("name", ["Content_Length", "X_KEYSTONE_CID", "host", "X-CSRFToken"])
def test_a_reserved_header_is_refused_in_any_spelling(colour: str, name: str) -> None:
    refused(colour, lambda client: client.http_get("version", headers={name: "0"}))


@pytest.mark.parametrize("proxy", ["socks9://ada:s3cret@proxy.test", "http://ada:s3/cret@proxy.test", "http://[::1"])
def test_an_invalid_proxy_variable_is_refused_without_repeating_a_secret(
    colour: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(FieldError, match="environment") as caught:
        connect(colour, None, "http://keystone.test/").http_get("version")
    assert "s3" not in str(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True, [5]])
def test_an_invalid_timeout_of_one_request_is_refused(colour: str, timeout: Any) -> None:
    refused(colour, lambda client: client.http_get("version", timeout=timeout))


KEYS: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.0,
    1.5,
    "",
    " ",
    "1 ",
    "+1",
    "-1",
    "01",
    "0",
    "1.0",
    "x",
    "1/../2",
    "1?x=1",
]
KEYS += [
    "\N{FULLWIDTH DIGIT ONE}",
    "%31",
    b"1",
    [1],
    {"id": 1},
    (1,),
    2**63,
    "9" * 50,
    float("nan"),
    object(),
    "1\n",
    "@me",
]


@pytest.mark.parametrize("pk", KEYS)
def test_a_key_that_is_no_positive_integer_is_refused(colour: str, pk: Any) -> None:
    for call in (
        lambda client: client.retrieve_cluster(pk),
        lambda client: client.retrieve_cluster(pk=pk, raise_not_exists=True),
        lambda client: client.update_cluster(pk, {"name": "x"}),
        lambda client: client.delete_cluster(pk),
    ):
        assert isinstance(refused(colour, call), FieldError)


@pytest.mark.parametrize(
    "options",
    [
        {"filters": {"id": 1}},
        {"search": "x"},
        {"order": "id"},
        {"limit": 1},
        {"page_size": 5},
        {"on_progress": print},
        {"filters": {}},
    ],
)
def test_a_key_and_list_arguments_together_are_refused(colour: str, options: dict[str, Any]) -> None:
    refused(colour, lambda client: client.retrieve_cluster(1, **options))


def test_raise_not_exists_without_a_key_is_refused(colour: str) -> None:
    refused(colour, lambda client: client.retrieve_cluster(raise_not_exists=True))


LISTINGS: list[dict[str, Any]] = [
    {"filters": {"nope": 1}},
    {"filters": {"id": "abc"}},
    {"filters": {"id": True}},
    {"filters": {"id": 1.5}},
    {"filters": {"id": ""}},
    {"filters": {"id": [1]}},
    {"filters": {"id__in": "12"}},
    {"filters": {"id__in": [None]}},
    {"filters": {"id__not_in": []}},
    {"filters": {"name__in": ["a,b"]}},
    {"filters": {"name__contains": ""}},
    {"filters": {"enabled": "maybe"}},
    {"filters": {"enabled__gt": True}},
    {"filters": {"name__like": "x"}},
    {"filters": {"name__isnull": "x"}},
    {"filters": {"_limit": 1}},
    {"filters": {"_offset": 1}},
    {"filters": {"format": "html"}},
    {"filters": {"access_teams": 1}},
    {"filters": {5: 1}},
    {"filters": {"": 1}},
    {"filters": ["id"]},
    {"filters": "id=1"},
    {"search": ""},
    {"search": " "},
    {"search": "a\0b"},
    {"search": 5},
]
ORDERED: list[dict[str, Any]] = [
    {"order": "nope"},
    {"order": ""},
    {"order": ","},
    {"order": "name,,id"},
    {"order": "--name"},
    {"order": "access_teams"},
    {"order": ["name", "-name"]},
    {"order": [5]},
    {"order": 5},
    {"order": {"name"}},
    {"order": b"name"},
    *({"limit": bad} for bad in (-1, 1.5, "5", True, float("inf"))),
    *({"page_size": bad} for bad in (0, -1, 1001, 1.5, "5", True)),
]


@pytest.mark.parametrize("options", LISTINGS, ids=repr)
def test_a_filter_or_search_the_server_would_ignore_is_refused(colour: str, options: dict[str, Any]) -> None:
    for call in (
        lambda client: client.retrieve_cluster(**options),
        lambda client: client.iterate_cluster(**options),
        lambda client: client.count_cluster(**options),
    ):
        assert isinstance(refused(colour, call), FilterError)


@pytest.mark.parametrize("options", ORDERED, ids=repr)
def test_an_invalid_order_limit_or_page_size_is_refused(colour: str, options: dict[str, Any]) -> None:
    assert isinstance(refused(colour, lambda client: client.retrieve_cluster(**options)), FilterError)
    assert isinstance(refused(colour, lambda client: client.iterate_cluster(**options)), FilterError)


@pytest.mark.parametrize(
    "options",
    [{"after": bad} for bad in (0, -1, "x", True, 1.5, "")] + [{"after": 1, "order": "name"}],
)
def test_an_invalid_key_to_resume_after_is_refused_when_the_iterator_is_created(
    colour: str, options: dict[str, Any]
) -> None:
    refused(colour, lambda client: client.client.iterate_cluster(**options))


def test_the_password_can_be_neither_filtered_nor_ordered_by(colour: str) -> None:
    error = refused(colour, lambda client: client.retrieve_user(filters={"password": "s3cret"}))
    assert "s3cret" not in repr(error) + repr(vars(error))
    refused(colour, lambda client: client.retrieve_user(order="password"))


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.create_cluster(nope=1, name="x"),
        lambda client: client.create_cluster(),
        lambda client: client.create_cluster(id=5, name="x"),
        lambda client: client.update_cluster(1, {"id": 5}),
        lambda client: client.update_cluster(1, {"nope": 5}),
        lambda client: client.update_cluster(1, None),
        lambda client: client.update_cluster(1, [("name", "x")]),
        lambda client: client.update_team(1, {"name": "the server drops it"}),
        lambda client: client.create_cluster(name="x", enabled="maybe"),
        lambda client: client.create_cluster(name="\ud800"),
        lambda client: client.login("", "x"),
        lambda client: client.login("x", ""),
        lambda client: client.login(None, "x"),
        lambda client: client.login("x", 5),
    ],
)
def test_values_the_server_would_silently_change_are_refused(colour: str, call: Any) -> None:
    refused(colour, call)


def test_a_password_that_is_refused_is_not_repeated(colour: str) -> None:
    error = refused(
        colour,
        lambda client: client.create_user(
            username="ada", password=" s3cret ", first_name="A", last_name="L", email="a@b.c"
        ),
    )
    assert "s3cret" not in repr(error) + repr(vars(error))


@pytest.mark.parametrize("options", [{"limit": 0}, {"filters": {"id__in": []}}])
def test_a_listing_that_must_be_empty_sends_no_request(colour: str, options: dict[str, Any]) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    assert client.retrieve_cluster(**options) == []
    assert client.iterate_cluster(**options) == []
    assert wire.requests == []


@given(st.text() | st.text("./\\%2eE5c#?:@a \n", max_size=20))
def test_any_endpoint_is_refused_or_stays_below_the_base_url(endpoint: str) -> None:
    wire = Scripted()
    try:
        connect("sync", wire, BASE).http_get(endpoint)
    except InvalidURLError:
        assert wire.requests == []
        return
    (sent,) = wire.requests
    path = sent.url.raw_path.decode("ascii").partition("?")[0]
    assert sent.url.host == "keystone.test"
    assert path.startswith("/api/")
    assert path.endswith("/")
    assert not {"..", "."} & set(unquote(unquote(path)).split("/"))


@given(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3) | st.just("7")
)
def test_any_key_is_refused_or_is_the_last_part_of_the_path(pk: Any) -> None:
    wire = Scripted(answer(204))
    try:
        connect("sync", wire, BASE).delete_cluster(pk)
    except FieldError:
        assert wire.requests == []
        return
    assert int(pk) > 0
    assert [str(request.url) for request in wire.requests] == [f"{BASE}allocations/clusters/{int(pk)}/"]


@given(
    st.dictionaries(
        st.sampled_from([*RESOURCES["cluster"].fields, "_limit", "format", "pk"]).flatmap(
            lambda name: st.sampled_from([name, f"{name}__in", f"{name}__contains", f"{name}__not_in", f"{name}__x"])
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.lists(st.text(max_size=3) | st.integers(), max_size=3),
        min_size=1,
        max_size=3,
    )
)
def test_any_filters_are_refused_or_all_reach_the_server(filters: dict[str, Any]) -> None:
    """A parameter lost or empty would list every record."""
    wire = Scripted(page())
    try:
        assert connect("sync", wire, BASE).retrieve_cluster(filters=filters) == []
    except FilterError:
        assert wire.requests == []
        return
    for sent in wire.requests:
        params = sent.url.params
        assert set(params.keys()) >= {"_limit", "_order"}
        assert len(params.multi_items()) == len(filters) + 2
        assert all(params.values())
        assert {name.partition("__")[0] for name in params} - {"_limit", "_order", ""} <= set(
            RESOURCES["cluster"].filterable
        )
