"""The services that templates ship: effects, idempotency, faults, and a memory that outlives the process."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.services_process import ServicesProcess

TEMPLATES = ("ticket", "contacts", "orders", "checkout")
CHARGE: dict[str, Any] = {"card": "tok_visa", "amount_cents": 4500, "order": "order-1"}


@pytest.fixture
def start(
    tmp_path: Path, repository: Path, services_of: Callable[[Path], ServicesProcess]
) -> Callable[[str], ServicesProcess]:
    """Return what starts the services of a template."""

    def begin(template: str) -> ServicesProcess:
        folder = tmp_path / template
        shutil.copytree(repository / "templates" / template, folder)
        return services_of(folder)

    return begin


@pytest.fixture
def services(start: Callable[[str], ServicesProcess]) -> ServicesProcess:
    """Return the ticket template's services, which have most of what the others have."""
    return start("ticket")


@pytest.mark.parametrize("template", TEMPLATES)
def test_services_start_with_nothing_done(template: str, start: Callable[[str], ServicesProcess]) -> None:
    """Every template's services answer, and their state is ignored by git."""
    services = start(template)
    assert services.get("/healthz").json() == {"status": "ok"}
    assert services.get("/effects").json() == {"effects": [], "counts": {}}
    assert (services.project / ".services" / ".gitignore").read_text() == "*\n"


def test_effects_are_listed_in_order(services: ServicesProcess) -> None:
    """What was done is there with its request and answer, and counted by kind."""
    services.post("/mail/send", to="ada@example.com", subject="one", text="x")
    services.post("/chat/post", channel="#sales", text="two")
    services.post("/mail/send", to="ada@example.com", subject="three", text="x")
    answer = services.get("/effects").json()
    assert answer["counts"] == {"mail.send": 2, "chat.post": 1}
    assert [effect["answer"]["id"] for effect in answer["effects"]] == ["mail_1", "msg_1", "mail_2"]
    assert answer["effects"][2]["request"]["subject"] == "three"


def test_same_key_is_carried_out_once(services: ServicesProcess) -> None:
    """The second request is answered as the first one was, and says so."""
    first = services.post("/payment/charge", "key-1", **CHARGE)
    second = services.post("/payment/charge", "key-1", **CHARGE)
    assert first.json() == second.json() == {"id": "ch_1", "amount_cents": 4500}
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert services.effect_names() == ["payment.charge"]


