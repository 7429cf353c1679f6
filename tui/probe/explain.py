"""`stopkey probe --explain`: what a truthful Stop needs, for whoever writes a backend."""

EXPLAINED = """\
WHAT A TRUTHFUL STOP NEEDS
In the order of the trials of `stopkey probe`. Each says what is tried, and what your backend has to do.

 1  BEFORE THE FIRST EVENT
    Stop comes while the prompt is on its way, or before the model has said a word.
    - Make the run abortable the moment you accept its prompt: let the client choose the run's id, or send
      the id first, before any model is called. A client that does not know the id can abort nothing.
    - Remember an abort that overtakes its prompt, for a minute or so, and end that run before it begins.

 2  IN THE TEXT
    - Give every run one cancellation token, and hand it to the agent loop, the model's stream and every
      tool. Look at it at every wait, not between steps only.
    - Answer the abort when the run IS over, or say plainly that you only accepted it (202). A yes that is
      sent before anything has ended is a promise, and clients show it as one.
    - End the stream with one final event that says how the run ended: cancelled is neither an error nor a
      success. A stream that just ends says nothing.
    - Keep what was said until then in the history, as what it is: a reply that was stopped.

 3  INSIDE A TOOL
    - Check the token and record the start of a call in the same breath, in one place that nothing gets
      around: once a run is declared over, no model and no tool call may begin for it.
    - Cut the tool that runs, wait a moment for it, and say "interrupted" as its result. What cannot be cut
      (a thread, a letter that was sent) may finish; leave its end out rather than make one up.

 4  TWICE
    - An abort is idempotent. The second one changes nothing and says so: "already cancelled", not a new yes.

 5  WHEN IDLE
    - Say that nothing runs, or that the run had ended. A yes to everything proves nothing.
    - Never let an abort of an old run end a newer one: abort by run, not by "whatever runs".

 6  JUST AS THE REPLY ENDS
    - One of the two wins. Decide it in one place, and let answer, stream, status and history all say the
      same: cancelled, or completed first.

 7  BY DISCONNECT ALONE
    - A dropped connection is not a stop: trains have tunnels. Let the run go on, keep its events, and let
      the client take the stream up again behind the last event it has.
    - If closing is your Stop, say so in your protocol, and let a look-up show that the run ended.

 THEN SEND AGAIN
    - After the stop the same conversation takes the next prompt at once. No lock is held by a dead run.
    - Offer a look-up by run id: running, completed, failed, cancelled, and the saved reply. It is how a
      client whose connection broke learns what became of the run.

THE WITNESS
    From outside nobody can see whether a model is still being called. Keep a log of calls, and give it to
    the drill with --witness FILE or --witness URL. One JSON object a line; other fields are ignored:

    {"t": 1700000000.25, "kind": "model", "event": "start", "run": "r-1", "name": "large", "call": "c-1"}
    {"t": 1700000004.75, "kind": "model", "event": "end", "run": "r-1", "name": "large", "call": "c-1"}

    t      UTC, seconds since 1970         kind   model or tool        event  start or end
    run    the run's id as clients know it; without it the log is read by the clock, and nobody else may
           use the backend during the drill
    name, call   optional; the same at start and end
    Write the start before the call is made. A URL gets the headers of TARGET if it has the same origin.
    The embedded backend serves its own at /witness; `stopkey serve --set abort=lie-quietly` is a liar
    that only a witness finds out.

THE VERDICTS
    truthful       every stop was confirmed, or had lost against the end; nothing began after it
    unproven       the abort was accepted, and nothing showed an end in time
    breaks         the run ended, and the conversation could not go on
    does not stop  no abort, no answer, a refusal, or the reply came whole all the same
    lies           it said that it had stopped, and went on
    inconclusive   no stop came while a reply was running: give a --prompt with a longer reply

    Exit codes: 0 truthful, 1 any other verdict, 2 usage, 3 unreachable, 130 stopped by Ctrl+C.
"""
