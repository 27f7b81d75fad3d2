"""Ledger: one SQLite file a run. Whatever happened is committed before it is acted upon.

Resume reads it back, the budget sums it, tables and plots query it. Killed at any instant, the file
holds every measurement and every reply that was paid for.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..basics.texts import well_formed
from ..compute.measure import Answer
from ..engine import Reply
from ..errors import LedgerError, RecordError
from ..feedback import Feedback
from . import database
from .trial import Idea, Outlook, Proposal, State, Trial

if TYPE_CHECKING:
    from filelock import FileLock

#: The fields of a trial that are columns of their own.
_TRIAL = ("number", "round", "value", "reason", "parent", "edit", "proposer", "state", "decision", *database.SINCE_3)
#: Where the artifacts of each kind of measurement are.
_ARTIFACTS = {"measurements": "artifacts", "careful": "careful_artifacts", "finals": "final_artifacts"}
#: The fields of a proposal, columns of the ideas.
_PROPOSAL = ("value", "reason", "parent", "edit", "fault", "expected", "role")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used so far.

    Args:
        evaluations: Values handed to the simulator, failed ones included.
        model_calls: Questions answered by an engine.
        usd: Known prices added up, US dollars.
        unpriced_calls: Calls whose price is unknown.
        seconds: Wall time of all sessions, s.
        tokens_in: Tokens sent, where known.
        tokens_out: Tokens received, where known.
        uncounted_calls: Calls whose tokens are unknown.
        confirmations: Leaders measured with care, failed ones included; no evaluations.
        confirmation_seconds: Wall time of these measurements, s, summed over workers.
    """

    evaluations: int
    model_calls: int
    usd: float
    unpriced_calls: int
    seconds: float
    tokens_in: int
    tokens_out: int
    uncounted_calls: int = 0
    confirmations: int = 0
    confirmation_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Session:
    """A stretch of work on a run by one process.

    Args:
        started_at: When it began, s since 1970.
        seconds: Wall time, s.
        proposer: The engine's or rule editor's name.
        description: What was said when it began: who proposes, and what leaves the machine.
        ended: Why it ended; "" where it was killed or still runs.
    """

    started_at: float
    seconds: float
    proposer: str
    description: str
    ended: str


