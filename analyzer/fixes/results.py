"""What known calls give: values that a journal can store, or objects of which parts can be stored.

Only calls that change none of their arguments are listed: inside a task such a change would be lost on replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Part = Literal["value", "call", "item"]
"""How a part is had: ``r.text``, ``r.json()``, ``r.headers["x"]``."""


def _names(owner: str, names: str) -> tuple[str, ...]:
    return tuple(f"{owner}.{name}" for name in names.split())


STORABLE: Final[frozenset[str]] = frozenset(
    (
        *_names("os", "remove unlink rename renames replace mkdir makedirs rmdir removedirs listdir getcwd chmod"),
        *_names("os", "symlink link readlink access utime system kill"),
        *_names("os.path", "exists lexists isfile isdir islink ismount getsize getmtime getctime getatime samefile"),
        *_names(
            "shutil", "copy copy2 copyfile copymode copystat copytree rmtree move make_archive unpack_archive which"
        ),
        *_names("glob", "glob"),
        *_names("tempfile", "mkdtemp gettempdir"),
        *_names("pathlib.Path", "read_text read_bytes write_text write_bytes exists is_file is_dir is_symlink mkdir"),
        *_names("pathlib.Path", "unlink rmdir rename replace touch cwd home chmod symlink_to hardlink_to samefile"),
        *_names("pathlib.Path", "resolve readlink expanduser"),
        *_names("subprocess", "check_output check_call call getoutput getstatusoutput"),
        *_names("socket", "gethostbyname"),
        *_names("boto3.client()", "upload_file download_file put_object delete_object delete_objects copy_object"),
        *_names("boto3.client()", "head_object list_objects_v2 send_message receive_message delete_message publish"),
        *_names("boto3.client()", "send_email put_events start_execution"),
        *_names(
            "redis.Redis", "get set setex setnx delete exists expire incr decr incrby decrby hget hset hgetall hdel"
        ),
        *_names("redis.Redis", "lpush rpush lpop rpop llen lrange sadd srem smembers sismember publish ttl"),
        *_names("redis.asyncio.Redis", "get set setex setnx delete exists expire incr decr incrby decrby hget hset"),
        *_names("redis.asyncio.Redis", "hgetall hdel lpush rpush lpop rpop llen lrange sadd srem smembers publish ttl"),
        *_names("aiofiles.os", "remove unlink rename replace mkdir makedirs rmdir listdir"),
        *_names("asyncpg.Connection", "execute"),
        *_names("asyncpg.Pool", "execute"),
        *_names("django.utils.timezone", "now"),
        *_names("shortuuid", "uuid"),
        *_names("nanoid", "generate"),
    )
)
"""Calls whose result can be stored as it is: texts, numbers, bytes, None, paths, lists and dicts of them."""

_REQUESTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "status_code": "value",
        "text": "value",
        "content": "value",
        "ok": "value",
        "url": "value",
        "reason": "value",
        "encoding": "value",
        "elapsed": "value",
        "headers": "item",
        "json": "call",
        "raise_for_status": "call",
    }
)
_HTTPX: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "status_code": "value",
        "text": "value",
        "content": "value",
        "is_success": "value",
        "is_error": "value",
        "reason_phrase": "value",
        "headers": "item",
        "json": "call",
        "read": "call",
    }
)
_PROCESS: Final[Mapping[str, Part]] = MappingProxyType(
    {"returncode": "value", "stdout": "value", "stderr": "value", "check_returncode": "call"}
)

PARTS: Final[Mapping[str, Mapping[str, Part]]] = MappingProxyType(
    {
        **dict.fromkeys(_names("requests", "get post put patch delete head options request"), _REQUESTS),
        **dict.fromkeys(_names("httpx", "get post put patch delete head options request"), _HTTPX),
        "subprocess.run": _PROCESS,
        "urllib.request.urlopen": MappingProxyType({"read": "call", "getcode": "call"}),
    }
)
"""Calls that give an object which cannot be stored, and its parts that can. The first one stands for a result that
nobody wants."""

TO_STORABLE: Final = frozenset(("str", "int", "float", "bool", "len", "repr"))
"""Builtins that make something storable of anything."""

METHODS_TO_STORABLE: Final = frozenset(
    ("isoformat", "timestamp", "strftime", "to_iso8601_string", "to_date_string", "tolist", "item", "model_dump", "hex")
)
"""Methods that make something storable of what they are called on."""

LAZY: Final = frozenset(
    (
        *("map", "filter", "iter", "zip", "enumerate", "reversed", "partial", "islice", "chain", "starmap"),
        *("takewhile", "dropwhile", "accumulate", "groupby", "cycle", "tee", "next"),
    )
)
"""Functions that call only when their result is called or iterated over, or that iterate one step."""

CONSUMING: Final = frozenset(
    ("list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max", "any", "all", "join", "len", "print")
)
"""Functions that iterate over what they are given: what comes out of it is made then and there."""

_OPENED: Final = (
    "open fdopen connect urlopen create_connection cursor stream acquire begin transaction atomic create_pool"
    " open_connection channel open_sftp launch new_page new_context session pipeline connection mkstemp"
    " create_subprocess_exec create_subprocess_shell start submit run_in_executor to_thread __enter__ __aenter__"
)
_ITERATED: Final = (
    "iterdir walk fwalk scandir iglob rglob stat lstat execute executemany exec_command getresponse paginate map find"
    " aggregate enter_context enter_async_context download_blob upload_blob __iter__ __aiter__ __call__"
)

HANDLES: Final = frozenset((*_OPENED.split(), *_ITERATED.split()))
"""Last parts of the names of calls whose result belongs to the process: a file, a connection, a cursor, a generator."""


def is_handle(subject: str) -> bool:
    """Tell whether a call, by its qualified name, gives what no journal can store."""
    last = subject.rpartition(".")[2]
    return last in HANDLES or last[:1].isupper() or subject in PARTS
