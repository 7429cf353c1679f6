"""Faults of a connection as one sentence each: what happened, and what to do about it."""

from __future__ import annotations

import socket
import ssl

import httpx

from tui.backends.address import Address


def no_connection(fault: BaseException, address: Address) -> str:
    """Why no connection was made, so that nothing can have been sent."""
    causes = list(_causes(fault))
    where = address.origin
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return f"The certificate of {where} is not trusted: give its authority with --ca-file."
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"No secure connection to {where}: check whether it speaks https."
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"The name {address.host} was not found: check the URL and the network."
    if isinstance(fault, httpx.ConnectTimeout):
        return f"{where} did not take the connection in time: check the URL and the network."
    if isinstance(fault, httpx.PoolTimeout):
        return "Too many connections are open: close a conversation and send again."
    return f"Nothing answers at {where}: see whether the agent runs there, and check the URL."


def went_wrong(fault: BaseException, address: Address, answered: bool) -> str:
    """What broke after the request may have left."""
    where = address.origin
    if isinstance(fault, httpx.ProxyError):
        return "The proxy did not pass the request on: check --proxy."
    if isinstance(fault, httpx.TimeoutException):
        return f"{where} did not take the whole request in time."
    if answered:
        return f"The connection to {where} broke off."
    return f"{where} closed the connection without an answer."


def _causes(fault: BaseException | None) -> list[BaseException]:
    """The fault and everything that led to it, groups included."""
    found: list[BaseException] = []
    todo = [fault]
    while todo and len(found) < 50:
        one = todo.pop()
        if one is None or one in found:
            continue
        found.append(one)
        todo += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            todo += one.exceptions
    return found
