"""Every scenario by name. `stopkey serve --list` prints them; a prompt plays one with [[name]] or /name."""

from __future__ import annotations

from backend_stub.showcase import DEMO, LONG, MARKDOWN
from backend_stub.steps import (
    Ask,
    Call,
    Data,
    Fail,
    Flood,
    Gate,
    Quiet,
    Recall,
    Say,
    Scenario,
    Step,
    Think,
    Turn,
)

_DEPLOY = Turn(
    (
        Call("deploy", {"to": "production", "version": "1.4.2"}, "deployed in 1.9 s", takes=1.9),
        Say("Approved, so I am deploying."),
    )
)

_ROUNDS = tuple(
    Turn((Say(f"Round {n} of 8."), Call("work", {"round": n}, f"round {n} done", takes=0.7)))
    for n in range(1, 9)
)

_ALL = (
    DEMO,
    MARKDOWN,
    LONG,
    Scenario(
        "short",
        "two sentences, then the end",
        (Turn((Say("Here is a short answer. It ends by itself before most people reach the Stop key."),)),),
        ("short", "hi", "hello"),
    ),
    Scenario(
        "words",
        "sixty numbered words: easy to see where a stop cut",
        (Turn((Say(" ".join(f"word{n}" for n in range(1, 61)), pace=0.1),)),),
        ("count",),
    ),
    Scenario(
        "think",
        "a long stretch of reasoning before the answer",
        (
            Turn(
                (
                    Think(
                        "First I should be sure what is being asked. A stop has two halves: what happens on "
                        "this screen, and what happens on the machine where I run. The first is instant. The "
                        "second takes a round trip, and can fail in more ways than one expects. " * 3
                    ),
                    Say("Thought about it: **ask for evidence**, not for promises."),
                )
            ),
        ),
        ("think", "why", "reason"),
    ),
    Scenario(
        "tool",
        "one slow tool between two pieces of text",
        (
            Turn(
                (
                    Say("Let me look at the calendar."),
                    Call(
                        "read_calendar",
                        {"day": "Thursday", "zone": "Europe/Vienna"},
                        '{"free": ["09:00-10:30", "15:00-16:00"]}',
                        takes=6.0,
                    ),
                )
            ),
            Turn((Say("You are free at nine, for an hour and a half, and again at three."),)),
        ),
        ("tool", "calendar"),
    ),
    Scenario(
        "parallel",
        "three tools side by side, of different speed; one of them fails",
        (
            Turn(
                (
                    Say("I will ask three sources at once."),
                    Call("search_docs", {"query": "abort route"}, "4 pages", takes=1.5),
                    Call("search_code", {"query": "cancel token", "path": "src/"}, "12 matches", takes=4.0),
                    Call("search_web", {"query": "agent stop button"}, "HTTP 502", takes=2.5, failing=True),
                )
            ),
            Turn((Say("The documents and the code agree; the web search was not available."),)),
        ),
        ("parallel", "search"),
    ),
    Scenario(
        "failing-tool",
        "a tool that fails, and an agent that carries on",
        (
            Turn(
                (
                    Say("Reading the file."),
                    Call(
                        "read_file",
                        {"path": "/etc/shadow"},
                        "Permission denied: /etc/shadow",
                        takes=0.8,
                        failing=True,
                    ),
                )
            ),
            Turn((Say("I am not allowed to read that file, and I will not try to get around it."),)),
        ),
        ("permission",),
    ),
    Scenario(
        "blocking",
        "a tool that works in a thread: a stop cannot cut it, only keep anything new from starting",
        (
            Turn(
                (
                    Say("Sending the letter. This cannot be cut once it has begun."),
                    Call(
                        "send_letter",
                        {"to": "everyone@example.org"},
                        "sent to 214 people",
                        takes=5.0,
                        blocking=True,
                    ),
                )
            ),
            Turn((Say("The letter was sent to 214 people."),)),
        ),
        ("letter", "email", "blocking"),
    ),
    Scenario(
        "deaf",
        "a tool that swallows its cancellation and works on to its end",
        (
            Turn(
                (
                    Say("Rebuilding the index."),
                    Call("rebuild_index", {"shards": 8}, "rebuilt", takes=4.0, deaf=True),
                )
            ),
            Turn((Say("The index is rebuilt."),)),
        ),
        ("index", "deaf"),
    ),
    Scenario(
        "many-tools",
        "eight rounds of model and tool: a stop in the middle keeps the rest from ever starting",
        (*_ROUNDS, Turn((Say("All eight rounds are done."),))),
        ("rounds", "work"),
    ),
    Scenario(
        "steps",
        "named steps, state and custom data",
        (
            Data("state", {"plan": ["gather", "write"], "at": 0}),
            Step(
                "gather",
                (
                    Turn(
                        (
                            Say("Gathering."),
                            Call("fetch", {"url": "https://example.org/report"}, "41 kB", takes=1.2),
                        )
                    ),
                    Data("state", {"plan": ["gather", "write"], "at": 1}),
                ),
            ),
            Step("write", (Turn((Say("And here is the summary: all is well."),)),)),
            Data("progress", {"percent": 100}),
        ),
        ("steps", "plan"),
    ),
    Scenario(
        "approve",
        "asks for approval before a tool",
        (
            Turn((Say("I would deploy version 1.4.2 to production now."),)),
            Ask(
                "Deploy 1.4.2 to production?",
                yes=(_DEPLOY, Turn((Say("Version 1.4.2 is live."),))),
                no=(Turn((Say("As you wish: nothing was deployed."),)),),
            ),
        ),
        ("approve", "deploy", "approval"),
    ),
    Scenario(
        "choose",
        "asks to pick one of three",
        (
            Turn((Say("There are three ways to go on."),)),
            Ask(
                "Which one?",
                kind="choice",
                choices=("fast", "thorough", "cheap"),
                yes=(Turn((Say("Then **{reply}** it is. Working on it that way."),)),),
            ),
        ),
        ("choose", "choice"),
    ),
    Scenario(
        "ask",
        "asks for free text",
        (
            Turn((Say("I need one thing from you."),)),
            Ask("What is the order number?", kind="input", yes=(Turn((Say("Looking up *{reply}*."),)),)),
        ),
        ("ask", "question"),
    ),
    Scenario(
        "approve-live",
        "asks for approval; the run waits in its open stream",
        (
            Turn((Say("I would deploy version 1.4.2 to production now."),)),
            Ask(
                "Deploy 1.4.2 to production?",
                yes=(_DEPLOY, Turn((Say("Version 1.4.2 is live."),))),
                no=(Turn((Say("As you wish: nothing was deployed."),)),),
            ),
        ),
        options={"questions": "wait"},
    ),
    Scenario(
        "error",
        "the agent fails in the middle of a sentence",
        (Turn((Say("I was about to tell you that the"), Fail("The model provider is overloaded.", "529"))),),
        ("error", "fail", "crash"),
    ),
    Scenario(
        "error-at-once",
        "the agent fails before it has said anything",
        (Fail("No credit left on this account.", "billing"),),
        ("billing",),
    ),
    Scenario(
        "silence",
        "some words, then ten minutes of silence",
        (Turn((Say("One moment, please."), Quiet(600.0), Say(" Thank you for waiting."))),),
        ("silence", "hang", "wait"),
    ),
    Scenario(
        "slow-start",
        "eight seconds of silence before the first word",
        (Quiet(8.0), Turn((Say("Good things take time."),))),
        ("slow",),
    ),
    Scenario(
        "flood",
        "20,000 deltas a second for ten seconds",
        (Turn((Flood(200_000, 20_000),)),),
        ("flood",),
    ),
    Scenario(
        "gated",
        "stands at the gates first, second and third until a test opens them",
        (
            Turn((Say("one two three "), Gate("first"), Say("four five six "))),
            Gate("second"),
            Turn((Call("gated_tool", {"n": 1}, "opened", takes=0.0),)),
            Turn((Gate("third"), Say("seven eight nine"))),
        ),
    ),
    Scenario("recall", "says what it remembers of this conversation", (Recall(),), ("remember", "recall")),
    Scenario(
        "hostile",
        "text full of control sequences, markup and bidirectional tricks",
        (
            Turn(
                (
                    Think("\x1b]0;owned\x07 thinking \x1b[2J\x9b31m"),
                    Say("plain \x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link\x1b]8;;\x07"),
                    Say(" [/x] [bold] \u202egnp.exe \x00\x08\x7f\u200b done. "),
                    Call(
                        "\x1b[5mtool\x1b[0m",
                        {"path": "\x1b]52;c;aGk=\x07"},
                        "\x1bP+q\x1b\\ result",
                        takes=0.2,
                    ),
                )
            ),
            Turn((Say("Nothing of that should have reached your terminal."),)),
        ),
        ("hostile",),
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