def test_same_key_is_carried_out_once_when_asked_at_once(services: ServicesProcess) -> None:
    """Twenty requests at the same time are one effect."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: services.post("/payment/charge", "key-1", **CHARGE).json(), range(20)))
    assert answers == [{"id": "ch_1", "amount_cents": 4500}] * 20
    assert services.effect_names() == ["payment.charge"]


def test_same_key_for_another_request_is_an_error(services: ServicesProcess) -> None:
    """A key belongs to one request."""
    services.post("/payment/charge", "key-1", **CHARGE)
    answer = services.post("/payment/charge", "key-1", **CHARGE | {"amount_cents": 1})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "idempotency_error"


def test_without_key_each_request_is_carried_out(services: ServicesProcess) -> None:
    """As with Stripe."""
    assert [services.post("/payment/charge", **CHARGE).json()["id"] for _ in range(2)] == ["ch_1", "ch_2"]


def test_declined_card_stays_declined_for_its_key(services: ServicesProcess) -> None:
    """A refusal is an answer too: repeated, it is the same, and no effect."""
    for _ in range(2):
        answer = services.post("/payment/charge", "key-1", **CHARGE | {"card": "tok_declined"})
        assert answer.status_code == 402
        assert answer.json()["error"] == {"code": "card_declined", "message": "the card was declined"}
    assert services.effects() == []
    assert [request["outcome"] for request in services.requests()] == ["refused", "replayed"]


def test_fail_next_fails_so_often_and_does_nothing(services: ServicesProcess) -> None:
    """A failure is not remembered for the key: the request can be repeated."""
    services.fail_next("payment", "charge", times=2)
    answers = [services.post("/payment/charge", "key-1", **CHARGE).status_code for _ in range(3)]
    assert answers == [503, 503, 200]
    assert services.effect_names() == ["payment.charge"]


def test_fail_next_hits_only_what_it_names(services: ServicesProcess) -> None:
    """Another action of the service is not concerned."""
    services.fail_next("payment", "charge", status=500)
    assert services.post("/payment/refund", order="order-1").status_code == 200
    assert services.post("/payment/charge", **CHARGE).status_code == 500


def test_lost_answer_has_its_effect(services: ServicesProcess) -> None:
    """The client sees a broken connection; repeating with the same key gives the answer."""
    services.fail_next("payment", lose_answer=True)
    with pytest.raises(httpx.TransportError):
        services.post("/payment/charge", "key-1", **CHARGE)
    assert services.effect_names() == ["payment.charge"]
    assert services.post("/payment/charge", "key-1", **CHARGE).json()["id"] == "ch_1"
    assert services.effect_names() == ["payment.charge"]


def test_slow_answer_has_its_effect_at_once(services: ServicesProcess) -> None:
    """A client that gives up early has charged all the same."""
    services.slow_next("payment", seconds=5)
    with pytest.raises(httpx.TimeoutException):
        httpx.post(f"{services.url}/payment/charge", json=CHARGE, timeout=0.2, trust_env=False)
    assert services.effect_names() == ["payment.charge"]


def test_everything_is_remembered_over_a_kill(services: ServicesProcess) -> None:
    """State, effects and answers by key are there again after SIGKILL, but for a line that was cut off."""
    services.post("/tickets/reserve", "key-1", ticket_id=42, user_id="ada", order="order-1")
    services.post("/tickets/release", order="order-2")
    effects = services.effects()
    services.kill()
    with (services.project / ".services" / "requests.jsonl").open("a") as file:
        file.write('{"n": 3, "service": "payment", "act')
    services.start()
    assert services.effects() == effects
    reserve: dict[str, Any] = {"ticket_id": 42, "user_id": "ada"}
    assert services.post("/tickets/reserve", "key-1", **reserve, order="order-1").headers["Idempotent-Replayed"]
    assert services.post("/tickets/reserve", **reserve, order="order-3").status_code == 409
    assert services.post("/tickets/reserve", ticket_id=43, user_id="ada", order="order-2").status_code == 409
    assert [request["n"] for request in services.requests()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/payment/steal", 404, "unknown_action"),
        ("/payment/_charges", 404, "unknown_action"),
        ("/bank/charge", 404, "unknown_action"),
        ("/payment/charge", 400, "bad_request"),
        ("/control/fail_next", 400, "bad_request"),
        ("/control/explode", 404, "unknown_action"),
    ],
)
def test_bad_request_is_answered(path: str, status: int, code: str, services: ServicesProcess) -> None:
    """What cannot be understood is said so, and is no effect."""
    answer = services.post(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert services.effects() == []


def test_body_that_is_no_object_is_answered(services: ServicesProcess) -> None:
    """JSON of another kind, and no JSON at all."""
    for content in (b"[]", b"{", b"\xff"):
        answer = httpx.post(f"{services.url}/payment/charge", content=content, trust_env=False)
        assert answer.status_code == 400


def test_ticket_is_sold_and_taken_back(services: ServicesProcess) -> None:
    """A released order frees its seat, sold or not, and is final."""
    assert services.post("/tickets/reserve", ticket_id=1, user_id="ada", order="a").json()["seat"] == "A1"
    assert services.post("/tickets/finalize", charge_id="ch_1", order="a").status_code == 200
    assert services.post("/tickets/release", order="a").json() == {"ticket_id": 1}
    assert services.post("/tickets/release", order="a").json() == {}
    assert services.post("/tickets/reserve", ticket_id=1, user_id="bob", order="b").status_code == 200
    assert services.effect_names() == ["tickets.reserve", "tickets.finalize", "tickets.release", "tickets.reserve"]


def test_refund_gives_back_once(services: ServicesProcess) -> None:
    """What was given back, or never taken, is not given back."""
    services.post("/payment/charge", **CHARGE)
    assert [services.post("/payment/refund", order="order-1").json()["refunded_cents"] for _ in range(2)] == [4500, 0]
    assert services.effect_names() == ["payment.charge", "payment.refund"]


def test_warehouse_counts(start: Callable[[str], ServicesProcess]) -> None:
    """What is taken is gone, what is put back is there; looking is no effect."""
    services = start("orders")
    take: dict[str, Any] = {"sku": "pot-iron", "quantity": 2}
    assert services.post("/warehouse/take", order="a", **take).json() == {"sku": "pot-iron", "left": 0}
    assert services.post("/warehouse/take", order="b", **take).status_code == 409
    assert services.post("/warehouse/put_back", order="a").json() == {"put_back": [take]}
    assert services.post("/warehouse/stock").json()["pot-iron"] == 2
    assert services.counts() == {"warehouse.take": 1, "warehouse.put_back": 1}


def test_files_are_uploaded_and_downloaded(start: Callable[[str], ServicesProcess]) -> None:
    """Byte for byte, and nothing outside the folder can be named."""
    services = start("contacts")
    sample = services.project / "uploads" / "contacts.csv"
    assert services.get("/files/contacts.csv").content == sample.read_bytes()
    assert services.put("/files/mine.csv", b"name,email\n").json() == {"name": "mine.csv", "bytes": 11}
    assert services.get("/files/mine.csv").content == b"name,email\n"
    for path in ("/files/none.csv", "/files/..", "/files/%2e%2e%2fpyproject.toml", "/files/"):
        assert services.get(path).status_code == 404


def test_port_in_use_is_told(services: ServicesProcess) -> None:
    """A second start on the same port ends with the way out."""
    command = [sys.executable, "-m", "services", "--port", services.url.rpartition(":")[2]]
    second = subprocess.run(
        command, cwd=services.project, capture_output=True, text=True, timeout=30, check=False
    )  # fmt: skip
    assert second.returncode == 1
    assert "name another: --port 0" in second.stderr
    assert "Traceback" not in second.stderr
