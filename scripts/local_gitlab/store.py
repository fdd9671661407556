"""State in SQLite: users, projects, merge requests and everything around them."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Row = sqlite3.Row

SCHEMA = """
CREATE TABLE IF NOT EXISTS namespaces (
    id INTEGER PRIMARY KEY AUTOINCREMENT, full_path TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL,
    kind TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL,
    email TEXT NOT NULL, admin INTEGER NOT NULL, bot INTEGER NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL, value TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    scopes TEXT NOT NULL, expires_at TEXT, revoked INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL,
    last_used_at TEXT, job_id INTEGER);
CREATE TABLE IF NOT EXISTS projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT, namespace_id INTEGER NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL,
    path_with_namespace TEXT NOT NULL UNIQUE COLLATE NOCASE, description TEXT, visibility TEXT NOT NULL,
    default_branch TEXT NOT NULL, creator_id INTEGER NOT NULL, created_at TEXT NOT NULL,
    last_activity_at TEXT NOT NULL, settings TEXT NOT NULL DEFAULT '{}', forked_from_id INTEGER,
    fork_root_id INTEGER);
CREATE TABLE IF NOT EXISTS members (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
    access_level INTEGER NOT NULL, created_at TEXT NOT NULL, created_by INTEGER, expires_at TEXT,
    UNIQUE (project_id, user_id));
CREATE TABLE IF NOT EXISTS protected_branches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL,
    allow_force_push INTEGER NOT NULL, push_levels TEXT NOT NULL, merge_levels TEXT NOT NULL,
    unprotect_levels TEXT NOT NULL, UNIQUE (project_id, name));
CREATE TABLE IF NOT EXISTS protected_tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL,
    create_levels TEXT NOT NULL, UNIQUE (project_id, name));
CREATE TABLE IF NOT EXISTS labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL, color TEXT NOT NULL,
    description TEXT, priority INTEGER, UNIQUE (project_id, name));
CREATE TABLE IF NOT EXISTS merge_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, iid INTEGER NOT NULL, title TEXT NOT NULL,
    description TEXT, state TEXT NOT NULL, author_id INTEGER NOT NULL, source_branch TEXT NOT NULL,
    target_branch TEXT NOT NULL, head_sha TEXT, base_sha TEXT, start_sha TEXT, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, merged_at TEXT, merge_user_id INTEGER, closed_at TEXT, closed_by_id INTEGER,
    merge_commit_sha TEXT, squash_commit_sha TEXT, merge_error TEXT, squash INTEGER NOT NULL DEFAULT 0,
    remove_source_branch INTEGER, discussion_locked INTEGER, source_project_id INTEGER, merge_after TEXT,
    auto_merge_by INTEGER,
    UNIQUE (project_id, iid));
CREATE UNIQUE INDEX IF NOT EXISTS one_open_merge_request
    ON merge_requests (project_id, coalesce(source_project_id, project_id), source_branch, target_branch)
    WHERE state = 'opened';
CREATE TABLE IF NOT EXISTS merge_request_people (
    merge_request_id INTEGER NOT NULL, user_id INTEGER NOT NULL, role TEXT NOT NULL,
    PRIMARY KEY (merge_request_id, user_id, role));
CREATE TABLE IF NOT EXISTS merge_request_labels (
    merge_request_id INTEGER NOT NULL, label_id INTEGER NOT NULL, PRIMARY KEY (merge_request_id, label_id));
CREATE TABLE IF NOT EXISTS merge_request_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, merge_request_id INTEGER NOT NULL, head_sha TEXT NOT NULL,
    base_sha TEXT NOT NULL, start_sha TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS label_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, merge_request_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
    label_id INTEGER NOT NULL, action TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS approvals (
    merge_request_id INTEGER NOT NULL, user_id INTEGER NOT NULL, sha TEXT, created_at TEXT NOT NULL,
    PRIMARY KEY (merge_request_id, user_id));
CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, merge_request_id INTEGER NOT NULL,
    author_id INTEGER NOT NULL, body TEXT NOT NULL, system INTEGER NOT NULL, internal INTEGER NOT NULL DEFAULT 0,
    discussion_id TEXT NOT NULL, type TEXT, resolved INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS notes_of ON notes (merge_request_id);
CREATE TABLE IF NOT EXISTS pipelines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, iid INTEGER NOT NULL, sha TEXT NOT NULL,
    before_sha TEXT NOT NULL, ref TEXT NOT NULL, source TEXT NOT NULL, status TEXT NOT NULL,
    merge_request_id INTEGER, user_id INTEGER NOT NULL, yaml_errors TEXT, reason TEXT, variables TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, started_at TEXT, finished_at TEXT);
CREATE INDEX IF NOT EXISTS pipelines_of ON pipelines (project_id, sha);
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, pipeline_id INTEGER NOT NULL,
    kind TEXT NOT NULL, name TEXT NOT NULL, stage TEXT NOT NULL, ref TEXT NOT NULL, sha TEXT NOT NULL,
    status TEXT NOT NULL, allow_failure INTEGER NOT NULL DEFAULT 0, exit_code INTEGER, failure_reason TEXT,
    target_url TEXT, description TEXT, coverage REAL, user_id INTEGER NOT NULL, retried INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, started_at TEXT, finished_at TEXT, artifacts TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS jobs_of ON jobs (pipeline_id);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, author_id INTEGER NOT NULL,
    action_name TEXT NOT NULL, target_type TEXT, target_id INTEGER, target_iid INTEGER, target_title TEXT,
    push_data TEXT, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_of ON events (project_id);
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS records_of ON records (project_id, kind);
"""


class Store:
    """One SQLite file; every thread has its own connection, every change is one short transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self.connection.executescript(SCHEMA)

    @property
    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection, opened at its first use."""
        existing: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if existing is not None:
            return existing
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")  # what a power failure loses nobody misses
        self._local.connection = connection
        with self._guard:
            self._connections.append(connection)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Apply the changes made inside as one; a transaction inside another belongs to the outer one."""
        connection = self.connection
        if connection.in_transaction:
            yield
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def one(self, sql: str, *values: object) -> Row | None:
        """Return the first row, if there is one."""
        row: Row | None = self.connection.execute(sql, values).fetchone()
        return row

    def get(self, table: str, row_id: int) -> Row:
        """Return the row with this id, which is known to exist."""
        row = self.one(f"SELECT * FROM {table} WHERE id = ?", row_id)  # noqa: S608  # table names are ours
        if row is None:
            raise LookupError(f"{table} {row_id}")
        return row

    def all(self, sql: str, *values: object) -> list[Row]:
        """Return every row."""
        return self.connection.execute(sql, values).fetchall()

    def count(self, sql: str, *values: object) -> int:
        """Return the one number that a query yields, 0 if it yields none."""
        row = self.one(sql, *values)
        return int(row[0]) if row is not None and row[0] is not None else 0

    def run(self, sql: str, *values: object) -> int:
        """Change rows; return how many."""
        return self.connection.execute(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> int:  # noqa: ANN401  # whatever SQLite stores
        """Add a row; return its id."""
        columns = ", ".join(values)
        marks = ", ".join("?" * len(values))
        cursor = self.connection.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608  # names are ours
            tuple(values.values()),
        )
        return int(cursor.lastrowid or 0)

    def update(self, table: str, row_id: int, **values: Any) -> None:  # noqa: ANN401  # whatever SQLite stores
        """Give the named columns of one row new values."""
        if not values:
            return
        assignments = ", ".join(f"{column} = ?" for column in values)
        self.connection.execute(
            f"UPDATE {table} SET {assignments} WHERE id = ?",  # noqa: S608  # names are ours
            (*values.values(), row_id),
        )

    def close(self) -> None:
        """Close every thread's connection; no thread may use the store afterwards."""
        with self._guard:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