class Ledger:
    """A run's record, open for writing or for reading.

    Use `Ledger.create`, `Ledger.open` or `Ledger.in_memory`.
    """

    def __init__(self, connection: sqlite3.Connection, directory: Path | None, lock: FileLock | None) -> None:
        self.directory = directory
        self._db = connection
        self._lock = lock
        self._mutex = threading.RLock()
        self._session: tuple[int, float] | None = None
        #: What was spent but for time, kept up to date while this process writes.
        self._sums: _Sums | None = None

    # -- opening -----------------------------------------------------------------------------------

    @classmethod
    def in_memory(cls, header: Mapping[str, Any]) -> Ledger:
        """Make a ledger that is gone with the process."""
        ledger = cls(database.connect(":memory:"), None, None)
        ledger._initialise(header)
        return ledger

    @classmethod
    def create(cls, directory: Path, header: Mapping[str, Any]) -> Ledger:
        """Start a run in a directory, which is made where it is missing.

        Args:
            directory: Where to; it must not hold a run yet.
            header: JSON-able facts that stay with the run: its settings.

        Raises:
            LedgerError: It cannot be written, or holds a run already.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"cannot write a run into {str(directory)!r}: {database.reason(error)}") from None
        lock = database.locked(directory)
        try:
            if cls.exists(directory):
                raise LedgerError(f"{str(directory)!r} holds a run already; resume it, or choose another directory")
            ledger = cls(database.connect(str(directory / database.DATABASE)), None, lock)
            ledger._initialise(header)
            ledger.directory = directory
        except BaseException as error:
            lock.release()
            if isinstance(error, sqlite3.Error):
                raise LedgerError(f"cannot write a run into {str(directory)!r}: {database.reason(error)}") from None
            raise
        return ledger

    @classmethod
    def open(cls, directory: Path, *, write: bool = False) -> Ledger:
        """Open a run that is there.

        Args:
            directory: Where it is.
            write: To go on with it. Only one process may; reading is always possible.

        Raises:
            LedgerError: No run, another format, damaged, or in use by another process.
        """
        path = directory / database.DATABASE
        try:
            if not path.is_file():
                raise LedgerError(
                    f"{str(directory)!r} is no run: it has no {database.DATABASE}{database.runs_below(directory)}"
                )
            with closing(
                database.connect_readonly(path)
            ) as connection:  # whatever is there, looking does not change it
                found = database.format_of(connection)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"cannot read {str(path)!r}: {database.reason(error)}") from None
        if found not in (database.FORMAT, *database.OLDER):
            what = "holds no run yet: it was stopped before it began" if found == 0 else f"has run format {found}"
            raise LedgerError(
                f"{str(directory)!r} {what}; this version of tgsci reads formats up to {database.FORMAT}. "
                "Use the version that wrote it, or start a new run in another directory."
            )
        lock = database.locked(directory) if write else None
        try:
            ledger = cls(database.connect(str(path)) if write else database.connect_readonly(path), directory, lock)
            if write and found in database.OLDER:
                ledger._run_script(database.upgrade(found, ledger._columns("trials")))
            return ledger
        except sqlite3.Error as error:
            if lock:
                lock.release()
            raise LedgerError(f"cannot open {str(path)!r}: {database.reason(error)}") from None

    @staticmethod
    def exists(directory: Path) -> bool:
        """True where a run was begun in this directory."""
        path = directory / database.DATABASE
        try:
            if not path.is_file() or path.stat().st_size == 0:
                return False
            with closing(database.connect_readonly(path)) as connection:
                return database.format_of(connection) != 0
        except (OSError, sqlite3.Error):
            return True  # something is there; opening it says what is wrong

    def _initialise(self, header: Mapping[str, Any]) -> None:
        self._run_script(database.SCHEMA, header)

    def _run_script(self, script: str, header: Mapping[str, Any] | None = None) -> None:
        """Bring the file to the present format, all or nothing."""
        with self._commit() as db:
            for statement in script.split(";"):
                db.execute(statement)
            rows = [(key, json.dumps(value)) for key, value in (header or {}).items()]
            db.executemany("INSERT INTO header VALUES (?, ?)", rows)
            db.execute(f"PRAGMA application_id = {database.APPLICATION}")
            db.execute(f"PRAGMA user_version = {database.FORMAT}")

    def release(self) -> None:
        """Let another process go on with the run; this one may still read it."""
        if self._lock:
            with self._mutex, suppress(sqlite3.Error):  # closed already, or somebody reads: then the -wal file stays
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the one file is the whole run
            self._lock.release()
            self._lock = None

    def close(self) -> None:
        self._db.close()
        self.release()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing -----------------------------------------------------------------------------------

    @contextmanager
    def _commit(self) -> Iterator[sqlite3.Connection]:
        with self._mutex:
            try:  # around BEGIN and COMMIT too: Ctrl-C may come right after either
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._tick()
                self._db.execute("COMMIT")
            except BaseException as error:
                self._sums = None
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError) and self.directory:
                    then = ", then resume the run: what was recorded is safe" if database.is_full(error) else ""
                    raise RecordError(
                        f"cannot write into {str(self.directory)!r}: {database.reason(error)}{then}"
                    ) from error
                raise

    def _tick(self) -> None:
        """Wall time is kept with every commit, so that a killed session's time counts too."""
        if self._session:
            number, started = self._session
            self._db.execute("UPDATE sessions SET seconds = ? WHERE id = ?", (time.monotonic() - started, number))

    def begin_session(self, proposer: str, description: str = "") -> None:
        """Note that work goes on, who proposes, and what a person was told of that."""
        with self._commit() as db:
            row = db.execute("INSERT INTO sessions VALUES (NULL, ?, 0, ?, ?, '')", (time.time(), proposer, description))
            self._session = (int(row.lastrowid or 0), time.monotonic())

    def end_session(self, reason: str) -> None:
        """Note why work stopped."""
        if self._session:
            with self._commit() as db:
                db.execute("UPDATE sessions SET ended = ? WHERE id = ?", (reason, self._session[0]))
            self._session = self._sums = None

    def set_header(self, key: str, value: Any) -> None:
        with self._commit() as db:
            db.execute("INSERT OR REPLACE INTO header VALUES (?, ?)", (key, json.dumps(value)))

    def add_trials(self, trials: Iterable[Trial]) -> None:
        """Record a round of proposals, all or none of it, before any is measured."""
        with self._commit() as db:
            self._add_trials(db, trials)

    def _add_trials(self, db: sqlite3.Connection, trials: Iterable[Trial]) -> None:
        rows = [(*(getattr(t, name) for name in _TRIAL), time.time()) for t in trials]
        columns = f"{', '.join(_TRIAL)}, proposed_at"
        db.executemany(f"INSERT INTO trials ({columns}) VALUES ({', '.join('?' * (len(_TRIAL) + 1))})", rows)

    def ask(self, round: int, proposers: Iterable[str]) -> None:
        """Record who is asked for the ideas of a round, before it is asked."""
        with self._commit() as db:
            self._ask(db, round, proposers)

    def _ask(self, db: sqlite3.Connection, round: int, proposers: Iterable[str]) -> None:
        db.executemany("INSERT OR IGNORE INTO asked VALUES (?, ?, 0)", [(round, name) for name in proposers])

    def add_ideas(self, round: int, proposer: str, proposals: Sequence[Proposal]) -> list[int]:
        """Record the ideas that a proposer had for a round, all of them or none, and that it answered.

        Returns:
            The number of each idea.
        """
        columns = ("round", "proposer", *_PROPOSAL, "rank", "why", "had_at")
        insert = f"INSERT INTO ideas ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        numbers = []
        with self._commit() as db:
            for proposal in proposals:
                given = (getattr(proposal, name) for name in _PROPOSAL)
                row = db.execute(insert, (round, proposer, *given, 0, "", time.time()))
                numbers.append(int(row.lastrowid or 0))
            db.execute("INSERT OR REPLACE INTO asked VALUES (?, ?, 1)", (round, proposer))
        return numbers

    def begin_round(
        self,
        trials: Sequence[Trial],
        taken: Mapping[int, int],
        waiting: Mapping[int, Idea],
        ahead: Iterable[str] = (),
    ) -> None:
        """Record a round that was chosen from the pool, all or none of it, before any of it is measured.

        Args:
            trials: The round's.
            taken: By the number of each idea that left the pool, that of its trial.
            waiting: By their numbers, the ideas that stay, with rank, outlook and why.
            ahead: Who is asked for the next round while this one is measured.
        """
        with self._commit() as db:
            self._add_trials(db, trials)
            db.executemany(
                "UPDATE ideas SET trial = ? WHERE id = ?", [(trial, number) for number, trial in taken.items()]
            )
            db.executemany(
                "UPDATE ideas SET rank = ?, why = ?, outlook = ?, sd = ? WHERE id = ?",
                [(i.rank, i.why, *_figures(i.outlook), number) for number, i in waiting.items()],
            )
            self._ask(db, trials[0].round + 1, ahead)

    def add_measurement(
        self, number: int, feedback: Feedback, seconds: float, answers: Sequence[Answer] = ()
    ) -> Feedback:
        """Record what a trial measured.

        Args:
            number: The trial's.
            feedback: What the loss said.
            seconds: Wall time, s.
            answers: What came back with the measurement from another process: the questions that it asked there.

        Returns:
            The feedback with its artifacts left on disk.
        """
        unmeasured = feedback.loss is not None and math.isnan(feedback.loss)
        with self._commit() as db:
            if answers:
                (round,) = db.execute("SELECT round FROM trials WHERE number = ?", (number,)).fetchone()
                self._add_answers(db, round, number, answers)
            self._count(1, answers)
            return self._add(db, "measurements", number, feedback, seconds, {"unmeasured": unmeasured})

    def add_careful(
        self,
        number: int,
        feedback: Feedback,
        seconds: float,
        answers: Sequence[Answer] = (),
        judged: Sequence[Trial] = (),
    ) -> Feedback:
        """Record a trial's careful measurement beside its first one, and what it changes in decisions made before.

        Args:
            number: The trial's.
            feedback: What the careful loss said.
            seconds: Wall time, s.
            answers: As for `add_measurement`.
            judged: Trials whose decision is another one now.

        Returns:
            The feedback with its artifacts left on disk.
        """
        with self._commit() as db:
            if answers:
                (round,) = db.execute("SELECT round FROM trials WHERE number = ?", (number,)).fetchone()
                self._add_answers(db, round, database.with_care(number), answers)
            self._count(0, answers, seconds)
            stored = self._add(db, "careful", number, feedback, seconds, {})
            self._decide(db, judged)
            return stored

    def add_final(self, number: int, feedback: Feedback, seconds: float) -> Feedback:
        """Record a trial's second measurement, in place of an earlier second one; the first stays.

        Returns:
            The feedback with its artifacts left on disk.
        """
        with self._commit() as db:
            for statement in database.FINALS:
                db.execute(statement)
            for table in ("finals", _ARTIFACTS["finals"]):
                db.execute(f"DELETE FROM {table} WHERE number = ?", (number,))
            return self._add(db, "finals", number, feedback, seconds, {})

    def _add(
        self,
        db: sqlite3.Connection,
        table: str,
        number: int,
        feedback: Feedback,
        seconds: float,
        more: Mapping[str, object],
    ) -> Feedback:
        """Write a measurement and its artifacts; `more` are the columns that only this table has."""
        feedback, artifacts = _storable(feedback)
        row = {
            "number": number,
            "loss": None if feedback.loss is None or math.isnan(feedback.loss) else feedback.loss,
            "text": feedback.text,
            "metrics": json.dumps(dict(feedback.metrics)),
            "violations": json.dumps(dict(feedback.violations)),
            "error": feedback.error,
            "transient": feedback.transient,
            "seconds": seconds,
            "measured_at": time.time(),
            **more,
        }
        db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
        db.executemany(
            f"INSERT INTO {_ARTIFACTS[table]} VALUES (?, ?, ?)",
            [(number, name, content) for name, content in artifacts.items()],
        )
        return replace(feedback, artifacts=_Artifacts(self, number, tuple(artifacts), _ARTIFACTS[table]))

    def decide(self, trials: Iterable[Trial]) -> None:
        """Record what became of measured trials."""
        with self._commit() as db:
            self._decide(db, trials)

    def _decide(self, db: sqlite3.Connection, trials: Iterable[Trial]) -> None:
        db.executemany(
            "UPDATE trials SET state = ?, decision = ?, contrast = ? WHERE number = ?",
            [(t.state, t.decision, t.contrast, t.number) for t in trials],
        )

    def add_answers(
        self, round: int, trial: int | None, answers: Sequence[Answer], occurrence: int | None = None
    ) -> None:
        """Record questions and their replies.

        Args:
            round: The round that they belong to.
            trial: Number of the trial that was measured; None where none was.
            answers: In the order in which they came.
            occurrence: Of a single answer, as `answer` takes it; None counts on from what is recorded.
        """
        with self._commit() as db:
            self._add_answers(db, round, trial, answers, occurrence)
            self._count(0, answers)

    def _add_answers(
        self,
        db: sqlite3.Connection,
        round: int,
        trial: int | None,
        answers: Sequence[Answer],
        occurrence: int | None = None,
    ) -> None:
        measured = database.NO_TRIAL if trial is None else trial
        for answer in answers:
            reply = answer.reply
            texts = map(well_formed, (answer.engine, answer.system, answer.prompt, reply.text, reply.model))
            db.execute(
                "INSERT INTO calls SELECT NULL, ?1, ?2, ?3, coalesce(?15, max(occurrence) + 1, 0), "
                "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 "
                "FROM calls WHERE round = ?1 AND trial = ?2 AND question = ?3",
                (round, measured, answer.question, *texts, reply.tokens_in, reply.tokens_out, reply.usd, reply.seconds,
                 reply.finish, time.time(), occurrence),
            )  # fmt: skip

    # -- reading -----------------------------------------------------------------------------------

    def _rows(self, query: str, *arguments: Any) -> list[Any]:
        with self._mutex:
            try:
                return self._db.execute(query, arguments).fetchall()
            except sqlite3.DatabaseError as error:
                if self.directory:
                    raise LedgerError(f"cannot read {str(self.directory)!r}: {error}") from error
                raise

    @property
    def header(self) -> dict[str, Any]:
        """The facts that the run was created with, and what `set_header` changed since.

        Raises:
            LedgerError: The file is damaged.
        """
        return {key: json.loads(value) for key, value in self._rows("SELECT key, value FROM header")}

    def trials(self) -> list[Trial]:
        """Read every trial in order, with its feedback; artifacts are read when they are looked at."""
        measured, careful = self._measurements("measurements", "unmeasured"), self.careful()
        there = self._columns("trials")
        columns, found = [name for name in _TRIAL if name in there], []
        for row in self._rows(f"SELECT {', '.join(columns)} FROM trials ORDER BY number"):
            kept = dict(zip(columns, row, strict=True))
            feedback, seconds = measured.get(kept["number"], (None, 0.0))
            trial = Trial(**{**kept, "state": State(kept["state"])}, feedback=feedback, seconds=seconds)
            found.append(trial.with_care(careful[trial.number]) if trial.number in careful else trial)
        return found

    def careful(self) -> dict[int, Feedback]:
        """Read the careful measurements, failed ones included, by trial number."""
        if not self._columns("careful"):
            return {}
        return {number: feedback for number, (feedback, _) in self._measurements("careful", "loss IS NULL").items()}

    def ideas(self) -> dict[int, Idea]:
        """Read the ideas that did not become a trial yet, by their numbers, in the order in which they were had."""
        if not self._columns("ideas"):
            return {}
        query = f"SELECT id, proposer, round, outlook, sd, rank, why, {', '.join(_PROPOSAL)} FROM ideas"
        found = {}
        for row in self._rows(f"{query} WHERE trial IS NULL ORDER BY id"):
            number, proposer, round, loss, sd, rank, why, *fields = row
            outlook = None if loss is None else Outlook(loss, sd)
            proposal = Proposal(**dict(zip(_PROPOSAL, fields, strict=True)))
            found[number] = Idea(proposal, proposer, round, outlook, rank, why)
        return found

    def asked(self, round: int) -> dict[str, bool]:
        """Read who was asked for the ideas of a round, and whether it answered."""
        if not self._columns("asked"):
            return {}
        rows = self._rows("SELECT proposer, answered FROM asked WHERE round = ?", round)
        return {name: bool(answered) for name, answered in rows}

    def _columns(self, table: str) -> set[str]:
        """Name the columns of a table; none where an older version wrote the file, which had no such table."""
        return {name for (name,) in self._rows("SELECT name FROM pragma_table_info(?)", table)}

    def finals(self) -> dict[int, Feedback]:
        """Read the second measurements of finalists, by trial number."""
        if not self._columns("finals"):
            return {}
        return {number: feedback for number, (feedback, _) in self._measurements("finals", "loss IS NULL").items()}

    def _measurements(self, table: str, is_nan: str) -> dict[int, tuple[Feedback, float]]:
        """Feedback and wall time by trial number; `is_nan`, in SQL, tells a failure from a feedback of text alone."""
        names: dict[int, list[str]] = {}
        for number, name in self._rows(f"SELECT number, name FROM {_ARTIFACTS[table]} ORDER BY number, name"):
            names.setdefault(number, []).append(name)
        columns = f"number, {is_nan}, loss, text, metrics, violations, error, transient, seconds"
        found = {}
        for row in self._rows(f"SELECT {columns} FROM {table} ORDER BY number"):
            number, failed, loss, text, metrics, violations, error, transient, seconds = row
            artifacts = _Artifacts(self, number, names.get(number, ()), _ARTIFACTS[table])
            figures = json.loads(metrics), json.loads(violations)
            feedback = Feedback(math.nan if failed else loss, text, *figures, artifacts, error, bool(transient))
            found[number] = (feedback, seconds)
        return found

    def artifact(self, number: int, name: str, table: str = "artifacts") -> bytes | str:
        assert table in _ARTIFACTS.values()
        rows = self._rows(f"SELECT content FROM {table} WHERE number = ? AND name = ?", number, name)
        if not rows:
            raise KeyError(name)
        content: bytes | str = rows[0][0]
        return content

    def calls(self) -> list[tuple[int, str, str, Reply]]:
        """Read every question and answer in order, as (round, system, prompt, reply)."""
        query = (
            "SELECT round, system, prompt, reply, tokens_in, tokens_out, usd, seconds, finish, model "
            "FROM calls ORDER BY id"
        )
        return [(row[0], row[1], row[2], Reply(*row[3:])) for row in self._rows(query)]

    def models(self) -> dict[str, int]:
        """Count the questions that each model answered, in the order of their first answer."""
        return dict(self._rows("SELECT model, count(*) FROM calls GROUP BY model ORDER BY min(id)"))

    def replies_by_engine(self) -> dict[str, int]:
        """Count the questions that each engine answered, by `Engine.identity`."""
        return dict(self._rows("SELECT engine, count(*) FROM calls GROUP BY engine"))

    def replies_to_proposers(self) -> int:
        """Count the questions that were answered while values were proposed."""
        query = "SELECT count(*) FROM calls WHERE trial = ? AND round >= 0"
        return int(self._rows(query, database.NO_TRIAL)[0][0])

    def answer(self, round: int, trial: int | None, question: str, occurrence: int) -> Reply | None:
        """Find a recorded reply.

        Args:
            round: The round that asks.
            trial: Number of the trial that is measured; None where none is.
            question: `Call.question`.
            occurrence: How often the same question was asked before, in this round and for this trial.
        """
        rows = self._rows(
            "SELECT reply, tokens_in, tokens_out, usd, seconds, finish, model FROM calls "
            "WHERE round = ? AND trial = ? AND question = ? AND occurrence = ?",
            *(round, database.NO_TRIAL if trial is None else trial, question, occurrence),
        )
        return Reply(*rows[0]) if rows else None

    def sessions(self) -> list[Session]:
        """Read each stretch of work on the run, in order."""
        query = "SELECT started_at, seconds, proposer, description, ended FROM sessions ORDER BY id"
        return [Session(*row) for row in self._rows(query)]

    def spent(self) -> Spent:
        """Sum up what all sessions used so far, the running one up to now.

        Raises:
            LedgerError: The file is damaged.
        """
        with self._mutex:
            sums = self._sums or self._summed()
            if self._session:
                self._sums = sums  # nobody else writes: from here on they are counted
        session, began = self._session or (0, time.monotonic())
        seconds = self._rows("SELECT total(seconds) FROM sessions WHERE id != ?", session)[0][0]
        seconds += time.monotonic() - began
        unpriced = sums.calls - sums.priced
        tokens = sums.tokens_in, sums.tokens_out, sums.calls - sums.counted
        care = sums.confirmations, sums.confirmation_seconds
        return Spent(sums.evaluations, sums.calls, sums.usd, unpriced, seconds, *tokens, *care)

    def _summed(self) -> _Sums:
        evaluations = self._rows("SELECT count(*) FROM measurements")[0][0]
        calls, usd, priced, tokens_in, tokens_out, counted = self._rows(
            "SELECT count(*), total(usd), count(usd), total(tokens_in), total(tokens_out), "
            "count(tokens_in + tokens_out) FROM calls"
        )[0]
        care = self._rows("SELECT count(*), total(seconds) FROM careful")[0] if self._columns("careful") else (0, 0.0)
        return _Sums(evaluations, calls, usd, priced, int(tokens_in), int(tokens_out), counted, *care)

    def _count(self, evaluations: int, answers: Sequence[Answer], with_care: float | None = None) -> None:
        """Add to the sums what is being recorded; within a commit, which drops the sums where it fails."""
        if self._sums is None:
            return
        self._sums.evaluations += evaluations
        if with_care is not None:
            self._sums.confirmations += 1
            self._sums.confirmation_seconds += with_care
        for answer in answers:
            self._sums.calls += 1
            self._sums.usd += answer.reply.usd or 0.0
            self._sums.priced += answer.reply.usd is not None
            self._sums.tokens_in += answer.reply.tokens_in or 0
            self._sums.tokens_out += answer.reply.tokens_out or 0
            self._sums.counted += None not in (answer.reply.tokens_in, answer.reply.tokens_out)


