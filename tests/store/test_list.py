"""Finding conversations again: the list, names, notes, prompts, and taking one away with a way back."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.store.made import Log, drain, eventually, settled
from tui.core import events as ev
from tui.store import NoSuchConversation, Store, schema


def talk(store: Store, *prompts: str, agent: str = "", reply: str = "word ") -> str:
    log = Log(store.create("stub", "http://127.0.0.1:9/x", agent))
    for prompt in prompts:
        log.prompt(prompt)
        log.text(reply)
        log.complete()
    settled(store)
    assert log.journal
    log.journal.close()
    return log.journal.conversation_id


def test_a_conversation_in_which_nothing_was_said_leaves_no_trace(store: Store) -> None:
    journal = store.create("stub")
    assert journal.close()
    assert store.list() == [] and store.last() is None


def test_the_list_has_the_newest_first_and_how_each_ended(store: Store) -> None:
    old = talk(store, "Where is order 42?", "And 43?", agent="orders")
    log = Log(store.create("flue", "http://127.0.0.1:9", "stock"))
    log.prompt("Count\nthe  stock")
    log.text("one, ", "two")
    log.stop()
    settled(store)
    newest, oldest = store.list()
    assert store.last() == newest
    assert (newest.title, newest.backend, newest.agent, newest.turns) == (
        "Count the stock",
        "flue",
        "stock",
        1,
    )
    assert (newest.phase, newest.outcome, newest.chars) == ("stopped", "confirmed", 8)
    assert oldest.conversation_id == old
    assert (oldest.title, oldest.turns, oldest.phase) == ("Where is order 42?", 2, "completed")
    assert [found.title for found in store.list(query="ORDER")] == ["Where is order 42?"]
    assert store.list(query="100%") == [] and len(store.list(limit=1)) == 1


def test_a_turn_that_is_under_way_is_in_the_list_as_such(store: Store) -> None:
    log = Log(store.create("stub"))
    log.prompt("hello")
    drain(store)
    assert [(found.turns, found.phase) for found in store.list()] == [(1, "sending")]


def test_ids_may_be_cut_short_as_long_as_they_are_clear(store: Store) -> None:
    first = talk(store, "one")
    assert store.find(first[:6]) == first
    for wrong in ("", "nothing", "%"):
        with pytest.raises(NoSuchConversation, match="There is no conversation"):
            store.find(wrong)
    store._writer.ask(lambda db: db.execute("UPDATE conversation SET id='abc1'"))
    talk(store, "two")
    store._writer.ask(lambda db: db.execute("UPDATE conversation SET id='abc' WHERE id<>'abc1'"))
    assert store.find("abc") == "abc", "a whole id is clear even if others begin with it"
    store._writer.ask(lambda db: db.execute("UPDATE conversation SET id='abc2' WHERE id='abc'"))
    with pytest.raises(NoSuchConversation, match="Several"):
        store.find("abc")


def test_a_conversation_is_found_by_the_backends_own_id(store: Store) -> None:
    url = "http://user:pass@127.0.0.1:9/x?api_key=s3cret&v=2"
    log = Log(store.create("stub", url, "a", remote_id="main", settings={"abort_url": "{base}/stop"}))
    log.prompt("hello")
    drain(store)
    assert log.journal
    identity = log.journal.conversation_id
    assert identity != "main" and log.journal.remote_id == "main"
    assert store.find_remote("stub", url, "a", "main") == identity
    assert store.find_remote("stub", "http://elsewhere", "a", "main") is None
    found = store.info(identity)
    assert found.settings == {"abort_url": "{base}/stop"} and found.url == "http://127.0.0.1:9/x?v=2"


def test_going_on_with_a_conversation_counts_on_from_its_last_record(store: Store) -> None:
    identity = talk(store, "one", "two")
    journal = store.open_journal(identity)
    assert journal.last_number == 10
    log = Log(journal, turn=3, number=journal.last_number)
    log.add(ev.Prompted("three"), urgent=True)
    drain(store)
    assert [record.number for record in store.load(identity)] == list(range(1, 12))
    assert [line.prompt for line in store.turns(identity)] == ["one", "two", "three"]


def test_a_number_given_twice_loses_neither_record(store: Store) -> None:
    identity = talk(store, "one")
    log = Log(store.open_journal(identity), turn=2, number=2)
    log.add(ev.Prompted("counted wrongly"), urgent=True)
    drain(store)
    events = [record.event for record in store.load(identity)]
    assert len(events) == 6 and ev.Prompted("counted wrongly") in events


def test_renaming_stays_when_more_is_said(store: Store) -> None:
    identity = talk(store, "first words")
    store.rename(identity, "Order 42")
    Log(store.open_journal(identity), turn=2, number=9).add(ev.Prompted("more"))
    drain(store)
    assert store.info(identity).title == "Order 42"
    with pytest.raises(NoSuchConversation):
        store.rename("nothing", "x")


def test_draft_and_queue_are_kept_and_the_last_one_wins(store: Store) -> None:
    log = Log(store.create("stub"))
    assert log.journal
    for text in ("h", "he", "hel \ud800\0"):
        log.journal.save_draft(text)
    log.journal.save_note("queue", ["one", "two"])
    drain(store)
    assert store.notes(log.journal.conversation_id) == {"draft": "hel \ud800\0", "queue": ["one", "two"]}
    log.journal.save_draft("")
    drain(store)
    assert store.notes(log.journal.conversation_id)["draft"] == ""


def test_a_draft_alone_is_kept_and_an_emptied_one_is_not_a_conversation(store: Store) -> None:
    never, once, kept = (store.create("stub") for _ in range(3))
    never.save_draft("")
    once.save_draft("typed")
    kept.save_draft("typed")
    drain(store)
    once.save_draft("")
    drain(store)
    eventually(lambda: store._writer.asleep)
    assert [found.conversation_id for found in store.list()] == [kept.conversation_id]


def asked(store: Store, **how: int) -> list[str]:
    return [store.whole_prompt(past) for past in store.prompts(**how)]


def test_prompts_of_all_conversations_come_newest_first(store: Store) -> None:
    talk(store, "one", "two", "one")
    long = "long " * 10_000
    talk(store, "three", long, "two")
    assert asked(store) == ["two", long, "three", "one", "two", "one"]
    assert [past.cut for past in store.prompts(limit=3)] == [False, True, False]
    assert [(past.text, past.cut) for past in store.prompts(limit=1, most=2)] == [("tw", True)]


def test_prompts_come_page_by_page_and_none_twice_even_in_one_moment(store: Store) -> None:
    talk(store, *"abcdefg")
    store._writer.ask(lambda db: db.execute("UPDATE said SET wall=5"))
    pages = [store.prompts(limit=3)]
    while pages[-1]:
        pages.append(store.prompts(pages[-1][-1], limit=3))
    assert ["".join(past.text for past in page) for page in pages] == ["gfe", "dcb", "a", ""]


def test_what_was_said_is_read_without_the_log(store: Store) -> None:
    long = "long words " * 5000
    identity = talk(store, "one", long, "three", reply="reply ")
    said = store.said(identity, 1, 2)
    assert [(line.turn, line.role, line.text) for line in said] == [
        (1, "prompt", "one"), (1, "reply", "reply "), (2, "prompt", long), (2, "reply", "reply "),
    ]  # fmt: skip
    assert {line.phase for line in said} == {"completed"}


def test_deleting_takes_it_out_of_everything_and_undo_brings_it_back(store: Store) -> None:
    identity = talk(store, "the word is xyzzy")
    store.delete(identity)
    assert store.list() == [] and store.search("xyzzy") == [] and asked(store) == []
    assert [found.conversation_id for found in store.list(deleted=True)] == [identity]
    store.undelete(identity)
    assert [found.conversation_id for found in store.list()] == [identity]
    assert len(store.search("xyzzy")) == 1 and asked(store) == ["the word is xyzzy"]
    store.close()


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def test_what_was_deleted_is_gone_from_the_disk_after_closing(path: Path) -> None:
    store = Store.open(path)
    kept = talk(store, "keep plugh")
    gone = talk(store, "the word is XyzzyCanary", reply="reply XyzzyCanary " * 50)
    settled(store)
    assert b"XyzzyCanary" in bytes_of(path.parent)
    store.delete(gone)
    store.close()
    left = bytes_of(path.parent)
    assert b"xyzzycanary" not in left.lower() and b"plugh" in left
    again = Store.open(path)
    assert [found.conversation_id for found in again.list()] == [kept]
    with pytest.raises(NoSuchConversation):
        again.undelete(gone)
    again.close()


def test_a_deletion_that_could_not_be_carried_out_is_carried_out_at_the_next_start(path: Path) -> None:
    store = Store.open(path)
    gone = talk(store, "the word is XyzzyCanary")
    store._writer.ask(lambda db: db.execute("UPDATE conversation SET deleted=5"))
    store.close()
    assert b"XyzzyCanary" in bytes_of(path.parent)
    again = Store.open(path)
    settled(again)
    again.close()
    assert b"xyzzycanary" not in bytes_of(path.parent).lower() and gone


def test_a_conversation_that_is_open_somewhere_is_not_purged(path: Path) -> None:
    first, second = Store.open(path), Store.open(path)
    log = Log(first.create("stub"))
    log.prompt("still open")
    drain(first)
    assert log.journal
    second.delete(log.journal.conversation_id)
    second.close()
    assert len(list(first.load(log.journal.conversation_id))) == 2
    first.close()


def test_clients_that_start_for_the_first_time_in_the_same_moment_all_save(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client makes the tables just after this one has seen that there are none."""
    real = schema.version

    def version(db: sqlite3.Connection) -> int:
        found = real(db)
        monkeypatch.setattr(schema, "version", real)
        other = sqlite3.connect(path, timeout=0)
        with contextlib.suppress(sqlite3.OperationalError):
            other.execute("CREATE TABLE made_meanwhile(x)")
        other.close()
        return found

    monkeypatch.setattr(schema, "version", version)
    store = Store.open(path)
    assert store.opened() and not store.in_memory and store.problem is None
    store.close()


def test_without_a_store_nothing_reaches_the_disk_and_everything_works(tmp_path: Path) -> None:
    store = Store.memory()
    identity = talk(store, "say xyzzy", "again")
    assert store.in_memory and store.problem is None
    assert len(store.search("xyzzy")) == 1 and len(list(store.load(identity))) == 10
    store.delete(identity)
    store.undelete(identity)
    assert not list(tmp_path.iterdir())
    store.close()


def test_what_was_said_names_the_sending_of_each_prompt(store: Store) -> None:
    """A backend that keeps the conversation knows a message by that id (`desk._said`)."""
    log = Log(store.create("stub"))
    for text in ("first", "second"):
        log.prompt(text)
        log.text("an ", "answer")
        log.complete()
    drain(store)
    assert log.journal
    lines = store.said(log.journal.conversation_id, 1, 2)
    sent = [record.event.key for record in log.records if isinstance(record.event, ev.Prompted)]
    assert [line.key for line in lines if line.role == "prompt"] == sent and all(sent)
    assert not any(line.key for line in lines if line.role == "reply")
