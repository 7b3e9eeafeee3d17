"""Speaks HTTP to the services: ordinary, blocking functions that know nothing of jobs."""

import os
import ssl
from decimal import Decimal
from typing import Any

import httpx
from trigger_sdk import Abort, RetryAfter

TLS = ssl.create_default_context()  # made once: it takes longer than a request


class ServiceUnavailable(Exception):
    """No answer, or one that says "not now": worth another try."""


class Refused(Abort):
    """The service understood and said no. An Abort is not tried again."""


def charge(key: str, order: str, card: str, amount: Decimal) -> str:
    """Take the amount from the card and return the charge's id."""
    return str(_post("/payment/charge", key, order=order, card=card, amount_cents=int(amount * 100))["id"])


def refund(key: str, order: str) -> None:
    """Give back what was taken for the order, if anything was."""
    _post("/payment/refund", key, order=order)


def take(key: str, order: str, sku: str, quantity: int) -> None:
    """Take something out of the warehouse."""
    _post("/warehouse/take", f"{key}/{sku}", order=order, sku=sku, quantity=quantity)


def put_back(key: str, order: str) -> None:
    """Put back what was taken for the order, if anything was."""
    _post("/warehouse/put_back", key, order=order)


def send_email(key: str, to: str, subject: str, text: str) -> None:
    """Send a message."""
    _post("/mail/send", f"{key}/{subject}", to=to, subject=subject, text=text)


def _post(path: str, key: str, **request: object) -> dict[str, Any]:
    """POST to a service. It carries out the same key once, so a request may be repeated after a lost answer."""
    base_url = os.environ.get("SERVICES_URL", "http://127.0.0.1:8735")
    try:
        with httpx.Client(base_url=base_url, verify=TLS, timeout=10) as http:
            response = http.post(path, json=request, headers={"Idempotency-Key": key})
    except httpx.TransportError as error:
        raise ServiceUnavailable(f"{path}: {error!r}") from None
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise RetryAfter(float(response.headers.get("Retry-After", 1)), f"{path}: too many requests")
    if response.is_server_error:
        raise ServiceUnavailable(f"{path}: HTTP {response.status_code}")
    answer: dict[str, Any] = response.json()
    if response.is_error:
        raise Refused(answer["error"]["message"])
    return answer
