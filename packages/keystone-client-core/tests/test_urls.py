"""Base URLs, endpoints and primary keys: whatever is accepted lies below the base URL."""

from enum import IntEnum
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keystone_client_core import (
    FieldError,
    InvalidURLError,
    endpoint_path,
    join_url,
    parse_base_url,
    primary_key,
    record_path,
)

BASE = "https://host.example/keystone/api/"


class Number(IntEnum):
    FIVE = 5


@pytest.mark.parametrize(
    ("given_url", "base"),
    [
        ("http://localhost:8000", "http://localhost:8000/"),
        ("http://localhost:8000/", "http://localhost:8000/"),
        ("https://host/keystone/api", "https://host/keystone/api/"),
        ("HTTPS://Host.Example/Keystone/", "https://host.example/Keystone/"),
        ("http://host:80", "http://host/"),
        ("https://host:443/", "https://host/"),
        ("https://host:80/", "https://host:80/"),
        ("http://host:/a", "http://host/a/"),
        ("http://[::1]:8000", "http://[::1]:8000/"),
        ("http://127.0.0.1", "http://127.0.0.1/"),
        ("http://host/künstlich", "http://host/k%C3%BCnstlich/"),
        ("http://bücher.example", "http://xn--bcher-kva.example/"),
        ("http://BÜCHER.example", "http://xn--bcher-kva.example/"),
        ("https://straße.uni-gießen.de", "https://xn--strae-oqa.xn--uni-gieen-m1a.de/"),
        ("https://βόλος.example", "https://xn--nxasmm1c.example/"),
        ("https://हिन्दी.example", "https://xn--j2bd4cyah0f.example/"),
        ("https://bücher\u3002example", "https://xn--bcher-kva.example/"),
        ("http://127\uff0e0\uff0e0\uff611:8000", "http://127.0.0.1:8000/"),
        ("http://host//", "http://host/"),
        ("http://host:80///", "http://host/"),
        ("https://host/keystone/api//", "https://host/keystone/api/"),
    ],
)
def test_a_base_url_gets_one_form_with_one_trailing_slash(given_url: str, base: str) -> None:
    assert parse_base_url(given_url) == base
    assert parse_base_url(base) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "//host",
        "/keystone",
        "ftp://host",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http:host",
        "http:/host",
        "http://",
        "http:///path",
        "http://:8000",
        "http://host?",
        "http://host/?a=1",
        "http://host#",
        "http://host/#top",
        " http://host",
        "http://host\n",
        "http://ho\tst",
        "http://host/a b",
        "http://host/\u3000",
        "http://host/\x00",
        "http://host/\x85",
        "http://host\\evil",
        "http://host:port",
        "http://host:0",
        "http://host:65536",
        "http://host:-1",
        "http://host:8000000",
        "http://host:\uff18\uff10",
        "http://ho%73t",
        "http://host..example",
        "http://.host",
        "http://" + "a" * 64,
        "http://[::1",
        "http://[::zz]",
        "http://[v1.x]",
        "http://[fe80::1%25eth0]",
        "http://[fe80::1%eth0]:8000",
        "http://\uff48\uff4f\uff53\uff54.example",  # full-width letters: IDNA 2003 made them plain ones
        "http://☃.example",
        "http://①.example",
        "http://bu\u0308cher.example",  # not NFC
        "http://bü\u200dcher.example",
        "http://bü\u00adcher.example",
        "http://bü..example",
        "http://\u3002",
        "http://" + "ü" * 63,
        "http://a,b",
        "http://host/a/../b",
        "http://host/./b",
        "http://host/%2e%2e/b",
        "http://host/%252E./b",
        "http://host/%25252e%25252e/b",
        "http://host/a%2fb",
        "http://host/a%5cb",
        "http://host/a//b",
        "http://host://",
        "http:////",
        "http://host//a",
        "http://host/%00",
        "http://host/%c0%ae%c0%ae/",
        "http://host/\ud800",
        None,
        b"http://host",
        8000,
    ],
)
def test_other_base_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidURLError):
        parse_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://admin:hunter2@host",
        "http://hunter2@host/",
        "http://hunter2:@host/",
        "https://hunter2%40host@host",
        "http://host/?token=hunter2",
        "http://host/#hunter2",
        "http://host/hunter2/..",
        "http://host:hunter2",
        "http://hunter2\\@host",
        "ftp://u:hunter2@host",
    ],
)
def test_a_refusal_does_not_repeat_a_secret(url: str) -> None:
    with pytest.raises(InvalidURLError) as caught:
        parse_base_url(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["keystone.example:8000", "keystone.example", "localhost", "localhost:8000/"])
