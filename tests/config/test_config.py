"""config.toml: one table of keys; what is wrong is told with file, line and key, and never stops a start."""

import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.backends.base import Target
from tui.config import Profile, Settings, config_file, data_dir, documented, load, rows
from tui.core.safe_text import safe

FULL = """
late = "drop"
esc_delay_ms = 25
abort_s = 3
plain = true

[keys]
"run.stop" = "f8,ctrl+g"

[profiles.orders]
backend = "ag-ui"
url = "http://127.0.0.1:3000/agents"
agent = "orders"
token_env = "ORDERS_TOKEN"
headers = { "X-Tenant" = "a", "X-Api-Key" = "env:ORDERS_KEY" }

[profiles.stock.options]
user = "me"
[profiles.stock]
backend = "adk"
url = "https://adk.example/"
"""


@pytest.fixture
def loaded(tmp_path):
    def load_text(text):
        file = tmp_path / "config.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return load(file)

    return load_text


def test_no_file_means_the_defaults_and_no_complaint(tmp_path):
    found = load(tmp_path / "none.toml")
    assert found.settings == Settings()
    assert found.problems == ()


def test_the_defaults_are_the_clocks_of_the_design():
    found = Settings()
    assert (found.abort_s, found.grace_s, found.pending_s, found.quit_s, found.look_up_s) == (
        5,
        1.5,
        2,
        2,
        60,
    )
    assert (found.late, found.stop_confirm, found.queue_on_stop) == ("keep", "off", "hold")


