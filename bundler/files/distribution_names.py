"""Names of distributions that have a module, where the one cannot be told from the other."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIFFERENT: Final = {
    "Crypto": "pycryptodome",
    "Cryptodome": "pycryptodomex",
    "Levenshtein": "python-Levenshtein",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "PyPDF2": "PyPDF2",
    "Xlib": "python-xlib",
    "_pytest": "pytest",
    "absl": "absl-py",
    "airflow": "apache-airflow",
    "apiclient": "google-api-python-client",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "chess": "python-chess",
    "clickhouse_driver": "clickhouse-driver",
    "confluent_kafka": "confluent-kafka",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "discord": "discord.py",
    "django_filters": "django-filter",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "elasticsearch_dsl": "elasticsearch-dsl",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "ffmpeg": "ffmpeg-python",
    "flask_cors": "Flask-Cors",
    "flask_sqlalchemy": "Flask-SQLAlchemy",
    "git": "GitPython",
    "gitlab": "python-gitlab",
    "github": "PyGithub",
    "googleapiclient": "google-api-python-client",
    "google.ads": "google-ads",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.pubsub": "google-cloud-pubsub",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.storage": "google-cloud-storage",
    "google.generativeai": "google-generativeai",
    "google.genai": "google-genai",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "haystack": "haystack-ai",
    "influxdb_client": "influxdb-client",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "kafka": "kafka-python",
    "ldap": "python-ldap",
    "llama_index": "llama-index",
    "magic": "python-magic",
    "markdown": "Markdown",
    "memcache": "python-memcached",
    "multipart": "python-multipart",
    "mysql": "mysql-connector-python",
    "nacl": "PyNaCl",
    "newrelic": "newrelic",
    "pkg_resources": "setuptools",
    "past": "future",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pythonjsonlogger": "python-json-logger",
    "pytz_deprecation_shim": "pytz-deprecation-shim",
    "pyspark": "pyspark",
    "rest_framework": "djangorestframework",
    "ruamel": "ruamel.yaml",
    "sendgrid": "sendgrid",
    "sentry_sdk": "sentry-sdk",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slack": "slackclient",
    "slugify": "python-slugify",
    "snowflake": "snowflake-connector-python",
    "socketio": "python-socketio",
    "socks": "PySocks",
    "telegram": "python-telegram-bot",
    "usb": "pyusb",
    "umap": "umap-learn",
    "websocket": "websocket-client",
    "win32api": "pywin32",
    "wx": "wxPython",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Modules to the distribution that has them, by far most often."""


def normalized(name: str) -> str:
    """Return a distribution's name as it is compared: ``ruamel.yaml`` is ``ruamel-yaml``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def likely_distribution(module: str) -> str:
    """Return the name of the distribution that most likely has a module, given by its dotted name."""
    parts = module.split(".")
    for count in range(len(parts), 0, -1):
        found = _DIFFERENT.get(".".join(parts[:count]))
        if found:
            return found
    if parts[0] in {"google", "azure"} and len(parts) > 1:
        return normalized("-".join(parts[:3]))
    return parts[0].replace("_", "-")


def hint_for(module: str, distributions: Mapping[str, str]) -> str:
    """Return what to do about a module that no locked distribution has.

    Args:
        module: its dotted name.
        distributions: modules of the locked distributions, to their names.
    """
    likely = likely_distribution(module)
    locked = {normalized(name) for name in distributions.values()}
    top = module.partition(".")[0]
    # Who has written the name right needs no other: a module of the table is no slip of the pen.
    tops = {name.partition(".")[0] for name in distributions} - {top}
    close = get_close_matches(top, sorted(tops), n=1, cutoff=0.8) if likely == top.replace("_", "-") else []
    if close:
        return f"Did you mean {close[0]!r}? Otherwise add {likely} to the dependencies, and lock again."
    if normalized(likely) in locked:
        return f"{likely} is locked, and its wheel has no such module: check the name, or lock another version."
    return f"Add {likely} to the dependencies (`uv add {likely}`), and lock again."
