"""The command line: parse one file, ingest files and folders, serve the API, write the bulk files, look after it all.

Every command imports what it needs when it runs, so that `parse` starts fast and needs no server.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from chalicelib.errors import ReportsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. Failures are one line on stderr."""
    try:
        asked = _arguments().parse_args(arguments)
        status: int = asked.run(asked)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has what it wanted. Without this, Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    except ReportsError as error:
        return _fail(error)
    except OSError as error:
        return _fail(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "))
    return status


def _fail(reason: object) -> int:
    print("error:", " ".join(str(reason).split()), file=sys.stderr)
    return 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chalicelib", description="Township work reports as open data.")
    parser.add_argument("--version", action=_Version, help="print the version and stop")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    parse = commands.add_parser("parse", help="print the record of one file as JSON; nothing is stored")
    parse.add_argument("file", type=Path, metavar="FILE")
    parse.add_argument(
        "--explain",
        action="store_true",
        help="instead of the record, an HTML page: the text with every number marked, and the rule that made or refused it",
    )
    parse.add_argument("-o", "--output", type=Path, metavar="PATH", help="write to this file, not to standard output")
    parse.set_defaults(run=_parse)

    ingest = commands.add_parser("ingest", help="publish files, and all files of folders")
    ingest.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    ingest.set_defaults(run=_ingest)
    for command in (parse, ingest):
        command.add_argument(
            "--township", metavar="PLACE", help="whose report it is: a code, or a name such as 三门县亭旁镇"
        )

    serve = commands.add_parser("serve", help="serve the API, and publish what arrives in data/incoming")
    serve.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
    serve.add_argument("--port", type=_port, default=os.environ.get("PORT") or "8000")
    serve.set_defaults(run=_serve)

    key = commands.add_parser("key", help="print the key that publishers send to the API of this machine")
    key.set_defaults(run=_key)

    export = commands.add_parser("export", help="write the bulk files")
    export.add_argument("--to", type=Path, metavar="DIR", help="a folder, instead of the storage that the API serves")
    export.set_defaults(run=_export)

    verify = commands.add_parser("verify", help="walk objects and index, and say where they differ")
    verify.add_argument("--raw", action="store_true", help="read the uploaded files too, and compare their SHA-256")
    verify.set_defaults(run=_verify)

    reindex = commands.add_parser("reindex", help="make the index anew of the objects alone")
    reindex.set_defaults(run=_reindex)

    again = commands.add_parser("reprocess", help="read the kept files again with the reader as it is now")
    again.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only these (also KEY!=VALUE; of several all have to hold): year, province, prefecture, county, township, "
        "report, state (published, rejected, needs_township), parser (a version or current), rules (a digest or current)",
    )
    again.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")
    again.add_argument("--json", type=Path, metavar="FILE", help="write every outcome whole, a line of JSON each")
    again.add_argument("--no-wait", action="store_true", help="by queue: print the run's id and stop")
    again.add_argument(
        "--run", dest="run_id", metavar="ID", help="by queue: tell what this run has come to so far, and start none"
    )
    again.set_defaults(run=_reprocess)
    return parser


def _port(text: str) -> int:
    """A port to listen on. 0, any free one, is none: nobody would know where the API is."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: give a whole number from 1 to 65535")


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from chalicelib.records import VERSION

        print(VERSION)
        parser.exit()


def _parse(asked: argparse.Namespace) -> int:
    from chalicelib import records
    from chalicelib.ingestion import intake, upload_state
    from chalicelib.reading.parse import parse_upload

    with asked.file.open("rb") as stream:
        intake.require_size(os.fstat(stream.fileno()).st_size, intake.max_bytes(os.environ))
        data, filename = stream.read(), upload_state.clean_filename(asked.file.name)
    parsed = parse_upload(data, filename, asked.township)
    if asked.explain:
        from chalicelib.explain import explain_page

        return _write(explain_page(data, filename, asked.township).encode(), asked)
    return _write(records.dump(parsed.record), asked)


def _write(content: bytes, asked: argparse.Namespace) -> int:
    """To standard output, or to the file that `--output` names, with a line on stderr that says so."""
    if asked.output is None:
        sys.stdout.buffer.write(content)
        return 0
    if asked.output.exists() and asked.output.samefile(asked.file):
        return _fail(f"{asked.output} is the report itself: name another file for the output.")
    asked.output.write_bytes(content)
    print(f"Wrote {asked.output}: {len(content)} bytes.", file=sys.stderr)
    return 0


def _ingest(asked: argparse.Namespace) -> int:
    from chalicelib.ingestion.paths import ingest_paths

    return ingest_paths(asked.paths, asked.township)


def _serve(asked: argparse.Namespace) -> int:
    from chalicelib.web import server

    return server.serve(asked.host, asked.port)


def _key(_: argparse.Namespace) -> int:
    from chalicelib.web import publishers

    print(publishers.own_key(os.environ))
    return 0


def _export(asked: argparse.Namespace) -> int:
    from chalicelib.bulk import export
    from chalicelib.search import build
    from chalicelib.storage import open_storage

    storage = open_storage(os.environ)
    manifest = export.write_folder(storage, asked.to) if asked.to else export.publish_files(storage)
    if not asked.to:
        build.refresh(storage)
    whole = [file for file in manifest["files"] if file["year"] is None]
    for file in whole:
        print(f"{file['name']}  {file['rows']} rows  {file['bytes']} bytes  {file['sha256']}")
    print(f"and {len(manifest['files']) - len(whole)} files of a year and province each")
    return 0


def _verify(asked: argparse.Namespace) -> int:
    from chalicelib.maintenance.progress import bar
    from chalicelib.maintenance.telling import tell
    from chalicelib.maintenance.verify import verify
    from chalicelib.storage import open_storage

    return tell(verify(open_storage(os.environ), bar, asked.raw))


def _reindex(_: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from chalicelib.maintenance.progress import bar
    from chalicelib.maintenance.reindex import reindex
    from chalicelib.maintenance.telling import tell
    from chalicelib.storage import open_for_repair

    before, after = reindex(open_for_repair(os.environ), datetime.now(UTC), bar)
    print(f"{len(before.differences)} entries were missing, wrong or stray.")
    return tell(after)


def _reprocess(asked: argparse.Namespace) -> int:
    from chalicelib.maintenance import reprocess
    from chalicelib.storage import open_storage

    if asked.run_id:
        return reprocess.tell_run(open_storage(os.environ), asked.run_id, asked.json)
    return reprocess.reprocess(asked.where, asked.dry_run, asked.json, wait=not asked.no_wait)


if __name__ == "__main__":
    sys.exit(main())
