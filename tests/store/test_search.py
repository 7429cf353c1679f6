"""Search over everything ever said."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.made import Log, settled
from tests.store.test_list import talk
from tui.core import events as ev
from tui.store import Store
from tui.store import search as search_room
from tui.store.said import Said, keep_said


def titles(store: Store, text: str) -> list[str]:
    return [hit.title for hit in store.search(text)]


def test_words_are_found_in_prompts_and_replies_and_marked(store: Store) -> None:
    identity = talk(store, "Where is order 42?", reply="It left the Leipzig warehouse on Tuesday.")
    (hit,) = store.search("leipzig")
    assert (hit.conversation_id, hit.turn, hit.role) == (identity, 1, "reply")
    assert [piece for piece, found in hit.snippet if found] == ["Leipzig"]
    (hit,) = store.search("order")
    assert hit.role == "prompt" and "".join(piece for piece, _ in hit.snippet) == "Where is order 42?"


def test_all_words_must_occur_the_last_may_be_unfinished_and_accents_do_not_matter(store: Store) -> None:
    talk(store, "grüne Äpfel kaufen")
    assert titles(store, "apfel kau") == ["grüne Äpfel kaufen"]
    assert titles(store, "kau apfel") == [], "only the last word may be unfinished"
    assert titles(store, "kaufen birnen") == [] and titles(store, "") == [] and titles(store, " ?! ") == []


def test_quotes_hold_words_together(store: Store) -> None:
    talk(store, "the blue house")
    talk(store, "the house is blue")
    assert titles(store, '"blue house"') == ["the blue house"]
    assert sorted(titles(store, "blue house")) == ["the blue house", "the house is blue"]


def test_the_better_place_comes_first(store: Store) -> None:
    talk(store, "an order among " + "many other words " * 30)
    talk(store, "order")
    assert titles(store, "order")[0] == "order"


def test_of_a_word_that_is_everywhere_the_newest_come_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_room, "_MANY", "SELECT 1000000 WHERE ? <> ''")
    for number in range(5):
        talk(store, f"hello number {number}")
    assert titles(store, "hello")[0] == "hello number 4"


@pytest.mark.parametrize("text", ["注文はどこですか。昨日の注文です", "สั่งซื้อสี่สิบสองอยู่ที่ไหน", "我的订单在哪里"])
def test_scripts_without_spaces_are_searched_too(store: Store, text: str) -> None:
    talk(store, f"x {text} y")
    (hit,) = store.search(text[3:6])
    assert [piece for piece, found in hit.snippet if found] == [text[3:6]]
    assert store.search(text[3:6] + "没") == []


def test_a_stopped_reply_is_found_and_what_came_after_the_stop_is_not(store: Store) -> None:
    log = Log(store.create("stub"))
    log.prompt("go")
    log.text("before ", "the ", "stop")
    log.add(ev.StopAsked("esc"), urgent=True)
    log.text(" afterwards", late=True)
    log.add(ev.AbortAnswered(ev.Answer.ACKNOWLEDGED), urgent=True)
    log.add(ev.RunFinished(ev.End.CANCELLED), urgent=True)
    log.add(ev.Settled("stopped", "confirmed"), urgent=True)
    settled(store)
    assert len(store.search('"before the stop"')) == 1 and store.search("afterwards") == []


def test_text_split_over_deltas_blocks_and_tools_is_put_together(store: Store) -> None:
    log = Log(store.create("stub"))
    log.prompt("go")
    log.text("super", "cali", block="a")
    log.add(ev.ToolStarted("t", "look"))
    log.text("other", block="b")
    log.text("fragilistic", block="a")
    log.add(ev.TextReplaced("b", "replaced"))
    log.complete()
    settled(store)
    assert len(store.search("supercalifragilistic")) == 1
    assert store.search("other") == [] and len(store.search("replaced")) == 1


def test_a_turn_whose_client_died_is_found_after_the_next_start(store: Store) -> None:
    log = Log(store.create("stub"))
    log.prompt("go")
    log.text("never settled")
    assert log.journal
    log.journal.close()
    again = Store.open(store.path) if store.path else store
    settled(again)
    assert len(again.search("settled")) == 1
    again.close()


def test_a_reply_of_a_megabyte_is_found_to_its_last_word(store: Store) -> None:
    talk(store, "long", reply="filler words " * 80_000 + "needle")
    (hit,) = store.search("needle")
    assert hit.role == "reply"
    (line,) = store.turns(hit.conversation_id)
    assert line.chars > 1_000_000


@given(
    st.text(max_size=30) | st.sampled_from(['"', '""', "a AND", "NEAR(", "*", "a*b", "-x", "^a", "{", "a:b"])
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_typed_is_a_question_never_an_error(searched: Store, text: str) -> None:
    searched.search(text)


@pytest.fixture(scope="module")
def searched() -> Store:
    store = Store.memory()
    talk(store, 'AND a "quoted" word')
    return store


def test_ten_thousand_conversations_are_searched_at_once(store: Store) -> None:
    """Measured over 80,000 texts (132 MB): 0.4 to 22 ms. Here fewer words, and room for a busy machine."""

    def fill(db: object) -> None:
        for number in range(10_000):
            db.execute(  # type: ignore[attr-defined]
                "INSERT INTO conversation(key,id,remote,backend,url,agent,settings,title,made,touched)"
                " VALUES (?,?,'','stub','','','{}',?,?,?)",
                (number + 1, f"c{number}", f"number {number}", number, number),
            )
            text = f"the order {number} is on its way to place {number % 97}, says the carrier"
            keep_said(db, number + 1, Said(1, "prompt", number, [text]))  # type: ignore[arg-type]

    store._writer.ask(fill, 60)
    for text in ("order", "o", "order 77", '"on its way"', "carrier place", "nowhere"):
        began = time.perf_counter()
        found = store.search(text)
        assert time.perf_counter() - began < 0.15, text
        assert bool(found) is (text != "nowhere")
