"""The replies that people see first: the demo, a tour of markdown, and an answer of a minute."""

from __future__ import annotations

from backend_stub.steps import Call, Say, Scenario, Think, Turn

_THOUGHTS = (
    "The person wants to see what this client does. The honest way to show a Stop key is to give it "
    "something worth stopping: some reasoning, a tool that takes a moment, and an answer long enough to be "
    "interrupted. I should look at my own run first, so that what I say about it is true."
)

_ANSWER = """\
You asked: *{prompt}*

## What a Stop key can promise

Most clients print "Interrupted" when you press the key, and hope. The screen goes quiet; \
the agent on the other machine may not. Between the two lies a question that only **evidence** can settle:

| what the backend says | what you may believe |
|---|---|
| nothing at all | the connection closed, no more |
| "yes, I heard you" | it was *asked* to stop |
| a final event: `cancelled` | it is over, and nothing new will start |
| more text | it did **not** stop |

So a stop has an order, and none of the steps may be skipped:

1. **Freeze** the text where you saw it, before anything is sent.
2. **Ask** the backend to end the run, on a connection of its own.
3. **Listen** a little longer, for the end that it declares.
4. **Say** exactly what is known, and keep what had arrived.

On the side of the agent, the same care looks like this. Every wait goes through one token, and no call \
starts without looking at it:

```python
async def run(self, script, token):
    for turn in script:
        token.check()                        # nothing new once we were told
        async for word in self.model(turn, token):
            yield word
        await self.tools(turn.calls, token)  # a tool can be cut, too

def abort(self, run_id, reason):
    self.runs[run_id].token.cancel(reason)   # felt within one turn of the loop
```

What a token cannot do is take back what was already done:

- a letter that was sent stays sent,
- a blocking call works on until it returns,
- and the receipt should say so, rather than stay silent about it.

> Press **Esc** while I am talking. You will see what was kept, what I answered, and how long it took. \
Then send the same again, or change it first.

That is all I had to say. If you read this far, you let me finish. Try `/tool`, `/blocking`, `/approve` \
or `/long` next, and stop me in the middle."""

DEMO = Scenario(
    "demo",
    "reasoning, a tool, and an answer about stopping agents (the default)",
    (
        Turn(
            (
                Think(_THOUGHTS, pace=0.03),
                Say("Let me look at my own run first.", pace=0.05),
                Call(
                    "inspect_run",
                    {"run": "this one", "fields": ["token", "calls", "started"]},
                    '{"token": "live", "calls": {"model": 1, "tool": 1}, "abort": "POST /runs/{id}/abort"}',
                    takes=2.4,
                ),
            )
        ),
        Turn((Say(_ANSWER),)),
    ),
)

_MARKDOWN = """\
# A tour of what can be drawn

Text may be **bold**, *slanted*, `code`, ~~struck~~ or a [link](https://example.org/a/page?of=examples).

## Lists

- first
- second
  - nested, with `code`
  - and a long line that has to be wrapped sooner or later, because no terminal is as wide as a thought
- third

1. one
2. two
10. ten

## Code

```rust
fn main() -> Result<(), Error> {
    let token = CancellationToken::new();
    run(token.child_token())?;   // a comment
    Ok(())
}
```

```json
{"run": "r-118", "outcome": "cancelled", "kept": 1204}
```

```
no language, <no> [markup] *here*
```

## A table

| client | key | evidence | note |
|:--|:-:|--:|---|
| this one | Esc | 418 ms | confirmed by the run's own end |
| another | Ctrl+C | - | "Interrupted" |
| 中文 | ⎋ | 3 ms | wide characters, and an emoji 🛑 |

---

> A quotation
> of two lines.

The end: 1 < 2 && "quotes" — and an ellipsis…"""

MARKDOWN = Scenario(
    "markdown",
    "every kind of markdown: headings, lists, code, tables, links, wide characters",
    (Turn((Say(_MARKDOWN, pace=0.03),)),),
    ("markdown", "table", "code", "list"),
)

_SECTIONS = (
    ("Before the key is pressed", "A client that cannot stop an agent should say so before you need it."),
    ("The moment of the key", "What you saw is what you keep. Not one character more arrives on the screen."),
    ("The round trip", "The request to end the run travels alone; a full connection must not hold it up."),
    ("The answer", "A yes is an answer and no more. It says that somebody heard."),
    ("The end", "Only the run's own end is proof, on its stream, in its status or in its history."),
    ("What cannot be cut", "A tool that blocks goes on. It started before; nothing starts after."),
    ("The rest of the text", "What was still under way is late. It is counted and kept apart."),
    ("The next prompt", "It waits until the old run is over, or you say that it need not."),
    ("When nothing answers", "Then nothing is known, and that is what has to be said."),
    ("Afterwards", "A receipt is for the day on which somebody asks what happened."),
)

_SECTION = """\
## {number}. {title}

{first} Suppose that the agent is in the middle of a sentence, or that a tool has just begun; \
suppose also that the network is slow today. Each of these is ordinary, and each is a moment at which \
somebody presses the key.

- the screen decides at once
- the backend decides when it can
- the client says which of the two it knows about

That is section {number} of 10; stop me whenever you like, and look at what was kept."""

_LONG = "\n\n".join(
    _SECTION.format(number=number, title=title, first=first)
    for number, (title, first) in enumerate(_SECTIONS, 1)
)

LONG = Scenario(
    "long",
    "an answer of about a minute",
    (Turn((Think("This will take a while.", pace=0.1), Say(_LONG, pace=0.06))),),
    ("long", "essay", "story"),
)
