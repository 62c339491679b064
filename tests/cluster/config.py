"""The configuration files of the cluster's programs, filled in from the templates in `config/`."""

from __future__ import annotations

from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).parent / "config"


def rendered(name: str, folder: Path, **values: str | Path) -> Path:
    """Writes the template `name` into `folder` with each `$NAME` replaced, and returns its path."""
    text = Template(TEMPLATES.joinpath(name).read_text()).substitute({key: str(value) for key, value in values.items()})
    return written(folder / name, text)


def written(path: Path, text: str) -> Path:
    """Writes the file for its owner only, unless it is so already: kube-proxy ends itself when its file is touched."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
    return path
