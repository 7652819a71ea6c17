"""Reading Maven's settings.xml."""

import pytest

from xero_stream.local.maven_settings import Repository, covers_central, repository

CENTRAL = "https://central.example/artifacts"


def read(body: str, **environment: str) -> Repository:
    """The repository of a settings.xml with this body."""
    return repository(f"<settings>{body}</settings>", CENTRAL, environment)


def test_without_settings() -> None:
    """No file, or one without mirrors: Maven Central."""
    expected = Repository(name="central", url=CENTRAL)

    assert repository(None, CENTRAL, {}) == expected
    assert read("<offline>false</offline>") == expected


def test_a_mirror_with_its_credentials() -> None:
    """The mirror's id finds its server entry; variables of the environment are filled in."""
    found = read(
        "<mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf><url>https://m.example/r/</url></mirror></mirrors>"
        "<servers><server><id>other</id><username>x</username></server>"
        "<server><id>m</id><username>ada</username><password>${env.TOKEN}</password></server></servers>",
        TOKEN="t0ken",
    )

    assert found == Repository(name="m", url="https://m.example/r", username="ada", password="t0ken")


def test_an_exact_mirror_wins_over_a_pattern() -> None:
    """As in Maven, whatever the order."""
    found = read(
        "<mirrors><mirror><id>all</id><mirrorOf>*</mirrorOf><url>https://a.example</url></mirror>"
        "<mirror><id>exact</id><mirrorOf>central</mirrorOf><url>https://b.example</url></mirror></mirrors>"
    )

    assert (found.name, found.url) == ("exact", "https://b.example")


@pytest.mark.parametrize(
    ("pattern", "covers"),
    [
        ("*", True),
        ("central", True),
        ("external:*", True),
        ("repo1, central", True),
        ("*,!central", False),
        ("external:http:*", False),
        ("repo1", False),
        ("", False),
    ],
)
def test_what_a_pattern_covers(pattern: str, covers: bool) -> None:
    """Maven's pattern language, as far as it can concern Maven Central."""
    assert covers_central(pattern) is covers


def test_the_first_active_proxy_is_used() -> None:
    """Its credentials may hold any character; an inactive one is passed over."""
    found = read(
        "<proxies><proxy><active>false</active><host>off.example</host></proxy>"
        "<proxy><id>p</id><active>true</active><protocol>http</protocol><host>proxy.example</host><port>3128</port>"
        "<username>a@b</username><password>p:w/</password></proxy></proxies>"
    )

    assert found.proxy == "http://a%40b:p%3Aw%2F@proxy.example:3128"


@pytest.mark.parametrize(("hosts", "proxied"), [("localhost|*.example", False), ("*.other", True), ("", True)])
def test_hosts_that_need_no_proxy(hosts: str, proxied: bool) -> None:
    """Maven's nonProxyHosts, with its wildcards."""
    found = read(f"<proxies><proxy><host>proxy.example</host><nonProxyHosts>{hosts}</nonProxyHosts></proxy></proxies>")

    assert (found.proxy == "http://proxy.example:8080") is proxied


def test_with_a_namespace() -> None:
    """Maven's own template has one."""
    text = (
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0"><mirrors><mirror><id>m</id>'
        "<mirrorOf>central</mirrorOf><url>https://m.example</url></mirror></mirrors></settings>"
    )

    assert repository(text, CENTRAL, {}).name == "m"


def test_what_is_no_xml() -> None:
    """It is an error, not Maven Central in silence."""
    with pytest.raises(ValueError, match="not XML"):
        repository("<settings>", CENTRAL, {})


def test_secrets_stay_out_of_its_text() -> None:
    """Neither the password nor the proxy's credentials are in the repr."""
    text = repr(Repository(name="m", url="https://m.example", username="ada", password="pw1", proxy="http://a:pw2@p"))

    assert "pw1" not in text
    assert "pw2" not in text
