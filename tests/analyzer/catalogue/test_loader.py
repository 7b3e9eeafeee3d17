"""The catalogue: longest prefix, classes, conditions, the user's own entries, the compiled data."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.catalogue.data import CatalogueInvalid, read_tables
from analyzer.catalogue.loader import Catalogue, load_catalogue
from analyzer.catalogue.model import CODES, PURE, Condition, Effect
from analyzer.catalogue.names import expand


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The catalogue that is shipped."""
    return load_catalogue()


def kind_of(catalogue: Catalogue, name: str) -> str | None:
    """Return what is said of a name, as a word."""
    verdict = catalogue.lookup(name)
    return None if verdict is None else verdict.kind if isinstance(verdict, Effect) else "pure"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("requests.get", "network"),
        ("requests.sessions.Session.get", "network"),
        ("requests.Session", "pure"),
        ("requests.Session.headers.update", "pure"),
        ("requests.exceptions.Timeout", "pure"),
        ("openai.OpenAI.chat.completions.create", "network"),
        ("boto3.client().put_object", "network"),
        ("boto3.client().exceptions.NoSuchKey", "pure"),
        ("boto3.resource().Table().put_item", "network"),
        ("stripe.Charge.create", "network"),
        ("stripe.error.CardError", "pure"),
        ("redis.StrictRedis.get", "database"),
        ("redis.Redis.pipeline().set", "pure"),
        ("redis.Redis.pipeline().execute", "database"),
        ("sqlalchemy.select", "pure"),
        ("sqlalchemy.orm.session.Session.commit", "database"),
        ("sqlalchemy.orm.Session.add", "pure"),
        ("django.db.models.QuerySet.filter", "pure"),
        ("django.db.models.Manager.create", "database"),
        ("builtins.open", "filesystem"),
        ("pathlib.Path.read_text", "filesystem"),
        ("pathlib.PosixPath.exists", "filesystem"),
        ("pathlib.Path.with_suffix", "pure"),
        ("os.path.join", "pure"),
        ("posixpath.exists", "filesystem"),
        ("os.environ", "environment"),
        ("os.environ.get", "environment"),
        ("subprocess.run", "subprocess"),
        ("zipfile.ZipFile.namelist", "pure"),
        ("zipfile.ZipFile.extractall", "filesystem"),
        ("numpy.random.rand", "random"),
        ("pendulum.now", "clock"),
        ("nobody.knows", None),
        ("requests.unheard_of", None),
    ],
)
def test_lookup_of_names(catalogue: Catalogue, name: str, kind: str | None) -> None:
    """The entry of the name itself wins, then the one of its longest prefix; what is not listed is not known."""
    assert kind_of(catalogue, name) == kind


@pytest.mark.parametrize(
    ("name", "type_name"),
    [
        ("requests.Session", "requests.Session"),
        ("requests.session", "requests.Session"),
        ("requests.Session.__enter__", "requests.Session"),
        ("boto3.client", "boto3.client()"),
        ("boto3.Session", "boto3.session.Session"),
        ("sqlalchemy.create_engine", "sqlalchemy.Engine"),
        ("sqlalchemy.orm.sessionmaker.__call__", "sqlalchemy.orm.Session"),
        ("sqlite3.connect", "sqlite3.Connection"),
        ("pymongo.MongoClient.__getitem__", "pymongo.database.Database"),
        ("pathlib.Path.__truediv__", "pathlib.Path"),
        ("asyncpg.Pool.acquire().__aenter__", "asyncpg.Connection"),
        ("smtplib.SMTP", "smtplib.SMTP"),
        ("jira.JIRA", "jira.JIRA"),
        ("asyncpg.Pool.acquire().__enter__", "asyncpg.Pool.acquire()"),
        ("subprocess.PIPE", None),
        ("requests.unheard_of", None),
    ],
)
def test_returns_of_factories_and_classes(catalogue: Catalogue, name: str, type_name: str | None) -> None:
    """Factories give types, classes give themselves."""
    assert catalogue.returns(name) == type_name


def test_attribute_types(catalogue: Catalogue) -> None:
    """Known attributes have a type, and any attribute of a Mongo database is a collection."""
    assert catalogue.attribute("pymongo.MongoClient", "app") == "pymongo.database.Database"
    assert catalogue.attribute("django.db.models.Model", "objects") == "django.db.models.Manager"
    assert catalogue.attribute("requests.Session", "nothing") is None