@dataclass(slots=True)
class _Sums:
    """Of all measurements and calls; `priced` and `counted` are the calls whose price and whose tokens are known."""

    evaluations: int
    calls: int
    usd: float
    priced: int
    tokens_in: int
    tokens_out: int
    counted: int
    confirmations: int
    confirmation_seconds: float


class _Artifacts(Mapping[str, "bytes | str"]):
    """A trial's artifacts, each read from the ledger when it is looked at."""

    def __init__(self, ledger: Ledger, number: int, names: Sequence[str], table: str = "artifacts") -> None:
        self._ledger, self._number, self._names, self._table = ledger, number, tuple(names), table

    def __getitem__(self, name: str) -> bytes | str:
        return self._ledger.artifact(self._number, name, self._table)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __reduce__(self) -> tuple[Any, ...]:
        """Elsewhere there is no ledger: the contents travel along."""
        return dict, (dict(self),)


def _figures(outlook: Outlook | None) -> tuple[float | None, float | None]:
    return (None, None) if outlook is None else (outlook.loss, outlook.sd)


def _storable(feedback: Feedback) -> tuple[Feedback, dict[str, bytes | str]]:
    """Make the texts of a feedback storable; return it with its artifacts, sorted by name."""
    artifacts = {
        well_formed(name): well_formed(content) if isinstance(content, str) else content
        for name, content in sorted(feedback.artifacts.items())
    }
    error = None if feedback.error is None else well_formed(feedback.error)
    return replace(feedback, text=well_formed(feedback.text), error=error), artifacts