def test_a_whole_file_is_read(loaded):
    found = loaded(FULL)
    assert found.problems == ()
    assert (found.settings.late, found.settings.esc_delay_ms, found.settings.plain) == ("drop", 25, True)
    assert found.settings.abort_s == 3.0 and isinstance(found.settings.abort_s, float)
    assert found.settings.keys == {"run.stop": "f8,ctrl+g"}
    orders = found.settings.profiles["orders"]
    assert (orders.backend, orders.agent, orders.token_env) == ("ag-ui", "orders", "ORDERS_TOKEN")
    assert orders.headers["X-Api-Key"] == "env:ORDERS_KEY"
    assert found.settings.profiles["stock"].options == {"user": "me"}


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(loaded):
    found = loaded(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert found.problems == () and found.settings.late == "drop"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('\nlate = "kep"', 2, 'late must be one of keep, count, drop, not "kep".'),
        ("late = 3", 1, "late must be text in quotes, not 3."),
        ('plain = "yes"', 1, 'plain must be true or false, not "yes".'),
        ("esc_delay_ms = 5000", 1, "esc_delay_ms must be between 0 and 1000, not 5000."),
        ("esc_delay_ms = 1.5", 1, "esc_delay_ms must be a whole number, not 1.5."),
        ("esc_delay_ms = true", 1, "esc_delay_ms must be a whole number, not true."),
        ("abort_s = nan", 1, "abort_s must be between 0.1 and 120, not nan."),
        ('queue_on_stopp = "hold"', 1, "queue_on_stopp is not a setting; did you mean queue_on_stop?"),
        ("colour = 1", 1, "colour is not a setting; remove the line."),
        ('keys = "f8"', 1, 'keys must be a table, not "f8".'),
        ('[keys]\n"run.stop" = "F 8"', 1, 'keys must name keys such as "f8,ctrl+g"; run.stop is "F 8".'),
        ("profiles = 3", 1, "profiles must be tables such as [profiles.NAME]."),
        ("[profiles]\na = 3", 2, "profiles.a must be a table: write [profiles.NAME] and its keys below it."),
        ('\n[profiles.a]\nbackend = "adk"', 2, "profiles.a has no url; add a line url = …."),
        ('[profiles.a]\nbackend = "adk"\nurl = "adk"', 3, 'profiles.a.url must be an address such as'),
        ('[profiles.a]\nurl = "ftp://x"\nbackend = "adk"', 2, 'not "ftp://x".'),
        ('[profiles.a]\nurl = "http://x:99999"\nbackend = "adk"', 2, "must be an address"),
        ('[profiles.a]\nurl = "http://x"\nbackend = "adk"\nagnet = "x"', 4, "did you mean agent?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_line_and_key(loaded, text, line, says):
    found = loaded(text)
    (sentence,) = found.problems
    assert sentence.startswith(f"{found.file}, line {line}: ")
    assert says in sentence
    assert "\n" not in sentence and sentence.endswith((".", "?", "?."))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("late = \nplain = true", "line 1: late is not valid TOML (Invalid value)"),
        ('late = "keep', "line 1: late is not valid TOML"),
        ("late = 'a'\nlate = 'b'", "line 2: late is not valid TOML"),
        ("plain = true\n[keys\nlate = 1", "line 2: this is not valid TOML"),
        (b"late = '\xff'", "could not be read (it is not UTF-8)"),
        (b"\0" * 5, "this is not valid TOML"),
        ("a = " + "[" * 5000, "line 1: a is not valid TOML"),
        ("a = " + "9" * 5000, "line 1: a is not valid TOML"),
        (b"#" * (1 << 21), "it is larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_toml_leaves_the_defaults_and_one_sentence(loaded, text, says):
    found = loaded(text)
    (sentence,) = found.problems
    assert found.settings == Settings()
    assert str(found.file) in sentence and says in sentence and "\n" not in sentence


def test_a_directory_in_its_place_is_told(tmp_path):
    (sentence,) = load(tmp_path).problems
    assert "could not be read" in sentence


def test_one_wrong_key_leaves_the_others_in_force(loaded):
    found = loaded(
        'late = "kep"\nplain = true\n[profiles.bad]\n' + FULL.partition("\n[keys]")[2].join(["[keys]", ""])
    )
    assert found.settings.plain is True
    assert found.settings.late == "keep"
    assert set(found.settings.profiles) == {"orders", "stock"}, "half a profile would talk to the wrong place"
    assert len(found.problems) == 3


@pytest.mark.parametrize(
    "line",
    [
        'token = "CANARY"',
        'api_key = "CANARY"',
        'headers = { Authorization = "Bearer CANARY" }',
        'headers = { "X-Api-Key" = "CANARY" }',
        'headers = { Cookie = "CANARY" }',
        'url = "http://u:CANARY@host/"',
        'url = "http://host/?key=CANARY"',
        'proxy = "http://u:CANARY@proxy:3128"',
        'token_env = "CANARY-is-not-a-name"',
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(loaded, line):
    needed = "" if line.startswith("url") else 'url = "http://host/"\n'
    found = loaded(f'[profiles.a]\nbackend = "adk"\n{needed}{line}\n')
    (sentence,) = found.problems
    assert "CANARY" not in sentence
    assert "environment variable" in sentence
    assert found.settings.profiles == {}


def test_a_hostile_value_is_shown_harmless(loaded):
    found = loaded('late = "\\u001b]0;owned\\u0007"\n"\\u001bc" = 1')
    assert len(found.problems) == 2
    assert all(safe(sentence) == sentence and "␛" in sentence for sentence in found.problems)


def test_a_profile_has_the_fields_of_a_target():
    names = [field.name for field in dataclasses.fields(Target)]
    assert sorted(rows(Profile)) == sorted(names)


def test_every_key_is_documented_and_the_documentation_is_a_valid_file(loaded):
    text = documented()
    for row in (*rows().values(), *rows(Profile).values()):
        assert row.doc and row.name in text
    plain = [line[2:] for line in text.split("\n") if " = " in line and line.startswith("# ")]
    top = [line for line in plain if line.partition(" = ")[0] in rows()]
    found = loaded("\n".join(top))
    assert found.problems == () and found.settings == Settings()
    assert len(top) == sum(row.kind is not dict for row in rows().values())


def test_the_page_for_people_has_the_rows_of_the_table():
    page = Path(__file__).parents[2] / "CONTRIBUTING.md"
    assert documented() in page.read_text(), "put tui.config.documented() into its section on settings"


def test_the_environment_says_where_things_are(monkeypatch, tmp_path):
    monkeypatch.setenv("STOPKEY_CONFIG", str(tmp_path / "c.toml"))
    monkeypatch.setenv("STOPKEY_DATA", str(tmp_path / "d"))
    assert config_file() == tmp_path / "c.toml"
    assert data_dir(Settings(data_dir="/elsewhere")) == tmp_path / "d"
    monkeypatch.delenv("STOPKEY_DATA")
    assert data_dir(Settings(data_dir="~/here")) == Path.home() / "here"
    monkeypatch.delenv("STOPKEY_CONFIG")
    assert config_file().name == "config.toml" and "stopkey" in str(config_file())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200),
        st.lists(
            st.tuples(
                st.sampled_from([*rows(), *rows(Profile), "[profiles.a]\nurl", "profiles.x.y"]),
                st.sampled_from(
                    ['"x"', "3", "-1.5", "true", "[]", "{}", '{a = "b"}', "1979-05-27", '"http://["']
                ),
            )
        ).map(lambda pairs: "\n".join(f"{key} = {value}" for key, value in pairs)),
    )
)
def test_no_file_whatever_stops_a_start(tmp_path, text):
    file = tmp_path / f"{os.getpid()}.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    found = load(file)
    assert isinstance(found.settings, Settings)
    assert all(safe(sentence) == sentence and "\n" not in sentence for sentence in found.problems)
