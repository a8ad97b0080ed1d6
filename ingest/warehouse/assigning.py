"""`/assign`: which variant a profile gets, over HTTP, for those who know the token. Nothing is stored by asking."""

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from cockpit.errors import CallerError
from cockpit.experiments.assignment import Assignment, assign, program_of, running_version
from cockpit.experiments.lifecycle import Experiments
from ingest.warehouse.registry import Registry

BODY_MOST = 64 * 1024
ASKED_MOST = 500
CONNECTIONS_MOST = 1_000
BACKLOG = 512
STOP_S = 2
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`epoch`: the one that came with the profile's first assignment, so that it keeps its variant."""

    experiment: Name
    profile: Name
    epoch: int | None = None


Questions = Annotated[list[Question], msgspec.Meta(min_length=1, max_length=ASKED_MOST)]


class Refused(CallerError):  # noqa: N818 - named by what happened
    """Why there is no assignment: an HTTP status, a stable code and what to do."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: Mapping[str, object] = {"error": code, "message": message, **more}


def answer(experiments: Experiments, question: Question) -> Mapping[str, object]:
    """The assignment as it is sent; Refused when the experiment is unknown or does not run."""
    experiment = running_version(experiments.values(), question.experiment)
    if experiment is None:
        raise _not_running(experiments, question.experiment)
    try:
        given = assign(experiment, question.profile, program_of(experiments.values()), question.epoch)
    except CallerError as error:
        raise Refused(400, "unknown_epoch", str(error)) from error
    return {"experiment_id": question.experiment, "version": experiment.key[1], **_fields(given)}


def _fields(given: Assignment) -> Mapping[str, object]:
    return {name: getattr(given, name) for name in Assignment.__struct_fields__}


def _not_running(experiments: Experiments, experiment_id: str) -> Refused:
    versions = {version: each.status for (other, version), each in experiments.items() if other == experiment_id}
    if not versions:
        known = sorted({other for other, _ in experiments})
        message = f"no experiment {experiment_id!r}; there are {', '.join(known) or 'none'}"
        return Refused(404, "unknown_experiment", message, experiments=known)
    message = f"no version of {experiment_id!r} runs: show the default, and log no exposure"
    return Refused(409, "not_running", message, versions=versions)


class Assigning:
    """The application. It reads the registry only, so it answers in the event loop without waiting for anything."""

    def __init__(self, registry: Registry, token: str) -> None:
        self._registry = registry
        self._expected = f"Bearer {token}".encode()
        self.application = Starlette(
            routes=[
                Route("/assign", self._guarded(self._one), methods=["GET"]),
                Route("/assign", self._guarded(self._several), methods=["POST"]),
            ]
        )

    @asynccontextmanager
    async def serve(self, host: str, port: int) -> AsyncIterator[asyncio.Task[None]]:
        """Answers until the block ends. The task is done earlier only when it failed. OSError: the port is taken."""
        with bound(host, port) as listening:
            server = Server(_settings(self.application))
            serving = asyncio.create_task(server.serve([listening]))
            try:
                yield serving
            finally:
                server.should_exit = True
                await serving

    def _guarded(self, handle: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                self._check(request)
                return json(await handle(request))
            except Refused as refused:
                return json(refused.body, refused.status)

        return guarded

    def _check(self, request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._expected):
            raise Refused(401, "unknown_token", "the bearer token is missing or wrong")

    async def _one(self, request: Request) -> Mapping[str, object]:
        try:
            question = msgspec.convert(dict(request.query_params), Question, strict=False)
        except msgspec.ValidationError as error:
            raise Refused(400, "bad_request", f"want ?experiment=...&profile=...: {error}") from error
        return answer(self._registry.experiments(), question)

    async def _several(self, request: Request) -> list[Mapping[str, object]]:
        """An answer to each question, in their order; one that is refused does not spoil the others."""
        try:
            questions = msgspec.json.decode(await body_of(request), type=Questions)
        except msgspec.DecodeError as error:
            wanted = f'want a list of at most {ASKED_MOST} objects {{"experiment": ..., "profile": ...}}'
            raise Refused(400, "bad_request", f"{wanted}: {error}") from error
        experiments = self._registry.experiments()
        return [_answer_or_refusal(experiments, question) for question in questions]


def _answer_or_refusal(experiments: Experiments, question: Question) -> Mapping[str, object]:
    try:
        return answer(experiments, question)
    except Refused as refused:
        return {"experiment_id": question.experiment, "status": refused.status, **refused.body}


async def body_of(request: Request) -> bytes:
    """Never more than BODY_MOST in memory, whatever is announced."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_MOST:
                raise Refused(413, "payload_too_large", f"at most {BODY_MOST} bytes")
    except ClientDisconnect as error:
        raise Refused(400, "bad_request", "the body ended early") from error
    return bytes(body)


def json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def bound(host: str, port: int) -> socket.socket:
    """Of protocol TCP by name: asyncio sets TCP_NODELAY on such sockets only, and each answer would wait 40 ms."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


class Server(uvicorn.Server):
    """Leaves signals alone: the warehouse has its own way to end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _settings(application: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        ws="none",
        limit_concurrency=CONNECTIONS_MOST,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=STOP_S,
        backlog=BACKLOG,
        access_log=False,
        server_header=False,
        lifespan="off",
        log_config=None,
        log_level="warning",
    )
