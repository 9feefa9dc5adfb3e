"""An agent as one file: a zip that is the same for the same agent, and whose unpacking cannot leave its folder."""

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.submission.manifest import AGENT_FILE, digest, files, load

FILES = 1000
BYTES = 256 * 2**20  # of all files together, unpacked
RATIO = 200  # unpacked to packed; what is above is a bomb, or should not be packed
_BORN = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path, out: Path) -> str:
    """Writes an agent's archive, whole or not at all; returns its digest. Raises Refused where it cannot be one."""
    load(folder)
    chosen = files(folder)
    size = sum(path.stat().st_size for path in chosen)
    if len(chosen) > FILES or size > BYTES:
        raise Refused(f"{folder}: {len(chosen)} files of {size} bytes; at most {FILES} files of {BYTES} bytes")
    members = {path: _member(path, folder) for path in chosen}
    draft = out.with_name(f".{out.name}.draft")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path, info in members.items():
                archive.writestr(info, path.read_bytes())
        draft.replace(out)
    except OSError as error:
        raise Refused(f"cannot write {out}: {error.strerror or error}") from None
    return digest(folder)


def _member(path: Path, folder: Path) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _BORN)
    info.external_attr, info.compress_type = 0o100644 << 16, zipfile.ZIP_DEFLATED
    if fault := _fault(info):
        raise Refused(f"{path}: its name in an archive {fault}")
    return info


def unpack(path: Path, folder: Path) -> str:
    """Unpacks an archive into a new folder; returns the agent's digest. Raises Refused, leaving nothing behind.

    Refused are links, absolute or upward names, names twice, too many files, too many bytes, and what is no archive.
    """
    if folder.exists():
        raise Refused(f"{folder} is already there")
    try:
        with zipfile.ZipFile(path) as archive:
            names = _names(path, archive)
            folder.mkdir(parents=True)
            _write(path, archive, names, folder)
        load(folder)
        return digest(folder)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, Refused) or not isinstance(error, Exception):
            raise
        raise Refused(f"{path}: not an archive that can be unpacked: {error}") from None


def _names(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The plain files in an archive, by name, after a look at what they claim."""
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        fault = _fault(info)
        if fault or info.filename in found:
            raise Refused(f"{path}: {info.filename!r} in it {fault or 'is there twice'}")
        if not info.is_dir():
            found[info.filename] = info
    if len(found) > FILES:
        raise Refused(f"{path}: {len(found)} files; at most {FILES}")
    if AGENT_FILE not in found:
        raise Refused(f"{path}: no {AGENT_FILE} at its top; `crossplay pack` makes archives")
    return found


def _fault(info: zipfile.ZipInfo) -> str:
    mode, name = info.external_attr >> 16, PurePosixPath(info.filename)
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a special file"
    parts = info.filename.rstrip("/").split("/")
    if name.is_absolute() or {"..", ".", ""} & set(parts) or any(c in info.filename for c in "\\:\0"):
        return "would leave the agent's folder"
    if any(part.startswith(".") for part in parts) or len(info.filename) > 200 or not info.filename.isprintable():
        return "begins with a dot, is too long, or cannot be written on every machine"
    return ""


def _write(path: Path, archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo], folder: Path) -> None:
    left = BYTES
    for name, info in names.items():
        most = min(left, max(2**20, RATIO * info.compress_size))
        with archive.open(info) as packed:
            data = packed.read(most + 1)
        if len(data) > most:
            raise Refused(f"{path}: {name!r} unpacks to more than {most} bytes, from {info.compress_size}")
        left -= len(data)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