def test_an_address_without_a_scheme_is_shown_with_the_two_ways_to_write_it(host: str) -> None:
    with pytest.raises(InvalidURLError, match=f"'{host}' has no scheme; write 'https://{host}', or http://"):
        parse_base_url(host)


@pytest.mark.parametrize("secret", ["hunter2", "0123456789abcdef0123456789abcdef01234567", "eyJhb.eyJzdWIi.c2ln"])
def test_a_secret_in_place_of_an_address_is_not_shown(secret: str) -> None:
    with pytest.raises(InvalidURLError) as caught:
        parse_base_url(secret)
    assert secret not in str(caught.value)


def test_an_ipv6_zone_is_refused_by_name() -> None:
    with pytest.raises(InvalidURLError, match="IPv6 zone"):
        parse_base_url("http://[fe80::1%25eth0]")


def test_a_refusal_names_scheme_and_host() -> None:
    with pytest.raises(InvalidURLError, match=r"http://host/\.\.\. has a query"):
        parse_base_url("http://host/?a=1")


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("version", "version/"),
        ("/version", "version/"),
        ("version/", "version/"),
        ("/users/teams/5/", "users/teams/5/"),
        ("users/teams?name=Physics", "users/teams/?name=Physics"),
        ("users/teams/?name=a b&x=ä", "users/teams/?name=a%20b&x=%C3%A4"),
        ("users/teams/?", "users/teams/"),
        ("", ""),
        ("/", ""),
        ("?a=1", "?a=1"),
        ("a b/ü", "a%20b/%C3%BC/"),
        ("a%20b", "a%20b/"),
        ("100%", "100%25/"),
        ("users/a:b", "users/a%3Ab/"),
        ("1:2", "1%3A2/"),
        ("users/a@b", "users/a@b/"),
        ("a/..b", "a/..b/"),
        ("a?next=../b//c", "a/?next=../b//c"),
        ("https://host.example/keystone/api/version", "version/"),
        ("HTTPS://HOST.example:443/keystone/api/version/?a=1", "version/?a=1"),
        ("https://host.example/keystone/api", ""),
        (f"{BASE}/users/users/", "users/users/"),
        ("https://host.example//keystone///api////users//users//", "users/users/"),
        (f"{BASE}/version?next=//a", "version/?next=//a"),
        ("a//b", "a/b/"),
        ("a//", "a/"),
        ("/users///teams//5//?x=1//2", "users/teams/5/?x=1//2"),
    ],
)
def test_an_endpoint_becomes_a_path_with_its_trailing_slash(endpoint: str, path: str) -> None:
    assert endpoint_path(BASE, endpoint) == path
    assert endpoint_path(BASE, path) == path
    assert join_url(BASE, path) == BASE + path


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/keystone/api/version/",
        "http://host.example/keystone/api/version/",
        "https://host.example:8443/keystone/api/version/",
        "https://host.example/keystone/apis/",
        "https://host.example/keystone/",
        "https://host.example/",
        "https://u:p@host.example/keystone/api/",
        "https://host.example/keystone/api/../admin/",
        "https://host.example/keystone/api/%2e%2e/admin/",
        "https:host.example",
        "https:/host.example/keystone/api/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "localhost:8000/version",
        "//evil.example/",
        "///evil.example/",
        "..",
        "../admin",
        "a/../../admin",
        "a/./b",
        "%2e%2e/admin",
        "%2E./admin",
        "%252e%252e/admin",
        "a/..%2fadmin",
        "a%2f..%2fadmin",
        "a%252fb",
        "a%5c..%5cadmin",
        "a\\b",
        "/\\evil.example",
        "//",
        "//host.example/keystone/api/version",
        "//users//teams",
        "https:////host.example/keystone/api/version",
        "https://host.example/keystone/api//..//admin",
        "https://host.example//evil.example/",
        "a\nb",
        "a%0d%0ab",
        "a%250ab",
        "a?x=%0a",
        "a?x=\x00",
        "a?x=%c2%85",
        "a#b",
        "a?b#c",
        "a\ud800",
        "a?\ud800",
        "%ff",
        "%25252525252525252e",
        None,
        b"version",
        5,
    ],
)
def test_an_endpoint_that_leads_elsewhere_or_hides_it_is_refused(endpoint: str) -> None:
    with pytest.raises(InvalidURLError):
        endpoint_path(BASE, endpoint)


def test_an_absolute_endpoint_may_spell_the_host_as_the_base_url_was_typed() -> None:
    base = parse_base_url("https://straße.example/api")
    assert endpoint_path(base, "https://straße.example/api/version") == "version/"
    assert endpoint_path(base, "https://STRAßE\u3002example/api//version") == "version/"
    with pytest.raises(InvalidURLError):
        endpoint_path(base, "https://strasse.example/api/version")


