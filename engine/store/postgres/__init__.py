"""The PostgreSQL driver, on psycopg 3: several engines on one database (see ``docs/decisions/0012``).

It needs the extra ``postgres``; nothing here is imported before a server is given such a database.
"""

from engine.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
