"""Links to Discover. Kibana itself can't run here: the form is checked, and what KQL's quotes must hold."""

import re
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_backends.kibana import Kibana, KibanaAddressError, discover_url, kibana_of, kql
from sereno_backends.logs import LogQuery
from support.log_records import NOON

WINDOW = (NOON, NOON + timedelta(minutes=5, microseconds=1500))


def test_the_link_has_window_data_view_and_conditions() -> None:
    """The address has the form of Kibana 8: window in `_g`, data view and KQL in `_a`."""
    query = LogQuery(
        *WINDOW, services=("checkout",), levels=("error", "critical"), trace_id="ab", text="Payment refused"
    )
    assert unquote(discover_url(Kibana("https://kibana.example.org/s/pay"), query)) == (
        "https://kibana.example.org/s/pay/app/discover#/"
        "?_g=(filters:!(),refreshInterval:(pause:!t,value:60000),"
        "time:(from:'2026-11-22T12:00:00.000Z',to:'2026-11-22T12:05:00.002Z'))"
        "&_a=(columns:!(log.level,service.name,message),filters:!(),index:'logs-*',interval:auto,query:(language:kuery,"
        'query:\'service.name: "checkout" and log.level: ("error" or "critical") and trace.id: "ab" '
        'and (sereno.words: "payment" or message: "payment") and (sereno.words: "refused" or message: "refused") '
        'and not event.dataset: "sereno.dead_letter"\'),'
        "sort:!(!('@timestamp',desc)))"
    )


def test_dead_letters_are_left_out_of_a_link_without_conditions() -> None:
    """Searches leave them out, too: both show the same."""
    link = unquote(discover_url(Kibana("http://k"), LogQuery(*WINDOW)))
    assert """query:(language:kuery,query:'not event.dataset: "sereno.dead_letter"')""" in link


def test_every_condition_is_in_the_kql() -> None:
    """Actions, source and numbers are asked for, too; without conditions the query is empty."""
    query = LogQuery(*WINDOW, actions=("deployment",), source="vm-1", sequences=(3, 7))
    wanted = 'event.action: "deployment" and service.node.name: "vm-1" and event.sequence >= 3 and event.sequence <= 7'
    assert kql(query) == wanted
    assert kql(LogQuery(*WINDOW)) == ""


@given(st.text(), st.text())
def test_nothing_breaks_out_of_the_quotes(service: str, text: str) -> None:
    """Whatever is searched for stays a quoted text of KQL, and the address one word without quotes or brackets."""
    query = LogQuery(*WINDOW, services=(service,), text=text)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", kql(query))
    assert re.fullmatch(r"service\.name: (?: and \(sereno\.words:  or message: \))*", outside)
    parts = urlsplit(discover_url(Kibana("http://k:5601"), query))
    assert (parts.path, parts.query) == ("/app/discover", "")
    assert not re.search(r"[\s\"<>]", parts.fragment)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://kibana.example.org/", "https://kibana.example.org"),
        (" http://user:secret@[::1]:5601/s/pay/ ", "http://[::1]:5601/s/pay"),
    ],
)
def test_the_address_is_taken_without_credentials(given: str, url: str) -> None:
    """Credentials and a slash at the end are no part of links."""
    assert kibana_of({"SERENO_KIBANA_URL": given, "SERENO_KIBANA_DATA_VIEW": "my-logs"}) == Kibana(url, "my-logs")


@pytest.mark.parametrize(
    "given", ["kibana:5601", "ftp://kibana", "http://", "http://kibana:port", "http://[::1", "http://a b"]
)
def test_what_is_no_address_is_told(given: str) -> None:
    """A wrong address is named with a cure."""
    with pytest.raises(KibanaAddressError, match=r"write https://kibana\.example\.org"):
        kibana_of({"SERENO_KIBANA_URL": given})


def test_no_address_means_no_links() -> None:
    """Without the variable there is no Kibana."""
    assert kibana_of({}) is None
    assert kibana_of({"SERENO_KIBANA_URL": " "}) is None
