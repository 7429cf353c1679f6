"""TARGET: what the options, a profile and the environment name together."""

import pytest

from tui.backends.base import Backend, BackendError, Target
from tui.backends.registry import ADAPTERS, make
from tui.commands.common import Trouble
from tui.commands.target import Wanted, resolve
from tui.config import Profile, Settings
from tui.reach import again, to_store

WORK = Profile("flue", "http://office/agents/a", headers={"X-Key": "env:WORK_KEY"}, token_env="WORK_TOKEN")
SETTINGS = Settings(profiles={"work": WORK})
HERE = {"backend": "ag-ui", "url": "http://here"}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("WORK_KEY", "k-123")


def test_no_option_means_the_embedded_backend():
    assert resolve(Wanted(), SETTINGS) is None
    assert resolve(Wanted(conversation="c", no_store=True), SETTINGS) is None


def test_every_option_reaches_the_target():
    wanted = Wanted(
        **HERE, agent="a", abort_url="{base}/x", abort_body="{}", headers=("K: V:w", "L:env:WORK_KEY"),
        token_env="T", ca_file="/ca", proxy="http://p", options=("user=me", "x=a=b"),
    )  # fmt: skip
    assert resolve(wanted, SETTINGS) == Target(
        "ag-ui", "http://here", agent="a", headers=(("K", "V:w"), ("L", "k-123")), token_env="T",
        abort_url="{base}/x", abort_body="{}", ca_file="/ca", proxy="http://p",
        options={"user": "me", "x": "a=b"},
    )  # fmt: skip


def test_a_profile_is_taken_whole_and_options_go_before_it():
    plain = resolve(Wanted(profile="work"), SETTINGS)
    assert plain == Target(
        "flue", "http://office/agents/a", headers=(("X-Key", "k-123"),), token_env="WORK_TOKEN"
    )
    other = resolve(Wanted(profile="work", token_env="MINE", headers=("A: b",)), SETTINGS)
    assert (other.token_env, other.headers) == ("MINE", (("X-Key", "k-123"), ("A", "b")))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(profile="none"), "no profile 'none' in config.toml; known: work"),
        (Wanted(profile="work", url="http://x"), "either --profile or --backend"),
        (Wanted(backend="adk"), "--backend needs --url URL"),
        (Wanted(url="http://x"), "--url needs --backend NAME"),
        (Wanted(backend="acp", url="http://x"), "must be one of ag-ui"),
        (Wanted(agent="a"), "--agent needs a backend"),
        (Wanted(headers=("A: b",)), "--header needs a backend"),
        (Wanted(abort_url="x"), "--abort-url needs a backend"),
        (Wanted(**HERE, headers=("nocolon",)), "--header 'Name: value'"),
        (Wanted(**HERE, headers=("K: env:NO_SUCH",)), "NO_SUCH for the header K is not set"),
        (Wanted(**HERE, options=("x",)), "--option name=value"),
    ],
)
def test_what_does_not_fit_together_is_told_with_what_to_do(wanted, says):
    with pytest.raises(Trouble) as trouble:
        resolve(wanted, SETTINGS)
    assert says in str(trouble.value)


def test_what_is_stored_with_a_conversation_reaches_the_same_place_without_its_secrets(monkeypatch):
    target = Target(
        "adk", "http://x", agent="a", headers=(("X-Key", "CANARY"),), token_env="T", options={"user": "me"}
    )
    stored = to_store(target)
    assert "CANARY" not in str(stored)
    assert again("adk", "http://x", "a", stored) == Target(
        "adk", "http://x", agent="a", token_env="T", options={"user": "me"}
    )
    assert to_store(None) == {}


def test_the_headers_of_a_stored_conversation_come_again_from_its_profile():
    assert again("flue", "http://office/agents/a", "", {}, SETTINGS).headers == (("X-Key", "k-123"),)
    assert again("flue", "http://elsewhere", "", {}, SETTINGS).headers == ()


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_adapter_in_the_registry_is_there_and_keeps_the_promise(name):
    made = make(Target(name, "http://127.0.0.1:9/agents/a", agent="a"))
    assert isinstance(made, Backend) and made.name == name


def test_a_name_that_is_not_in_the_registry_is_told():
    with pytest.raises(BackendError, match="one of ag-ui"):
        make(Target("nope", "http://x"))