SUSPICIOUS = st.lists(
    st.sampled_from(
        ["a", "/", "//", "..", ".", "%2e", "%2F", "%25", "%5c", "\\", ":", "?", "#", "@", " ", "ä", "%", "x"]
    )
    | st.sampled_from([BASE, "https://", "http://", "host.example", "evil.example", "\n", "%0a", "&", "=", ";"])
).map("".join)


@given(st.text() | SUSPICIOUS)
@example("https://host.example/keystone/api/a?b")
@example("%2525252e")
def test_whatever_the_text_the_url_lies_below_the_base_or_is_refused(text: str) -> None:
    try:
        path = endpoint_path(BASE, text)
    except InvalidURLError:
        return
    url = urlsplit(join_url(BASE, path))
    assert (url.scheme, url.netloc) == ("https", "host.example")
    assert url.path.startswith("/keystone/api/")
    assert url.path.endswith("/")
    plain = url.path
    for _ in range(10):
        assert not {"", ".", ".."} & set(plain[1:-1].split("/"))
        assert "\\" not in plain
        plain = unquote(plain)
    assert path.isascii()
    assert path.isprintable()
    assert " " not in path
    assert endpoint_path(BASE, path) == path


@given(st.text() | SUSPICIOUS | st.builds(str.__add__, st.sampled_from(["http://", "https://h"]), SUSPICIOUS))
def test_whatever_the_text_a_base_url_is_normal_or_refused(text: str) -> None:
    try:
        base = parse_base_url(text)
    except InvalidURLError:
        return
    assert parse_base_url(base) == base
    assert base.endswith("/")
    url = urlsplit(base)
    assert url.scheme in {"http", "https"}
    assert url.hostname
    assert url.username is None
    assert not url.query
    assert not url.fragment


@pytest.mark.parametrize(("pk", "key"), [(1, 1), ("1", 1), (2**63 - 1, 2**63 - 1), (Number.FIVE, 5), ("907", 907)])
def test_a_primary_key_is_a_positive_integer_or_its_text(pk: object, key: int) -> None:
    assert primary_key(pk) == key
    assert record_path("allocations/clusters", pk) == f"allocations/clusters/{key}/"


@pytest.mark.parametrize(
    "pk",
    [
        None, True, False, 0, -1, 2**63, 1.0, 1.5, "", "0", "01", " 1", "1 ", "1.0", "\uff11", "1_0", "-1", "+1", "1e3",
        "1/", "../1", "9223372036854775808", b"1", [1], {"id": 1}, object(), "1\n",
    ],
)  # fmt: skip
def test_any_other_primary_key_is_refused(pk: object) -> None:
    with pytest.raises(FieldError) as caught:
        record_path("allocations/clusters", pk)
    assert caught.value.field == "pk"


def test_a_missing_key_and_a_whole_record_get_hints_of_their_own() -> None:
    with pytest.raises(FieldError, match="must not turn into the whole table"):
        primary_key(None)
    with pytest.raises(FieldError, match="give the record's 'id'"):
        primary_key({"id": 5})


@given(st.from_type(object) | st.text() | st.integers() | st.floats() | st.binary())
def test_whatever_the_key_it_is_a_positive_integer_or_refused(pk: object) -> None:
    try:
        key = primary_key(pk)
    except FieldError:
        return
    assert type(key) is int
    assert 0 < key < 2**63
    assert str(pk) == str(key)


@pytest.mark.parametrize("url", ["", "host", "ftp://host", "https:/host.example"])
def test_a_url_without_its_scheme_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(InvalidURLError, match=r"as https://keystone\.example\.org is"):
        parse_base_url(url)


@pytest.mark.parametrize("url", ["users\\teams", "\\users", "users/?a=\\", "\\\\elsewhere.example/x"])
def test_a_backslash_is_refused_by_its_name_anywhere_in_an_endpoint(url: str) -> None:
    """Browsers and some servers read it as a slash; escaping it silently would request another path."""
    with pytest.raises(InvalidURLError, match="backslash"):
        endpoint_path("http://keystone.test/", url)


def test_an_address_with_a_user_is_refused_with_the_ways_to_log_in() -> None:
    with pytest.raises(InvalidURLError, match=r"has user-info; .* login\(\) or a token"):
        parse_base_url("http://ada@keystone.test/")


@pytest.mark.parametrize("endpoint", ["users:teams", "mailto:ada@keystone.test", "ftp://keystone.test/users/"])
def test_an_endpoint_with_another_scheme_is_refused_with_the_way_to_write_a_colon(endpoint: str) -> None:
    with pytest.raises(InvalidURLError, match=r"has a scheme; .* with a colon in it as %3A"):
        endpoint_path("http://keystone.test/", endpoint)
