"""`cosine=server:MODEL`: which server it names, and what is refused before a row is read."""

import sys

import pytest
from embeddings_server import KEY, graded, serving

from graders.clients.embedding import ServerEmbedder
from graders.errors import ConfigError
from graders.profile import OPENAI


def test_the_setting_names_the_model_and_the_server_is_given_beside_it(monkeypatch):
    """Or in the environment, as the SDK has it."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    by_environment = OPENAI.override({"cosine": "server:m"})
    by_argument = OPENAI.override({"cosine": "server:m"}, base_url="http://127.0.0.1:2/v1")

    assert by_environment.metrics.cosine.name == "m@127.0.0.1:1"
    assert by_argument.metrics.cosine.name == "m@127.0.0.1:2"
    assert by_argument.name == "openai,cosine=server:m"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("server:", "cosine: '' is no model's name: not empty, and without '|'"),
        ("server:a|b", "cosine: 'a|b' is no model's name: not empty, and without '|'"),
        ("server:m", "cosine: https://api.openai.com/v1 wants an API key; set OPENAI_API_KEY"),
        ("servr:m", "cosine: Settings(cosine=...): 'servr:m' is none of hash_char, wordllama, "),
    ],
)  # fmt: skip
def test_a_setting_that_names_no_server_is_refused(monkeypatch, value, message):
    """Before a row is read."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)

    with pytest.raises(ConfigError) as caught:
        OPENAI.override({"cosine": value})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("url", ["localhost:8080/v1", "http://[::1/v1", "http://", "ftp://x/v1"])
def test_an_address_that_is_none_is_refused_and_not_shown(url):
    """It may hold a password."""
    with pytest.raises(
        ConfigError, match=r"cosine: the base URL is not an http\(s\) address"
    ) as caught:
        OPENAI.override({"cosine": "server:m"}, base_url=url)
    assert url not in str(caught.value).replace("https://HOST", "")


def test_a_key_in_the_query_is_refused_as_judges_refuse_it():
    """Addresses are shown."""
    with pytest.raises(ConfigError, match="cosine: the base URL has the parameter 'api-key'") as no:
        OPENAI.override({"cosine": "server:m"}, base_url=f"http://x/v1?api-key={KEY}")
    assert KEY not in str(no.value)


def test_a_version_of_the_interface_goes_with_every_request():
    """As Azure's addresses have it."""
    with serving() as (server, _, heads):
        url = f"{server.base_url}?api-version=2024-10-21"
        (grade,) = graded(ServerEmbedder(model="m", base_url=url, retries=0), ("a", "a"))

    assert grade.score == 1.0
    assert heads[0][0] == "/v1/embeddings?api-version=2024-10-21"


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """When the setting is read."""
    monkeypatch.setitem(sys.modules, "openai", None)

    with pytest.raises(ConfigError, match=r"pip install 'local-graders\[models\]'"):
        ServerEmbedder(model="m", base_url="http://127.0.0.1:1/v1")