def test_conditions_of_effects(catalogue: Catalogue) -> None:
    """What decides over an effect is told with it."""
    seed = catalogue.lookup("numpy.random.default_rng")
    assert isinstance(seed, Effect)
    assert seed.condition == Condition(test="unless-given", position=0, keyword="seed")
    path = catalogue.lookup("pandas.DataFrame.to_csv")
    assert isinstance(path, Effect)
    assert path.condition == Condition(test="if-given", position=0, keyword="path_or_buf")
    memory = catalogue.lookup("sqlite3.connect")
    assert isinstance(memory, Effect)
    assert memory.condition is not None
    assert memory.condition.test == "unless-memory"


def test_use_of_names_that_are_read(catalogue: Catalogue) -> None:
    """Reading `os.environ` is the effect, not calling it."""
    environ = catalogue.lookup("os.environ")
    assert isinstance(environ, Effect)
    assert environ.on == "use"


def test_covers_the_standard_library_and_listed_libraries(catalogue: Catalogue) -> None:
    """Silence about a name means no effect where the catalogue is at home, and nothing elsewhere."""
    assert catalogue.covers("string.Template")
    assert catalogue.covers("requests.unheard_of")
    assert not catalogue.covers("acme.Client")


def test_extended_entries_win(catalogue: Catalogue) -> None:
    """The user's entries cover what is below them and win over the shipped ones."""
    mine = catalogue.extended({"acme.api": "network", "acme.api.parse": "pure", "requests.get": "pure"})
    assert kind_of(mine, "acme.api.send") == "network"
    assert kind_of(mine, "acme.api") == "network"
    assert mine.lookup("acme.api.parse") is PURE
    assert mine.lookup("requests.get") is PURE
    assert kind_of(mine, "requests.post") == "network"
    assert kind_of(catalogue, "acme.api.send") is None
    assert mine.stamp != catalogue.stamp


def test_extended_below_only(catalogue: Catalogue) -> None:
    """A trailing star leaves the name itself alone."""
    mine = catalogue.extended({"acme.Client.*": "database"})
    assert kind_of(mine, "acme.Client") is None
    assert kind_of(mine, "acme.Client.save") == "database"


def test_extended_refuses_unknown_kinds(catalogue: Catalogue) -> None:
    """A kind that does not exist is told with those that do."""
    with pytest.raises(ValueError, match="there are: network"):
        catalogue.extended({"acme": "networking"})


def test_compiled_data_is_the_same(tmp_path: Path) -> None:
    """What is kept on disk decodes to the same data; what is broken there is made anew."""
    first = load_catalogue(tmp_path)
    kept = list(tmp_path.glob("catalogue-*.msgpack"))
    assert len(kept) == 1
    again = load_catalogue(tmp_path)
    assert again.tables == first.tables
    assert again.stamp == first.stamp
    kept[0].write_bytes(b"broken")
    assert load_catalogue(tmp_path).tables == first.tables


def test_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    """Without a place for the compiled data the catalogue still loads."""
    place = tmp_path / "file"
    place.write_text("x")
    assert kind_of(load_catalogue(place), "requests.get") == "network"


def test_braces_expand() -> None:
    """Alternatives multiply."""
    assert list(expand("a.{b,c}.{d,e}")) == ["a.b.d", "a.b.e", "a.c.d", "a.c.e"]
    assert list(expand("plain")) == ["plain"]


@pytest.mark.parametrize(
    "text",
    ["[acme]\nnetwrok = ['a']\n", "[acme]\nnetwork = ['a']\nremedy = { b = 'x' }\n", "[acme]\nuse = ['a']\n"],
    ids=["key", "remedy", "use"],
)
def test_wrong_data_is_refused(tmp_path: Path, text: str) -> None:
    """An unknown key, or something said of a name without effect, is an error in the data."""
    file = tmp_path / "acme.toml"
    file.write_text(text)
    with pytest.raises(CatalogueInvalid):
        read_tables([file])


def test_every_kind_has_a_code() -> None:
    """Codes are those of the effect families, each once."""
    assert len(set(CODES.values())) == len(CODES)
    assert all(code.startswith(("TRG1", "TRG2")) for code in CODES.values())


def test_recorded_calls_are_not_repeated(catalogue: Catalogue) -> None:
    """What the runtime records is said in one place only."""
    from trigger_sdk.protocol.recorded import RECORDED_CALLS

    repeated = [call.name for call in RECORDED_CALLS if call.name in catalogue.tables.effects]
    assert repeated == []
